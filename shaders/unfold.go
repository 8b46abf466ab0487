package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed unfold.wgsl
var unfoldWGSL string

// PlanUnfold plans the matrix of a convolution's windows. Input: x; output:
// cols. Variants: naive.
func PlanUnfold(u spec.Unfold, dev Device, force string) (Plan, error) {
	return choose("unfold", force, []candidate{
		{name: "naive", why: "serves every case", plan: func() (Plan, error) {
			const wg = 64
			total := spec.Count(u.OutShape())
			p := Params{}.U32(total, u.C, u.FromN, u.FromP, u.P).U32(u.In[:]...).U32(u.Out[1:]...).U32(u.Kernel[:]...).
				U32(u.Stride[:]...).U32(u.Dilation[:]...).U32(u.PadBegin[:]...)
			return Plan{Steps: []Step{{
				Kernel:   unfoldKernel(u.PadMode),
				Params:   p,
				Operands: []Operand{In(0), Out(0)},
				Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
			}}}, nil
		}},
	})
}

func unfoldKernel(mode spec.PadMode) *Kernel {
	return intern(fmt.Sprintf("unfold_%v", mode), func() *Kernel {
		return &Kernel{
			Source:     specialise(unfoldWGSL, setU32("PAD_MODE", int(mode))),
			ParamBytes: 22 * 4,
			Writes:     []bool{false, true},
		}
	})
}

// unfoldKernels enumerates the kernels that PlanUnfold can return.
func unfoldKernels() []*Kernel {
	var all []*Kernel
	for _, mode := range []spec.PadMode{spec.PadZeros, spec.PadReflect, spec.PadReplicate, spec.PadCircular} {
		all = append(all, unfoldKernel(mode))
	}
	return all
}
