package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed reduce_grad.wgsl
var reduceGradWGSL string

// PlanReduceGrad plans the gradient of a greatest or least value over axes.
// Inputs: dy, x, y; output: dx. Variants: naive.
func PlanReduceGrad(g spec.Reduce, dev Device, force string) (Plan, error) {
	return choose("reduce_grad", force, []candidate{
		{name: "naive", why: "serves every case", plan: func() (Plan, error) { return reduceGrad(g, dev), nil }},
	})
}

func reduceGrad(g spec.Reduce, dev Device) Plan {
	outputs, terms := g.Outputs(), g.Terms()
	want := 16384 // invocations that keep a device busy
	if dev.CPU {
		want = 64
	}
	parts := max(1, min(ceilDiv(want, outputs), terms/64, spec.MaxElements/outputs))
	if dev.CPU {
		parts = max(parts, ceilDiv(terms, softwareRounds))
	}
	outputFirst := g.KeptAxes > 0 && g.Kept[0].Step == 1
	var p Plan
	counts, shares := p.temp(parts*outputs), p.temp(outputs)
	stage := func(i, total, parts int, operands ...Operand) {
		params := Params{}.U32(total, outputs, terms, parts, flag(outputFirst))
		for _, axes := range [][spec.MaxRank]spec.StepAxis{g.Kept, g.Reduced} {
			for _, axis := range axes[:reduceAxes] {
				params = params.U32(axis.Size, axis.Step)
			}
		}
		p.add(Step{Kernel: reduceGradKernel(i, max(1, g.KeptAxes), max(1, g.ReducedAxes)), Params: params, Operands: operands, Groups: Grid1D(ceilDiv(total, 64), dev.MaxGroups)})
	}
	stage(0, parts*outputs, parts, In(1), In(2), In(2), counts)
	stage(1, outputs, parts, In(0), counts, counts, shares)
	each := 4 // elements for an invocation
	if dev.CPU {
		each = 64
	}
	runs := ceilDiv(terms, each)
	stage(2, runs*outputs, runs, In(1), In(2), shares, Out(0))
	return p
}

func reduceGradKernel(stage, kept, reduced int) *Kernel {
	return intern(fmt.Sprintf("reduce_grad_%d_axes%d_%d", stage, kept, reduced), func() *Kernel {
		return &Kernel{Source: specialise(reduceGradWGSL, setU32("STAGE", stage),
			swap("kept", reducePlace(kept, "kept", "kept_step")), swap("reduced", reducePlace(reduced, "reduced", "step"))),
			ParamBytes: 4 * (5 + 4*reduceAxes), Writes: []bool{false, false, false, true}}
	})
}

// reduceGradKernels enumerates the kernels that PlanReduceGrad can return.
func reduceGradKernels() []*Kernel {
	var all []*Kernel
	for stage := range 3 {
		for axes := 1; axes <= reduceAxes; axes++ {
			all = append(all, reduceGradKernel(stage, axes, axes))
		}
	}
	return all
}
