package shaders

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed conv.wgsl
var convNaiveWGSL string

type convKey struct {
	g     spec.Conv
	dev   Device
	force string
}

var convPlans planCache[convKey]

// PlanConv plans a convolution. Inputs: x, w, b (absent where g.Bias is false);
// output: y. Variants, with a tile each:
//
//   - tile128x128 and so on: an implicit matrix product through workgroup memory
//   - split64x64 and so on: the same, with the sums of an output split among
//     workgroups, where there are few outputs
//   - winograd4 and winograd2: 3x3 with stride 1 in fewer multiplications
//   - depthwise: one input channel per group
//   - register16x16 and so on, and depthwise_row: for software adapters
//   - gather8x8: a register tile without constants of the shape
//   - naive: the definition
//
// The choice is the least time by the model of convCandidates.
func PlanConv(g spec.Conv, dev Device, force string) (Plan, error) {
	return convPlans.get(convKey{g, dev, force}, func() (Plan, error) {
		return chooseTuned("conv", force, dev, func() string { return convClass(&g) }, convCandidates(g, dev))
	})
}

func convNaiveKernel(fn spec.Pointwise, mode spec.PadMode, bias bool) *Kernel {
	name := fmt.Sprintf("conv_naive_%v_bias%t_%v", mode, bias, fn)
	return intern(name, func() *Kernel {
		return &Kernel{
			Source: specialise(convNaiveWGSL, setBool("BIAS", bias), setU32("PAD_MODE", int(mode)),
				swap("activate", ActivationSource("activate", spec.Activation{Func: fn}))),
			ParamBytes: 25 * 4,
			Writes:     []bool{false, false, false, true},
		}
	})
}

func convNaive(g spec.Conv, dev Device) Plan {
	const wg = 64
	total := g.N * g.K * g.OutSize()
	p := Params{}.U32(total, g.K, g.KG(), g.CG(), g.C).U32(g.In[:]...).U32(g.Out[:]...).U32(g.Kernel[:]...).
		U32(g.Stride[:]...).U32(g.Dilation[:]...).U32(g.PadBegin[:]...).F32(g.Act.A, g.Act.B)
	return Plan{Steps: []Step{{
		Kernel:   convNaiveKernel(g.Act.Func, g.PadMode, g.Bias),
		Params:   p,
		Operands: []Operand{In(0), In(1), In(2), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	}}}
}

// convKernels enumerates the kernels that PlanConv can return.
func convKernels() []*Kernel {
	var all []*Kernel
	for _, mode := range padModes {
		for _, bias := range []bool{false, true} {
			all = append(all, convNaiveKernel(spec.Identity, mode, bias))
		}
	}
	for _, fn := range spec.Pointwises() {
		all = append(all, convNaiveKernel(fn, spec.PadZeros, true))
	}
	return slices.Concat(all, convStepKernels(), convTileKernels(), convWinogradKernels(), convDepthwiseKernels(), convRegisterKernels())
}
