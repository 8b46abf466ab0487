package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed pad_grad.wgsl
var padGradWGSL string

// PlanPadGrad plans one pass of the gradient of a padding. Input: dy; output: dx.
// Variants: naive.
func PlanPadGrad(g spec.PadGrad, dev Device, force string) (Plan, error) {
	return choose("pad_grad", force, []candidate{
		{name: "naive", why: "serves every case", plan: func() (Plan, error) {
			const wg = 64
			total := g.Outer * g.In * g.Inner
			return Plan{Steps: []Step{{
				Kernel:   padGradKernel(g.Mode),
				Params:   Params{}.U32(total, g.Inner).I32(g.In, g.Out, g.Begin),
				Operands: []Operand{In(0), Out(0)},
				Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
			}}}, nil
		}},
	})
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

// padGradKernels enumerates the kernels that PlanPadGrad can return.
func padGradKernels() []*Kernel {
	return []*Kernel{padGradKernel(spec.PadReflect), padGradKernel(spec.PadReplicate), padGradKernel(spec.PadCircular)}
}
