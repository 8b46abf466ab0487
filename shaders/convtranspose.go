package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed convtranspose.wgsl
var convTransposeNaiveWGSL string

// PlanConvTranspose plans a transposed convolution. Inputs: x, w, b (absent
// where g.Bias is false); output: y. Variants: naive.
func PlanConvTranspose(g spec.ConvTranspose, dev Device, force string) (Plan, error) {
	return choose("convtranspose", force, []candidate{
		{name: "naive", why: "serves every case", plan: func() (Plan, error) { return convTransposeNaive(g, dev), nil }},
	})
}

func convTransposeNaiveKernel(fn spec.Pointwise, bias bool) *Kernel {
	return intern(fmt.Sprintf("convtranspose_naive_bias%t_%v", bias, fn), func() *Kernel {
		return &Kernel{
			Source: specialise(convTransposeNaiveWGSL, setBool("BIAS", bias),
				swap("activate", ActivationSource("activate", spec.Activation{Func: fn}))),
			ParamBytes: 25 * 4,
			Writes:     []bool{false, false, false, true},
		}
	})
}

func convTransposeNaive(g spec.ConvTranspose, dev Device) Plan {
	const wg = 64
	total := g.N * g.K * g.OutSize()
	p := Params{}.U32(total, g.K, g.KG(), g.CG(), g.C).U32(g.In[:]...).U32(g.Out[:]...).U32(g.Kernel[:]...).
		U32(g.Stride[:]...).U32(g.Dilation[:]...).U32(g.PadBegin[:]...).F32(g.Act.A, g.Act.B)
	return Plan{Steps: []Step{{
		Kernel:   convTransposeNaiveKernel(g.Act.Func, g.Bias),
		Params:   p,
		Operands: []Operand{In(0), In(1), In(2), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	}}}
}

// convTransposeKernels enumerates the kernels that PlanConvTranspose can return.
func convTransposeKernels() []*Kernel {
	all := []*Kernel{convTransposeNaiveKernel(spec.Identity, false)}
	for _, fn := range spec.Pointwises() {
		all = append(all, convTransposeNaiveKernel(fn, true))
	}
	return all
}
