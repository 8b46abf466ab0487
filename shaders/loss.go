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
		{name: "vec4", why: "one pass", plan: func() (Plan, error) {
			return lossPlan(g, lossKernel(g.Loss, false, false), dev, []Operand{In(0), In(1), In(2), Out(0)}), nil
		}},
	})
}

// PlanLossGrad plans the gradient of x. Inputs: x, t, dy, which has one value
// where each is false; output: dx.
func PlanLossGrad(g spec.Elementwise, each bool, dev Device, force string) (Plan, error) {
	return choose("loss_grad", force, []candidate{
		{name: "vec4", why: "one pass", plan: func() (Plan, error) {
			return lossPlan(g, lossKernel(g.Loss, true, each), dev, []Operand{In(0), In(1), In(2), Out(0)}), nil
		}},
	})
}

func lossPlan(g spec.Elementwise, k *Kernel, dev Device, operands []Operand) Plan {
	const wg = 64
	count := ceilDiv(g.N, 4)
	return Plan{Steps: []Step{{
		Kernel:   k,
		Params:   Params{}.U32(count).F32(g.Beta, g.Scale()),
		Operands: operands,
		Groups:   Grid1D(ceilDiv(count, wg), dev.MaxGroups),
	}}}
}

const lossUpstreamEach = `@group(0) @binding(3) var<storage, read> dy: array<vec4<f32>>;

fn upstream(i: u32) -> vec4<f32> { return dy[i]; }`

// lossKernel returns the kernel of a loss, or of its gradient with one value of
// dy or one for each element.
func lossKernel(l spec.Loss, grad, each bool) *Kernel {
	return intern(fmt.Sprintf("loss_%v_grad%t_each%t", l, grad, each), func() *Kernel {
		edits := []edit{setU32("KIND", int(l)), setBool("GRAD", grad),
			swap("math", MathSource("k_exp", "k_log1p", "k_sigmoid", "k_sign"))}
		if each {
			edits = append(edits, swap("upstream", lossUpstreamEach))
		}
		return &Kernel{Source: specialise(lossWGSL, edits...), ParamBytes: 12, Writes: []bool{false, false, false, true}}
	})
}

// lossKernels enumerates the kernels of the losses and their gradients.
func lossKernels() []*Kernel {
	var all []*Kernel
	for _, l := range spec.Losses() {
		all = append(all, lossKernel(l, false, false), lossKernel(l, true, false), lossKernel(l, true, true))
	}
	return all
}
