package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

var (
	//go:embed lrn.wgsl
	lrnWGSL string
	//go:embed lrn_power.wgsl
	lrnPowerWGSL string
)

const vec4LRN = `alias T = vec4<f32>;
fn result_lanes(v: T, base: T) -> T {
  return T(result(v.x, base.x), result(v.y, base.y), result(v.z, base.z), result(v.w, base.w));
}`

// PlanLRN plans a local response normalization. Input: x; output: y. Variants:
// vec4 (four positions at once, where 4 divides their number), naive.
func PlanLRN(g spec.LRN, dev Device, force string) (Plan, error) {
	const wg = 64
	with := func(lanes int) func() (Plan, error) {
		return func() (Plan, error) {
			inner := g.Inner / lanes
			total := g.Outer * g.N * inner
			return Plan{Steps: []Step{{
				Kernel: lrnKernel(g.Act.Func, lanes),
				Params: Params{}.U32(total, g.N, inner, g.Before, g.After).
					F32(float32(float64(g.Alpha)/float64(g.Size)), g.Beta, g.K, g.Act.A, g.Act.B),
				Operands: []Operand{In(0), Out(0)},
				Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
			}}}, nil
		}
	}
	vec4 := candidate{name: "vec4", why: "four positions at once", plan: with(4)}
	naive := candidate{name: "naive", why: "serves every layout", plan: with(1)}
	if g.Inner%4 != 0 {
		vec4.not = "4 does not divide the positions"
	}
	return chooseTuned("lrn", force, dev, func() string { return lrnClass(&g) }, []candidate{vec4, naive})
}

func lrnKernel(fn spec.Pointwise, lanes int) *Kernel {
	return intern(fmt.Sprintf("lrn_x%d_%v", lanes, fn), func() *Kernel {
		edits := []edit{
			swap("power", lrnPowerWGSL),
			swap("activate", ActivationSource("activate", spec.Activation{Func: fn},
				"k_log_parts", "k_log1p_tail", "K_LOG2E", "K_LOG2E_LO", "k_pin", "k_head", "k_exp2", "k_scale", "k_inf", "k_nan", "k_is_zero", "k_is_nan")),
		}
		if lanes == 4 {
			edits = append(edits, swap("lanes", vec4LRN))
		}
		return &Kernel{Source: specialise(lrnWGSL, edits...), ParamBytes: 40, Writes: []bool{false, true}}
	})
}

// lrnKernels enumerates the kernels that PlanLRN can return.
func lrnKernels() []*Kernel {
	all := []*Kernel{lrnKernel(spec.Identity, 1)}
	for _, fn := range spec.Pointwises() {
		all = append(all, lrnKernel(fn, 4))
	}
	return all
}
