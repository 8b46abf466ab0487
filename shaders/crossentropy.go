package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed crossentropy.wgsl
var crossEntropyWGSL string

//go:embed crossentropy_weights.wgsl
var crossEntropyWeightsWGSL string

// PlanCrossEntropy plans the loss of every sample. Inputs: logits, labels, class
// weights (absent where g.Weighted is false); outputs: loss, weight.
func PlanCrossEntropy(g spec.CrossEntropy, dev Device, force string) (Plan, error) {
	return choose("crossentropy", force, []candidate{
		{name: "row", why: "one invocation for a sample", plan: func() (Plan, error) {
			return crossEntropyPlan(g, 0, false, dev), nil
		}},
	})
}

// PlanCrossEntropyGrad plans the gradient of the logits. Inputs: logits, labels,
// class weights, dy, which has one value where each is false; output: dx.
func PlanCrossEntropyGrad(g spec.CrossEntropy, each bool, dev Device, force string) (Plan, error) {
	stride := 0
	if each {
		stride = 1
	}
	return choose("crossentropy_grad", force, []candidate{
		{name: "row", why: "one invocation for a sample", plan: func() (Plan, error) {
			return crossEntropyPlan(g, stride, true, dev), nil
		}},
	})
}

// PlanCrossEntropyWeights plans the weights of the samples. Inputs: labels, class
// weights (absent where g.Weighted is false); output: weight.
func PlanCrossEntropyWeights(g spec.CrossEntropy, dev Device, force string) (Plan, error) {
	return choose("crossentropy_weights", force, []candidate{
		{name: "sample", why: "one invocation for a sample", plan: func() (Plan, error) {
			return Plan{Steps: []Step{{
				Kernel:   crossEntropyWeightsKernel(g.Weighted),
				Params:   Params{}.U32(g.Samples(), g.C, int(uint32(g.Ignore))),
				Operands: []Operand{In(0), In(1), Out(0)},
				Groups:   Grid1D(ceilDiv(g.Samples(), 64), dev.MaxGroups),
			}}}, nil
		}},
	})
}

func crossEntropyWeightsKernel(weighted bool) *Kernel {
	return intern(fmt.Sprintf("crossentropy_weights_weighted%t", weighted), func() *Kernel {
		return &Kernel{Source: specialise(crossEntropyWeightsWGSL, setBool("WEIGHTED", weighted)),
			ParamBytes: 12, Writes: []bool{false, false, true}}
	})
}

func crossEntropyPlan(g spec.CrossEntropy, stride int, grad bool, dev Device) Plan {
	const wg = 64
	operands := []Operand{In(0), In(1), In(2), In(3), Out(0)}
	if !grad {
		operands = append(operands, Out(1))
	}
	return Plan{Steps: []Step{{
		Kernel:   crossEntropyKernel(grad, g.Weighted),
		Params:   Params{}.U32(g.Samples(), g.C, g.Inner, stride, int(uint32(g.Ignore))).F32(g.Smoothing),
		Operands: operands,
		Groups:   Grid1D(ceilDiv(g.Samples(), wg), dev.MaxGroups),
	}}}
}

func crossEntropyKernel(grad, weighted bool) *Kernel {
	return intern(fmt.Sprintf("crossentropy_grad%t_weighted%t", grad, weighted), func() *Kernel {
		k := &Kernel{
			Source: specialise(crossEntropyWGSL, setBool("GRAD", grad), setBool("WEIGHTED", weighted),
				swap("math", MathSource("k_exp", "k_log", "k_nan", "k_is_nan"))),
			ParamBytes: 24,
			Writes:     []bool{false, false, false, false, true, true},
		}
		if grad { // the weights of the samples are not written, nor bound
			k.Source = specialise(k.Source, swap("weight binding", ""), swap("weight", ""))
			k.Writes = k.Writes[:5]
		}
		return k
	})
}

// crossEntropyKernels enumerates the kernels of the cross-entropy.
func crossEntropyKernels() []*Kernel {
	all := []*Kernel{crossEntropyWeightsKernel(false), crossEntropyWeightsKernel(true)}
	for _, grad := range []bool{false, true} {
		for _, weighted := range []bool{false, true} {
			all = append(all, crossEntropyKernel(grad, weighted))
		}
	}
	return all
}
