package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed loss.wgsl
var lossWGSL string

// PlanLoss plans the loss of every element. Inputs: x, t; output: y.
func PlanLoss(g spec.Elementwise, dev Device, force string) (Plan, error) {
	return choose("loss", force, []candidate{
		{name: "scalar", why: "one pass", plan: func() (Plan, error) {
			return lossPlan(g, 0, false, dev, []Operand{In(0), In(1), In(2), Out(0)}), nil
		}},
	})
}

// PlanLossGrad plans the gradient of x. Inputs: x, t, dy, which has one value
// where each is false; output: dx.
func PlanLossGrad(g spec.Elementwise, each bool, dev Device, force string) (Plan, error) {
	stride := 0
	if each {
		stride = 1
	}
	return choose("loss_grad", force, []candidate{
		{name: "scalar", why: "one pass", plan: func() (Plan, error) {
			return lossPlan(g, stride, true, dev, []Operand{In(0), In(1), In(2), Out(0)}), nil
		}},
	})
}

func lossPlan(g spec.Elementwise, stride int, grad bool, dev Device, operands []Operand) Plan {
	const wg = 64
	return Plan{Steps: []Step{{
		Kernel:   lossKernel(g.Loss, grad),
		Params:   Params{}.U32(g.N, stride).F32(g.Beta, g.Scale()),
		Operands: operands,
		Groups:   Grid1D(ceilDiv(g.N, wg), dev.MaxGroups),
	}}}
}

func lossKernel(l spec.Loss, grad bool) *Kernel {
	return intern(fmt.Sprintf("loss_%v_grad%t", l, grad), func() *Kernel {
		return &Kernel{
			Source: specialise(lossWGSL, setU32("KIND", int(l)), setBool("GRAD", grad),
				swap("math", MathSource("k_exp", "k_log1p", "k_sigmoid", "k_sign"))),
			ParamBytes: 16,
			Writes:     []bool{false, false, false, true},
		}
	})
}

// lossKernels enumerates the kernels of the losses and their gradients.
func lossKernels() []*Kernel {
	var all []*Kernel
	for _, l := range spec.Losses() {
		all = append(all, lossKernel(l, false), lossKernel(l, true))
	}
	return all
}
