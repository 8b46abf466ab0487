package shaders

import (
	_ "embed"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed activation.wgsl
var activationWGSL string

// PlanActivation plans y = f(x) over n values. Input: x; output: y.
// Variants: vec4, and runs for software adapters.
func PlanActivation(a spec.Activation, n int, dev Device, force string) (Plan, error) {
	count := ceilDiv(n, 4)
	return choose("activation", force, streaming(dev, "", "one pass", func(f inRuns) Plan {
		return Plan{Steps: []Step{{
			Kernel:   activationKernel(a.Func, f),
			Params:   Params{}.U32(count).F32(a.A, a.B),
			Operands: []Operand{In(0), Out(0)},
			Groups:   f.grid(count, dev),
		}}}
	}))
}

func activationKernel(fn spec.Pointwise, f inRuns) *Kernel {
	return intern(f.name("activation_"+fn.String()), func() *Kernel {
		return &Kernel{
			Source:     specialise(activationWGSL, swap("activate", ActivationSource("activate", spec.Activation{Func: fn})), f.edit),
			ParamBytes: 12,
			Writes:     []bool{false, true},
		}
	})
}

// activationKernels enumerates the kernels that PlanActivation can return.
func activationKernels() []*Kernel {
	var all []*Kernel
	for _, fn := range spec.Pointwises() {
		for _, f := range bothForms {
			all = append(all, activationKernel(fn, f))
		}
	}
	return all
}
