package shaders

import (
	_ "embed"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed gather.wgsl
var gatherNaiveWGSL string

// PlanGather plans a copy of elements in another order: Transpose and Slice.
// Input: x; output: y. Variants: naive.
func PlanGather(g spec.Gather, dev Device, force string) (Plan, error) {
	return choose("gather", force, []candidate{
		{name: "naive", why: "serves every case", plan: func() (Plan, error) { return gatherNaive(g, dev), nil }},
	})
}

func gatherNaiveKernel() *Kernel {
	return intern("gather_naive", func() *Kernel {
		return &Kernel{Source: gatherNaiveWGSL, ParamBytes: 4 * (2 + 2*spec.MaxRank), Writes: []bool{false, true}}
	})
}

func gatherNaive(g spec.Gather, dev Device) Plan {
	const wg = 64
	total := spec.Count(g.OutShape())
	p := Params{}.U32(total).I32(g.Base)
	for _, axis := range g.Axis {
		p = p.U32(axis.Size).I32(axis.Step)
	}
	return Plan{Steps: []Step{{
		Kernel:   gatherNaiveKernel(),
		Params:   p,
		Operands: []Operand{In(0), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	}}}
}

// gatherKernels enumerates the kernels that PlanGather can return.
func gatherKernels() []*Kernel { return []*Kernel{gatherNaiveKernel()} }
