package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed convtranspose.wgsl
var convTransposeNaiveWGSL string

type convTransposeKey struct {
	g     spec.ConvTranspose
	dev   Device
	force string
}

var convTransposePlans planCache[convTransposeKey]

// PlanConvTranspose plans a transposed convolution. Inputs: x, w, b (absent
// where g.Bias is false); output: y. Variants, with a tile each:
//
//   - gemm128x128 and so on: a matrix product through workgroup memory, then a
//     gather of what falls on each output
//   - gemm16x16 and so on: the same with a register tile, for software adapters
//   - phases16x16 and so on: a convolution for each phase of the strides, by a
//     register tile, for software adapters
//   - depthwise: a tile in registers for one output channel per group, for software
//     adapters
//   - flip: for stride 1, a convolution of the flipped weights by its best kernel
//   - naive: the definition
//
// The choice is the least time by the model of convTransposeCandidates.
func PlanConvTranspose(g spec.ConvTranspose, dev Device, force string) (Plan, error) {
	return convTransposePlans.get(convTransposeKey{g, dev, force}, func() (Plan, error) {
		return chooseTuned("convtranspose", force, dev, func() string { return convTransposeClass(&g) }, convTransposeCandidates(g, dev))
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

// convTransposeKernels enumerates the kernels that PlanConvTranspose can return,
// but for those of the matrix product, which are among convKernels.
func convTransposeKernels() []*Kernel {
	all := []*Kernel{convTransposeNaiveKernel(spec.Identity, false), convFlipKernel()}
	all = append(all, convTransposePhasesKernels()...)
	all = append(all, transposedDepthwiseKernels()...)
	for _, fn := range spec.Pointwises() {
		all = append(all, convTransposeNaiveKernel(fn, true))
		for _, run := range []int{1, 8} {
			all = append(all, convTransposeGatherKernel(run, fn))
		}
	}
	return all
}
