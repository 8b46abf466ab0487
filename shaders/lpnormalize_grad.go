package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed lpnormalize_grad.wgsl
var lpNormalizeGradWGSL string

// lpSlope is the derivative of the norm by an element, for each power.
var lpSlope = [...]string{
	lp1:   "fn slope(v: f32, norm: f32, count: f32) -> f32 { return sign(v); }",
	lp2:   "fn slope(v: f32, norm: f32, count: f32) -> f32 { return v / norm; }",
	lpInf: "fn slope(v: f32, norm: f32, count: f32) -> f32 { return select(0.0, sign(v) / count, abs(v) == norm); }",
	lpAny: `fn slope(v: f32, norm: f32, count: f32) -> f32 {
  return sign(v) * k_exp2((p.p - 1.0) * k_log2(abs(v) / norm));
}`,
}

// PlanLpNormalizeGrad plans the gradient of an Lp normalization. Inputs: dy, x;
// output: dx. Variants: naive (one invocation for a slice), group (one workgroup
// for a slice).
func PlanLpNormalizeGrad(g spec.LpNormalize, dev Device, force string) (Plan, error) {
	const wg = 64
	with := func(threads int) func() (Plan, error) {
		return func() (Plan, error) {
			slices := g.Outer * g.Inner
			return Plan{Steps: []Step{{
				Kernel:   lpNormalizeGradKernel(powerOf(g.P), threads),
				Params:   Params{}.U32(slices, g.N, g.Inner).F32(g.P, g.Eps),
				Operands: []Operand{In(0), In(1), Out(0)},
				Groups:   Grid1D(ceilDiv(slices*threads, wg), dev.MaxGroups),
			}}}, nil
		}
	}
	class := func() string { return alongClass("lp", &g.Along) }
	naive := candidate{name: "naive", why: "an invocation for a slice", plan: with(1)}
	group := candidate{name: "group", why: "a workgroup for a slice", plan: with(wg)}
	naive.not = reason(dev.CPU && 4*g.N+g.N/4 > softwareLoops, "the axis is longer than one invocation's loops may be")
	if dev.CPU || g.N <= 64 || g.Inner >= 64 && g.Outer*g.Inner >= 1<<14 {
		return chooseTuned("lpnormalize_grad", force, dev, class, []candidate{naive, group})
	}
	return chooseTuned("lpnormalize_grad", force, dev, class, []candidate{group, naive})
}

func lpNormalizeGradKernel(power lpPower, threads int) *Kernel {
	name := fmt.Sprintf("lpnormalize_grad_%s_%d", [...]string{"1", "2", "inf", "any"}[power], threads)
	return intern(name, func() *Kernel {
		return &Kernel{
			Source: specialise(lpNormalizeGradWGSL, setU32("THREADS", threads), setBool("SCALED", power == lpAny),
				swap("power", MathSource("k_sqrt", "k_exp2", "k_log2", "k_is_inf")+powerSource[power]+"\n"+lpSlope[power])),
			ParamBytes: 20,
			Writes:     []bool{false, false, true},
		}
	})
}

// lpNormalizeGradKernels enumerates the kernels that PlanLpNormalizeGrad can return.
func lpNormalizeGradKernels() []*Kernel {
	var all []*Kernel
	for _, power := range []lpPower{lp1, lp2, lpInf, lpAny} {
		all = append(all, lpNormalizeGradKernel(power, 1), lpNormalizeGradKernel(power, 64))
	}
	return all
}
