package shaders

import (
	_ "embed"
	"fmt"
	"math"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed lpnormalize.wgsl
var lpNormalizeWGSL string

// lpPower is how the norm is computed: by the exponents that need no power, or
// any other.
type lpPower int

const (
	lp1 lpPower = iota
	lp2
	lpInf
	lpAny
)

// powerSource is the text of each. A sum of powers is taken of x over the
// largest magnitude, so that it does not overflow.
var powerSource = [...]string{
	lp1: `fn term(v: f32, most: f32) -> f32 { return abs(v); }
fn add(a: f32, b: f32) -> f32 { return a + b; }
fn root(sum: f32, most: f32) -> f32 { return sum; }`,
	lp2: `fn term(v: f32, most: f32) -> f32 { return v * v; }
fn add(a: f32, b: f32) -> f32 { return a + b; }
fn root(sum: f32, most: f32) -> f32 { return k_sqrt(sum); }`,
	lpInf: `fn term(v: f32, most: f32) -> f32 { return abs(v); }
fn add(a: f32, b: f32) -> f32 { return larger(a, b); }
fn root(sum: f32, most: f32) -> f32 { return sum; }`,
	lpAny: `fn term(v: f32, most: f32) -> f32 { return k_exp2(p.p * k_log2(abs(v) / most)); }
fn add(a: f32, b: f32) -> f32 { return a + b; }
fn root(sum: f32, most: f32) -> f32 {
  return select(most * k_exp2(k_log2(sum) / p.p), most, k_is_inf(most));
}`,
}

func powerOf(p float32) lpPower {
	switch {
	case p == 1:
		return lp1
	case p == 2:
		return lp2
	case math.IsInf(float64(p), 1):
		return lpInf
	}
	return lpAny
}

// PlanLpNormalize plans an Lp normalization. Input: x; output: y. Variants:
// naive (one invocation for a slice), group (one workgroup for a slice).
func PlanLpNormalize(g spec.LpNormalize, dev Device, force string) (Plan, error) {
	const wg = 64
	with := func(threads int) func() (Plan, error) {
		return func() (Plan, error) {
			slices := g.Outer * g.Inner
			return Plan{Steps: []Step{{
				Kernel:   lpNormalizeKernel(powerOf(g.P), threads, g.Act.Func),
				Params:   Params{}.U32(slices, g.N, g.Inner).F32(g.P, g.Eps, g.Act.A, g.Act.B),
				Operands: []Operand{In(0), Out(0)},
				Groups:   Grid1D(ceilDiv(slices*threads, wg), dev.MaxGroups),
			}}}, nil
		}
	}
	class := func() string { return alongClass("lp", &g.Along) }
	naive := candidate{name: "naive", why: "an invocation for a slice", plan: with(1)}
	group := candidate{name: "group", why: "a workgroup for a slice", plan: with(wg)}
	if dev.CPU && 3*g.N+g.N/8 > softwareLoops {
		naive.not = "the axis is longer than one invocation's loops may be"
	}
	if dev.CPU || g.N <= 64 || g.Inner >= 64 && g.Outer*g.Inner >= 1<<14 {
		return chooseTuned("lpnormalize", force, dev, class, []candidate{naive, group})
	}
	return chooseTuned("lpnormalize", force, dev, class, []candidate{group, naive})
}

func lpNormalizeKernel(power lpPower, threads int, fn spec.Pointwise) *Kernel {
	name := fmt.Sprintf("lpnormalize_%s_%d_%v", [...]string{"1", "2", "inf", "any"}[power], threads, fn)
	return intern(name, func() *Kernel {
		return &Kernel{
			Source: specialise(lpNormalizeWGSL, setU32("THREADS", threads), setBool("SCALED", power == lpAny),
				swap("power", powerSource[power]),
				swap("activate", ActivationSource("activate", spec.Activation{Func: fn}, "k_sqrt", "k_exp2", "k_log2", "k_is_inf"))),
			ParamBytes: 28,
			Writes:     []bool{false, true},
		}
	})
}

// lpNormalizeKernels enumerates the kernels that PlanLpNormalize can return.
func lpNormalizeKernels() []*Kernel {
	var all []*Kernel
	for _, power := range []lpPower{lp1, lp2, lpInf, lpAny} {
		all = append(all, lpNormalizeKernel(power, 1, spec.Identity), lpNormalizeKernel(power, 64, spec.Identity))
	}
	for _, fn := range spec.Pointwises() {
		all = append(all, lpNormalizeKernel(lp2, 1, fn))
	}
	return all
}
