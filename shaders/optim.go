package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed optim.wgsl
var optimWGSL string

// PlanSGD plans one step of stochastic gradient descent over n values. Inputs:
// p, grad, scale (absent where scaled is false), m (absent without momentum);
// outputs: p', and m' with momentum.
func PlanSGD(o spec.SGDParams, n int, scaled bool, dev Device, force string) (Plan, error) {
	return choose("sgd", force, []candidate{
		{name: "vec4", why: "one pass", plan: func() (Plan, error) {
			operands := []Operand{In(0), In(1), In(2), Out(0)}
			if o.Momentum != 0 {
				operands = []Operand{In(0), In(1), In(2), In(3), Out(0), Out(1)}
			}
			params := Params{}.U32(ceilDiv(n, 4)).F32(float32(o.LR), float32(o.WeightDecay), float32(o.Momentum), float32(1-o.Dampening), 0, 0, 1, 0)
			return optimPlan(sgdKernel(o.Momentum != 0, o.First, o.Nesterov, scaled), params, operands, n, dev), nil
		}},
	})
}

// PlanAdam plans one step of Adam or AdamW over n values. Inputs: p, grad, scale
// (absent where scaled is false), m, v; outputs: p', m', v'.
func PlanAdam(o spec.AdamParams, n int, scaled bool, dev Device, force string) (Plan, error) {
	return choose("adam", force, []candidate{
		{name: "vec4", why: "one pass", plan: func() (Plan, error) {
			decay := float32(o.WeightDecay)
			if o.Decoupled {
				decay = float32(o.LR * o.WeightDecay)
			}
			params := Params{}.U32(ceilDiv(n, 4)).F32(float32(o.StepSize()), decay, float32(o.Beta1), float32(1-o.Beta1),
				float32(o.Beta2), float32(1-o.Beta2), float32(o.RootBias()), float32(o.Eps))
			operands := []Operand{In(0), In(1), In(2), In(3), In(4), Out(0), Out(1), Out(2)}
			return optimPlan(adamKernel(o.Decoupled, scaled), params, operands, n, dev), nil
		}},
	})
}

func optimPlan(k *Kernel, p Params, operands []Operand, n int, dev Device) Plan {
	const wg = 64
	return Plan{Steps: []Step{{Kernel: k, Params: p, Operands: operands, Groups: Grid1D(ceilDiv(ceilDiv(n, 4), wg), dev.MaxGroups)}}}
}

const optimParamBytes = 36

func adamKernel(decoupled, scaled bool) *Kernel {
	return intern(fmt.Sprintf("adam_decoupled%t_scaled%t", decoupled, scaled), func() *Kernel {
		return &Kernel{
			Source: specialise(optimWGSL, setBool("DECOUPLED", decoupled), setBool("SCALED", scaled),
				swap("math", MathSource("k_sqrt"))),
			ParamBytes: optimParamBytes,
			Writes:     []bool{false, false, false, false, false, true, true, true},
		}
	})
}

// The parts of optim.wgsl that SGD has in place of Adam's.
const (
	sgdPlainState = `@group(0) @binding(4) var<storage, read_write> new_param: array<vec4<f32>>;`
	sgdPlainStep  = `  new_param[i] = p - k.lr * g;`

	sgdMomentumState = `@group(0) @binding(4) var<storage, read> m: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> new_param: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> new_m: array<vec4<f32>>;`
	sgdMomentumStep = `  var v = g;
  if (!FIRST) { v = k.a * m[i] + k.b * g; }
  new_m[i] = v;
  if (NESTEROV) { v = g + k.a * v; }
  new_param[i] = p - k.lr * v;`
)

func sgdKernel(momentum, first, nesterov, scaled bool) *Kernel {
	return intern(fmt.Sprintf("sgd_momentum%t_first%t_nesterov%t_scaled%t", momentum, first, nesterov, scaled), func() *Kernel {
		state, step, writes := sgdPlainState, sgdPlainStep, []bool{false, false, false, true}
		if momentum {
			state, step, writes = sgdMomentumState, sgdMomentumStep, []bool{false, false, false, false, true, true}
		}
		return &Kernel{
			Source: specialise(optimWGSL, swap("state", state), swap("step", step), swap("math", ""),
				setBool("FIRST", first), setBool("NESTEROV", nesterov), setBool("SCALED", scaled)),
			ParamBytes: optimParamBytes,
			Writes:     writes,
		}
	})
}

// optimKernels enumerates the kernels of the optimisers.
func optimKernels() []*Kernel {
	var all []*Kernel
	for _, scaled := range []bool{false, true} {
		all = append(all, adamKernel(false, scaled), adamKernel(true, scaled), sgdKernel(false, false, false, scaled))
		for _, first := range []bool{false, true} {
			all = append(all, sgdKernel(true, first, false, scaled), sgdKernel(true, first, true, scaled))
		}
	}
	return all
}
