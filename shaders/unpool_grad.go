package shaders

import (
	_ "embed"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed unpool_grad.wgsl
var unpoolGradWGSL string

// PlanUnpoolGrad plans the gradient of a max unpooling. Inputs: dy, indices;
// output: dx. Variants: naive.
func PlanUnpoolGrad(g spec.Unpool, dev Device, force string) (Plan, error) {
	return choose("unpool_grad", force, []candidate{
		{name: "naive", why: "serves every case", plan: func() (Plan, error) {
			const wg = 64
			in, out := g.Planes()*g.InSize(), g.Planes()*g.OutSize()
			plan := Plan{Temps: []int{out}}
			for step, total := range []int{out, in} { // who stands where
				plan.Steps = append(plan.Steps, Step{
					Kernel:   unpoolKernel(step),
					Params:   Params{}.U32(total, g.InSize(), g.OutSize()),
					Operands: []Operand{In(0), In(1), Temp(0)},
					Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
				})
			}
			plan.Steps = append(plan.Steps, Step{
				Kernel:   unpoolGradKernel(),
				Params:   Params{}.U32(in, g.InSize(), g.OutSize()),
				Operands: []Operand{In(0), In(1), Temp(0), Out(0)},
				Groups:   Grid1D(ceilDiv(in, wg), dev.MaxGroups),
			})
			return plan, nil
		}},
	})
}

func unpoolGradKernel() *Kernel {
	return intern("unpool_grad", func() *Kernel {
		return &Kernel{Source: unpoolGradWGSL, ParamBytes: 12, Writes: []bool{false, false, false, true}}
	})
}
