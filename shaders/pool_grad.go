package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed pool_grad.wgsl
var poolGradWGSL string

// PlanPoolGrad plans the gradient of a pooling. Inputs: dy, the indices of a max
// or the output of an Lp pooling, the input of an Lp pooling (absent for other
// kinds); output: dx. Variants: tile, block, rows, scatter, gather.
func PlanPoolGrad(g spec.PoolGrad, dev Device, force string) (Plan, error) {
	tile := func(name, why string, s tileSize) candidate {
		t := newPoolGradTile(&g, s.rows, s.cols)
		return candidate{name: name, why: why, not: poolGradTileNot(&g, t, dev),
			plan: func() (Plan, error) { return poolGradTiled(g, t, dev), nil }}
	}
	class := func() string { return poolClass(&g.Pool, false) }
	large := tile("tile", "a large tile loads each output once", tileCPU)
	small := tile("block", "a small tile, and many of them", tileGPU)
	gather := candidate{name: "gather", why: "each element sums the windows over it", not: tooManyLoops(g.Windows(), dev),
		plan: func() (Plan, error) { return poolGradGather(g, dev), nil }}
	rows := candidate{name: "rows", why: "windows side by side", not: poolGradRowsNot(&g, dev),
		plan: func() (Plan, error) { return poolGradRows(g, dev), nil }}
	scatter := candidate{name: "scatter", why: "a row goes through the windows over it", not: poolGradScatterNot(&g, dev),
		plan: func() (Plan, error) { return poolGradScatter(g, dev), nil }}
	order := []candidate{small, large, gather, rows, scatter}
	if dev.CPU {
		order = []candidate{large, rows, scatter, small, gather}
	}
	return chooseTuned(g.Kind.String()+"pool_grad", force, dev, class, order)
}

func poolGradGather(g spec.PoolGrad, dev Device) Plan {
	const wg = 64
	total := g.Planes() * g.InSize()
	return Plan{Steps: []Step{{
		Kernel: poolGradKernel(g.Kind, g.Adaptive),
		Params: Params{}.U32(total).U32(g.In[:]...).U32(g.Out[:]...).U32(g.Kernel[:]...).
			U32(g.Stride[:]...).U32(g.Dilation[:]...).U32(g.PadBegin[:]...).
			U32(g.In[0]+g.PadEnd[0], g.In[1]+g.PadEnd[1], g.In[2]+g.PadEnd[2]).
			U32(flag(g.ExcludePad)).F32(float32(g.Divisor)).U32(flag(g.PlainNorm)).F32(g.Norm),
		Operands: []Operand{In(0), In(1), In(2), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	}}}
}

func poolGradKernel(kind spec.PoolKind, adaptive bool) *Kernel {
	return intern(fmt.Sprintf("pool_grad_%v_adaptive%t", kind, adaptive), func() *Kernel {
		return &Kernel{
			Source: specialise(poolGradWGSL, setU32("KIND", int(kind)), setBool("ADAPTIVE", adaptive),
				swap("math", MathSource("k_log2", "k_exp2"))),
			ParamBytes: 26 * 4,
			Writes:     []bool{false, false, false, true},
		}
	})
}

// poolGradKernels enumerates the kernels that PlanPoolGrad can return.
func poolGradKernels() []*Kernel {
	var all []*Kernel
	for _, kind := range []spec.PoolKind{spec.PoolMax, spec.PoolAvg, spec.PoolLp} {
		all = append(all, poolGradKernel(kind, false), poolGradKernel(kind, true),
			poolGradScatterKernel(kind, false), poolGradScatterKernel(kind, true))
	}
	return append(append(all, poolGradRowsKernels()...), poolGradTileKernels()...)
}
