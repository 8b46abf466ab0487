package shaders

import (
	_ "embed"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed upsample_grad.wgsl
var upsampleGradWGSL string

// PlanUpsampleGrad plans one pass of the gradient of a resampling. Inputs: dy,
// and the tables start, from and weight; output: dx. Variants: naive.
func PlanUpsampleGrad(g spec.UpsampleGrad, dev Device, force string) (Plan, error) {
	return choose("upsample_grad", force, []candidate{
		{name: "naive", why: "serves every case", plan: func() (Plan, error) {
			const wg = 64
			total := g.Outer * g.In * g.Inner
			return Plan{Steps: []Step{{
				Kernel:   upsampleGradKernel(),
				Params:   Params{}.U32(total, g.Inner, g.In, g.Out),
				Operands: []Operand{In(0), In(1), In(2), In(3), Out(0)},
				Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
			}}}, nil
		}},
	})
}

func upsampleGradKernel() *Kernel {
	return intern("upsample_grad", func() *Kernel {
		return &Kernel{Source: upsampleGradWGSL, ParamBytes: 16, Writes: []bool{false, false, false, false, true}}
	})
}
