package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed upsample.wgsl
var upsampleNaiveWGSL string

// PlanUpsample plans a resampling. Input: x; output: y. Variants: naive.
func PlanUpsample(g spec.Upsample, dev Device, force string) (Plan, error) {
	return choose("upsample", force, []candidate{
		{name: "naive", why: "serves every case", plan: func() (Plan, error) { return upsampleNaive(g, dev), nil }},
	})
}

func upsampleNaiveKernel(linear bool) *Kernel {
	return intern(fmt.Sprintf("upsample_naive_linear%t", linear), func() *Kernel {
		return &Kernel{
			Source:     specialise(upsampleNaiveWGSL, setBool("LINEAR", linear)),
			ParamBytes: 4 * 19,
			Writes:     []bool{false, true},
		}
	})
}

func upsampleNaive(g spec.Upsample, dev Device) Plan {
	const wg = 64
	total := g.N * g.OutSize()
	p := Params{}.U32(total).U32(g.In[:]...).U32(g.Out[:]...).U32(g.Mul[:]...).I32(g.Add[:]...).U32(g.Den[:]...)
	for i := range g.Mul {
		p = p.F32(float32(float64(g.Mul[i]) / float64(g.Den[i])))
	}
	return Plan{Steps: []Step{{
		Kernel:   upsampleNaiveKernel(g.Mode == spec.Linear),
		Params:   p,
		Operands: []Operand{In(0), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	}}}
}

// upsampleKernels enumerates the kernels that PlanUpsample can return.
func upsampleKernels() []*Kernel {
	return []*Kernel{upsampleNaiveKernel(false), upsampleNaiveKernel(true)}
}
