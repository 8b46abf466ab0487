package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed pad_grad.wgsl
var padGradWGSL string

//go:embed pad_grad_rows.wgsl
var padGradRowsWGSL string

// PlanPadGrad plans one pass of the gradient of a padding. Input: dy; output: dx.
// Variants: naive, rows (an invocation for a run, for software adapters).
func PlanPadGrad(g spec.PadGrad, dev Device, force string) (Plan, error) {
	naive := candidate{name: "naive", why: "serves every case", plan: func() (Plan, error) { return padGrad(g, dev), nil }}
	rows := candidate{name: "rows", why: "runs of neighbours, without a division for each",
		not: tooManyRounds(4*padGradRun+g.Out, dev), plan: func() (Plan, error) { return padGradRows(g, dev), nil }}
	order := []candidate{naive, rows}
	if dev.CPU {
		order = []candidate{rows, naive}
	}
	return choose("pad_grad", force, order)
}

func padGrad(g spec.PadGrad, dev Device) Plan {
	total := g.Outer * g.In * g.Inner
	return Plan{Steps: []Step{{
		Kernel:   padGradKernel(g.Mode),
		Params:   Params{}.U32(total, g.Inner).I32(g.In, g.Out, g.Begin),
		Operands: []Operand{In(0), Out(0)},
		Groups:   Grid1D(ceilDiv(total, 64), dev.MaxGroups),
	}}}
}

func padGradKernel(mode spec.PadMode) *Kernel {
	return intern(fmt.Sprintf("pad_grad_%v", mode), func() *Kernel {
		return &Kernel{
			Source:     specialise(padGradWGSL, setU32("PAD_MODE", int(mode))),
			ParamBytes: 20,
			Writes:     []bool{false, true},
		}
	})
}

// padGradRun is about how many elements, or vec4s, an invocation of the kernel of
// rows has.
const padGradRun = 128

func padGradRows(g spec.PadGrad, dev Device) Plan {
	lanes, along := 1, g.Inner == 1
	inner, length := g.Inner, g.In
	if !along {
		if inner%4 == 0 {
			lanes = 4
		}
		inner /= lanes
		length = inner
	}
	runs := ceilDiv(length, padGradRun)
	run := ceilDiv(length, runs)
	total := g.Outer * g.In * runs
	if along {
		total = g.Outer * runs
	}
	return Plan{Steps: []Step{{
		Kernel:   padGradRowsKernel(g.Mode, along, lanes),
		Params:   Params{}.U32(total, g.Outer, inner).I32(g.In, g.Out, g.Begin).U32(run, runs),
		Operands: []Operand{In(0), Out(0)},
		Groups:   Grid1D(ceilDiv(total, 64), dev.MaxGroups),
	}}}
}

func padGradRowsKernel(mode spec.PadMode, along bool, lanes int) *Kernel {
	return intern(fmt.Sprintf("pad_grad_rows_%v_along%t_x%d", mode, along, lanes), func() *Kernel {
		edits := []edit{setU32("PAD_MODE", int(mode)), setBool("ALONG", along)}
		if lanes == 4 {
			edits = append(edits, swap("lanes", "alias T = vec4<f32>;"))
		}
		return &Kernel{Source: specialise(padGradRowsWGSL, edits...), ParamBytes: 32, Writes: []bool{false, true}}
	})
}

// padGradKernels enumerates the kernels that PlanPadGrad can return.
func padGradKernels() []*Kernel {
	var all []*Kernel
	for _, mode := range []spec.PadMode{spec.PadReflect, spec.PadReplicate, spec.PadCircular} {
		all = append(all, padGradKernel(mode), padGradRowsKernel(mode, true, 1), padGradRowsKernel(mode, false, 1), padGradRowsKernel(mode, false, 4))
	}
	return all
}
