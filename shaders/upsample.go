package shaders

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed upsample.wgsl
var upsampleWGSL string

// PlanUpsample plans a resampling. Input: x; output: y. Variants: vec4, naive.
func PlanUpsample(g spec.Upsample, dev Device, force string) (Plan, error) {
	not := ""
	if row := g.Out[2]; row%4 != 0 {
		not = fmt.Sprintf("rows of %d are no multiple of 4", row)
	}
	return chooseTuned("upsample", force, dev, func() string { return upsampleClass(&g) }, []candidate{
		{name: "vec4", why: "four neighbours at a time", not: not, plan: func() (Plan, error) { return upsample(g, 4, dev), nil }},
		{name: "naive", why: "serves every case", plan: func() (Plan, error) { return upsample(g, 1, dev), nil }},
	})
}

// upsampleKernel returns the kernel for this many interpolated axes, counted from
// the last: none for nearest, two, or three.
func upsampleKernel(linear, width int) *Kernel {
	return intern(fmt.Sprintf("upsample%d_linear%d", width, linear), func() *Kernel {
		edits := []edit{setBool("LINEAR", linear > 0), setBool("DEEP", linear > 2)}
		if width == 4 {
			edits = append(edits, setU32("WIDTH", 4),
				swap("store", "  y[i] = vec4<f32>(value(base, d, h, ow), value(base, d, h, ow + 1u), value(base, d, h, ow + 2u), value(base, d, h, ow + 3u));"),
				func(text string) string { return strings.Replace(text, "y: array<f32>", "y: array<vec4<f32>>", 1) })
		}
		return &Kernel{
			Source:     specialise(upsampleWGSL, edits...),
			ParamBytes: 4 * 19,
			Writes:     []bool{false, true},
		}
	})
}

func upsample(g spec.Upsample, width int, dev Device) Plan {
	const wg = 64
	total := g.N * g.OutSize() / width
	p := Params{}.U32(total).U32(g.In[:]...).U32(g.Out[:]...).U32(g.Mul[:]...).I32(g.Add[:]...).U32(g.Den[:]...)
	for i := range g.Mul {
		p = p.F32(float32(float64(g.Mul[i]) / float64(g.Den[i])))
	}
	linear := 0
	if g.Mode == spec.Linear {
		linear = max(2, g.Rank)
	}
	return Plan{Steps: []Step{{
		Kernel:   upsampleKernel(linear, width),
		Params:   p,
		Operands: []Operand{In(0), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	}}}
}

// upsampleKernels enumerates the kernels that PlanUpsample can return.
func upsampleKernels() []*Kernel {
	var all []*Kernel
	for _, linear := range []int{0, 2, 3} {
		all = append(all, upsampleKernel(linear, 1), upsampleKernel(linear, 4))
	}
	return all
}
