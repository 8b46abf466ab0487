package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed activation_grad.wgsl
var activationGradWGSL string

//go:embed math_grad.wgsl
var mathGradWGSL string

// ActivationGradSource returns WGSL that defines
//
//	fn NAME(x: f32, a: f32, b: f32) -> f32
//
// as the derivative of the pointwise function f, NaN of NaN.
func ActivationGradSource(name string, f spec.Pointwise) string {
	d := "k_d_" + f.String()
	args := []string{"x", "x, a", "x, a, b"}[f.Params()]
	return MathSource(d, "k_is_nan") +
		fmt.Sprintf("fn %s(x: f32, a: f32, b: f32) -> f32 { return select(%s(%s), x, k_is_nan(x)); }\n", name, d, args)
}

// PlanActivationGrad plans dx = dy * f'(x) over n values. Inputs: dy, x; output:
// dx. Variants: vec4, and runs for software adapters.
func PlanActivationGrad(a spec.Activation, n int, dev Device, force string) (Plan, error) {
	count := ceilDiv(n, 4)
	return choose("activation_grad", force, streaming(dev, "", "one pass", func(f inRuns) Plan {
		return Plan{Steps: []Step{{
			Kernel:   activationGradKernel(a.Func, f),
			Params:   Params{}.U32(count).F32(a.A, a.B),
			Operands: []Operand{In(0), In(1), Out(0)},
			Groups:   f.grid(count, dev),
		}}}
	}))
}

func activationGradKernel(fn spec.Pointwise, f inRuns) *Kernel {
	return intern(f.name("activation_grad_"+fn.String()), func() *Kernel {
		return &Kernel{
			Source:     specialise(activationGradWGSL, swap("derivative", ActivationGradSource("derivative", fn)), f.edit),
			ParamBytes: 12,
			Writes:     []bool{false, false, true},
		}
	})
}

// activationGradKernels enumerates the kernels that PlanActivationGrad can return.
func activationGradKernels() []*Kernel {
	var all []*Kernel
	for _, fn := range spec.Pointwises() {
		for _, f := range bothForms {
			all = append(all, activationGradKernel(fn, f))
		}
	}
	return all
}
