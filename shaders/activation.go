package shaders

import (
	_ "embed"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed activation.wgsl
var activationWGSL string

// PlanActivation plans y = f(x) over n values. Input: x; output: y.
// Variants: vec4.
func PlanActivation(a spec.Activation, n int, dev Device, force string) (Plan, error) {
	return choose("activation", force, []candidate{
		{name: "vec4", why: "one pass", plan: func() (Plan, error) {
			const wg = 64
			count := ceilDiv(n, 4)
			return Plan{Steps: []Step{{
				Kernel:   activationKernel(a.Func),
				Params:   Params{}.U32(count).F32(a.A, a.B),
				Operands: []Operand{In(0), Out(0)},
				Groups:   Grid1D(ceilDiv(count, wg), dev.MaxGroups),
			}}}, nil
		}},
	})
}

func activationKernel(fn spec.Pointwise) *Kernel {
	return intern("activation_"+fn.String(), func() *Kernel {
		return &Kernel{
			Source:     specialise(activationWGSL, swap("activate", ActivationSource("activate", spec.Activation{Func: fn}))),
			ParamBytes: 12,
			Writes:     []bool{false, true},
		}
	})
}

// activationKernels enumerates the kernels that PlanActivation can return.
func activationKernels() []*Kernel {
	var all []*Kernel
	for _, fn := range spec.Pointwises() {
		all = append(all, activationKernel(fn))
	}
	return all
}
