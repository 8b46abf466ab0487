package shaders

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed concat.wgsl
var concatWGSL string

// PlanConcat plans a concatenation, one dispatch for each input. Inputs: as many
// as g has parts; output: y. Variants: vec4, scalar.
func PlanConcat(g spec.Concat, dev Device, force string) (Plan, error) {
	whole := g.Row%4 == 0
	for _, part := range g.Part {
		whole = whole && part%4 == 0
	}
	not := ""
	if !whole {
		not = fmt.Sprintf("parts %v of a row are no multiples of 4", g.Part)
	}
	return chooseTuned("concat", force, dev, func() string { return concatClass(&g) }, []candidate{
		{name: "vec4", why: "every part of a row is a multiple of 4", not: not, plan: func() (Plan, error) { return concat(g, 4, dev), nil }},
		{name: "scalar", why: "serves every case", plan: func() (Plan, error) { return concat(g, 1, dev), nil }},
	})
}

func concatKernel(width int) *Kernel {
	return intern(fmt.Sprintf("concat_%d", width), func() *Kernel {
		text := concatWGSL
		if width == 4 {
			text = strings.ReplaceAll(text, "array<f32>", "array<vec4<f32>>")
		}
		return &Kernel{Source: text, ParamBytes: 16, Writes: []bool{false, true}}
	})
}

func concat(g spec.Concat, width int, dev Device) Plan {
	const wg = 64
	var plan Plan
	start := 0
	for i, part := range g.Part {
		total := g.Outer * part / width
		plan.Steps = append(plan.Steps, Step{
			Kernel:   concatKernel(width),
			Params:   Params{}.U32(total, part/width, g.Row/width, start/width),
			Operands: []Operand{In(i), Out(0)},
			Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
		})
		start += part
	}
	return plan
}

// concatKernels enumerates the kernels that PlanConcat can return.
func concatKernels() []*Kernel { return []*Kernel{concatKernel(1), concatKernel(4)} }
