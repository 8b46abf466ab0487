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
	stage := func(i, total int, operands ...Operand) {
		params := Params{}.U32(total, outputs, terms, parts, flag(outputFirst))
		for _, axes := range [][spec.MaxRank]spec.StepAxis{g.Kept, g.Reduced} {
			for _, axis := range axes[:reduceAxes] {
				params = params.U32(axis.Size, axis.Step)
			}
		}
		p.add(Step{Kernel: reduceGradKernel(i), Params: params, Operands: operands, Groups: Grid1D(ceilDiv(total, 64), dev.MaxGroups)})
	}
	stage(0, parts*outputs, In(1), In(2), In(2), counts)
	stage(1, outputs, In(0), counts, counts, shares)
	stage(2, outputs*terms, In(1), In(2), shares, Out(0))
	return p
}

func reduceGradKernel(stage int) *Kernel {
	return intern(fmt.Sprintf("reduce_grad_%d", stage), func() *Kernel {
		return &Kernel{Source: specialise(reduceGradWGSL, setU32("STAGE", stage)),
			ParamBytes: 4 * (5 + 4*reduceAxes), Writes: []bool{false, false, false, true}}
	})
}

// reduceGradKernels enumerates the kernels that PlanReduceGrad can return.
func reduceGradKernels() []*Kernel {
	return []*Kernel{reduceGradKernel(0), reduceGradKernel(1), reduceGradKernel(2)}
}
