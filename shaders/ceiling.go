package shaders

import (
	_ "embed"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed ceiling.wgsl
var ceilingWGSL string

// ceilingChains is CHAINS of ceiling.wgsl.
const ceilingChains = 16

// PlanMultiplyAdd plans the measurement of the multiply-add ceiling: each of
// count invocations does rounds*64 multiply-adds and writes one vec4.
// No input; output: y of 4*count values, each 120 + 16*rounds*c for m = 1.
// It also returns the operations done, two for each multiply-add.
func PlanMultiplyAdd(count, rounds int, m, c float32, dev Device) (Plan, float64) {
	const wg = 64
	k := intern("ceiling_multiply_add", func() *Kernel {
		return &Kernel{Source: ceilingWGSL, ParamBytes: 16, Writes: []bool{true}}
	})
	return Plan{
		Function: "ceiling", Variant: "multiply_add",
		Steps: []Step{{
			Kernel:   k,
			Params:   Params{}.U32(count, rounds).F32(m, c),
			Operands: []Operand{Out(0)},
			Groups:   Grid1D(ceilDiv(count, wg), dev.MaxGroups),
		}},
	}, 2 * 4 * ceilingChains * float64(count) * float64(rounds)
}

// PlanCopy plans the measurement of the copy ceiling: y = x over n values, one
// read and one write of each. It is the identity of the pointwise functions.
func PlanCopy(n int, dev Device) Plan {
	p, _ := PlanActivation(spec.Activation{}, n, dev, "")
	p.Function, p.Variant = "ceiling", "copy"
	return p
}

func ceilingKernels() []*Kernel {
	p, _ := PlanMultiplyAdd(1, 1, 1, 1, Baseline)
	return []*Kernel{p.Steps[0].Kernel}
}
