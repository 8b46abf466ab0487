package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed binary_grad.wgsl
var binaryGradWGSL string

// binaryGradKinds are the functions that have a kernel of their own, in the order
// of KIND.
var binaryGradKinds = []spec.BinaryFunc{spec.Div, spec.Min, spec.Max, spec.Pow, spec.PReLU}

// PlanBinaryGrad plans the gradients of a function of two tensors. Inputs: dy, a,
// b, and a^(b-1) for Pow; outputs: da, db. Variants: scalar.
func PlanBinaryGrad(g spec.BinaryGrad, dev Device, force string) (Plan, error) {
	return choose("binary_grad", force, []candidate{
		{name: "scalar", why: "one pass", plan: func() (Plan, error) {
			const wg = 64
			k, err := binaryGradKernel(g.Func)
			if err != nil {
				return Plan{}, err
			}
			return Plan{Steps: []Step{{
				Kernel:   k,
				Params:   Params{}.U32(g.N),
				Operands: []Operand{In(0), In(1), In(2), In(3), Out(0), Out(1)},
				Groups:   Grid1D(ceilDiv(g.N, wg), dev.MaxGroups),
			}}}, nil
		}},
	})
}

func binaryGradKernel(f spec.BinaryFunc) (*Kernel, error) {
	for kind, k := range binaryGradKinds {
		if k == f {
			return intern(fmt.Sprintf("binary_grad_%v", f), func() *Kernel {
				return &Kernel{
					Source:     specialise(binaryGradWGSL, setU32("KIND", kind), swap("math", MathSource("k_log"))),
					ParamBytes: 4,
					Writes:     []bool{false, false, false, false, true, true},
				}
			}), nil
		}
	}
	return nil, &spec.Error{Kind: spec.ErrUnsupported, Message: fmt.Sprintf("%v has no kernel for its gradients", f)}
}

// binaryGradKernels enumerates the kernels that PlanBinaryGrad can return.
func binaryGradKernels() []*Kernel {
	var all []*Kernel
	for _, f := range binaryGradKinds {
		k, _ := binaryGradKernel(f)
		all = append(all, k)
	}
	return all
}
