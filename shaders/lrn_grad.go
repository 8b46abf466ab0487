package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed lrn_grad.wgsl
var lrnGradWGSL string

const (
	vec4LRNGrad = `alias T = vec4<f32>;
fn power(base: f32) -> f32 { return divide_power(1.0, base, p.beta); }
fn power_lanes(base: T) -> T { return T(power(base.x), power(base.y), power(base.z), power(base.w)); }`
	finishLRNGrad = `@group(0) @binding(3) var<storage, read> t: array<T>;
@group(0) @binding(4) var<storage, read_write> dx: array<T>;
fn term(at: u32) -> T { return t[at]; }
fn finish(at: u32, sum: T) { dx[at] = fma(dy[at], dx[at], -(p.factor * x[at]) * sum); }`
)

// PlanLRNGrad plans the gradient of a local response normalization. Inputs: dy,
// x; output: dx. Variants: vec4 (four positions at once, where 4 divides their
// number), naive.
func PlanLRNGrad(g spec.LRN, dev Device, force string) (Plan, error) {
	const wg = 64
	with := func(lanes int) func() (Plan, error) {
		return func() (Plan, error) {
			inner := g.Inner / lanes
			total := g.Outer * g.N * inner
			alpha := float64(g.Alpha) / float64(g.Size)
			scale := lrnGradScale(&g, alpha)
			step := func(finish bool, before, after int) Step {
				return Step{
					Kernel: lrnGradKernel(lanes, finish),
					Params: Params{}.U32(total, g.N, inner, before, after).
						F32(float32(alpha), g.Beta, g.K, float32(2*alpha*float64(g.Beta)/scale), float32(scale)),
					Operands: []Operand{In(0), In(1), Temp(0), Out(0)},
					Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
				}
			}
			return Plan{
				Steps: []Step{step(false, g.Before, g.After), step(true, g.After, g.Before)},
				Temps: []int{total * lanes},
			}, nil
		}
	}
	vec4 := candidate{name: "vec4", why: "four positions at once", plan: with(4)}
	naive := candidate{name: "naive", why: "serves every layout", plan: with(1)}
	if g.Inner%4 != 0 {
		vec4.not = "4 does not divide the positions"
	}
	return chooseTuned("lrn_grad", force, dev, func() string { return lrnClass(&g) }, []candidate{vec4, naive})
}

// lrnGradScale returns what t is scaled by: up to its largest values, dy times
// k^-beta times |x|/base <= 1/(2 sqrt(k alpha)), there must be room above.
func lrnGradScale(g *spec.LRN, alpha float64) float64 {
	if k := float64(g.K); g.Beta >= 0 && k >= 0x1p-10 && k*alpha >= 0x1p-22 {
		return 0x1p40
	}
	return 1
}

func lrnGradKernel(lanes int, finish bool) *Kernel {
	return intern(fmt.Sprintf("lrn_grad_x%d_finish%t", lanes, finish), func() *Kernel {
		edits := []edit{swap("power", MathSource("k_log_parts", "k_log1p_tail", "K_LOG2E", "K_LOG2E_LO", "k_pin", "k_head", "k_exp2", "k_scale", "k_inf", "k_nan", "k_is_zero", "k_is_nan")+lrnPowerWGSL)}
		if lanes == 4 {
			edits = append(edits, swap("lanes", vec4LRNGrad))
		}
		if finish {
			edits = append(edits, swap("stage", finishLRNGrad))
		}
		return &Kernel{Source: specialise(lrnGradWGSL, edits...), ParamBytes: 40, Writes: []bool{false, false, !finish, true}}
	})
}

// lrnGradKernels enumerates the kernels that PlanLRNGrad can return.
func lrnGradKernels() []*Kernel {
	var all []*Kernel
	for _, lanes := range []int{1, 4} {
		all = append(all, lrnGradKernel(lanes, false), lrnGradKernel(lanes, true))
	}
	return all
}
