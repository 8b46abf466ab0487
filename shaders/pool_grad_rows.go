package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed pool_grad_rows.wgsl
var poolGradRowsWGSL string

// poolGradRun returns the pooling as windows side by side, planes as rows where
// there is but one window, and the window's size; not says why it is none.
func poolGradRun(g spec.Pool) (rows spec.Pool, run [3]int, not string) {
	if g.Kind == spec.PoolLp {
		return g, run, "an Lp pooling takes its windows element by element"
	}
	for i := range run {
		run[i] = g.In[i] / g.Out[i]
		past := g.Out[i] == 1 && g.Kind == spec.PoolMax && g.Kernel[i] > run[i] // the input
		switch {
		case g.Adaptive, run[i]*g.Out[i] != g.In[i], g.PadBegin[i] != 0, g.Dilation[i] != 1 && run[i] > 1,
			g.Kernel[i] != run[i] && !past, g.Stride[i] != run[i] && g.Out[i] > 1:
			return g, run, "the windows do not lie side by side"
		}
	}
	if g.Out == [3]int{1, 1, 1} {
		g.In = [3]int{1, 1, g.InSize()}
		run = g.In
	}
	return g, run, ""
}

// poolGradRowsNot says why the kernel of rows cannot serve, "" where it can.
func poolGradRowsNot(g *spec.PoolGrad, dev Device) string {
	rows, _, not := poolGradRun(g.Pool)
	return firstOf(not, tooManyRounds(rows.In[2]+rows.Out[2], dev))
}

func poolGradRows(grad spec.PoolGrad, dev Device) Plan {
	const wg = 64
	g, run, _ := poolGradRun(grad.Pool)
	divisor := run[0] * run[1] * run[2]
	if g.Divisor != 0 {
		divisor = g.Divisor
	}
	lanes := 1
	if run[2]%4 == 0 {
		lanes = 4
	}
	rows := g.Planes() * g.In[0] * g.In[1]
	return Plan{Steps: []Step{{
		Kernel:   poolGradRowsKernel(g.Kind, lanes),
		Params:   Params{}.U32(rows).U32(g.In[:]...).U32(g.Out[:]...).U32(run[:]...).F32(float32(divisor)),
		Operands: []Operand{In(0), In(1), Out(0)},
		Groups:   Grid1D(ceilDiv(rows, wg), dev.MaxGroups),
	}}}
}

const vec4PoolGradRows = `@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;

fn splat(v: f32) -> vec4<f32> { return vec4<f32>(v); }

fn only(v: f32, at: u32, k: u32) -> vec4<f32> {
  return select(vec4<f32>(0.0), vec4<f32>(v), vec4<u32>(at, at + 1u, at + 2u, at + 3u) == vec4<u32>(k));
}`

func poolGradRowsKernel(kind spec.PoolKind, lanes int) *Kernel {
	return intern(fmt.Sprintf("pool_grad_rows_%v_x%d", kind, lanes), func() *Kernel {
		edits := []edit{setU32("KIND", int(kind)), setU32("LANES", lanes)}
		if lanes == 4 {
			edits = append(edits, swap("lanes", vec4PoolGradRows))
		}
		return &Kernel{Source: specialise(poolGradRowsWGSL, edits...), ParamBytes: 4 * 11, Writes: []bool{false, false, true}}
	})
}

// poolGradRowsKernels enumerates the kernels of rows.
func poolGradRowsKernels() []*Kernel {
	var all []*Kernel
	for _, kind := range []spec.PoolKind{spec.PoolMax, spec.PoolAvg} {
		all = append(all, poolGradRowsKernel(kind, 1), poolGradRowsKernel(kind, 4))
	}
	return all
}
