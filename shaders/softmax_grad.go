package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

var (
	//go:embed softmax_grad.wgsl
	softmaxGradWGSL string
	//go:embed softmax_grad_group.wgsl
	softmaxGradGroupWGSL string
	//go:embed softmax_grad_merge.wgsl
	softmaxGradMergeWGSL string
	//go:embed softmax_grad_apply.wgsl
	softmaxGradApplyWGSL string
)

// PlanSoftmaxGrad plans the gradient of a softmax or log softmax. Inputs: dy, y;
// output: dx. Variants: those of PlanSoftmax.
func PlanSoftmaxGrad(g spec.SoftmaxOf, dev Device, force string) (Plan, error) {
	const function = "softmax_grad"
	tooLong := func(n int) string {
		return reason(dev.CPU && 2*n+n/8 > softwareLoops, "the axis is longer than one invocation's loops may be")
	}
	one := func(kind softmaxLanes) func() (Plan, error) {
		return func() (Plan, error) { return softmaxGradOne(g, kind, dev), nil }
	}
	class := func() string { return alongClass(g.Kind.String(), &g.Along) }
	load := softmaxLoad(g)
	naive := candidate{name: "naive", why: "serves every layout", not: tooLong(g.N), plan: one(softmaxScalar)}
	columns := candidate{name: "columns", why: "four slices at once", plan: one(softmaxColumns),
		not: firstOf(reason(g.Inner%4 != 0, "4 does not divide the inner axes"), tooLong(g.N))}
	rows := candidate{name: "rows", why: "four elements at once", plan: one(softmaxRows),
		not: firstOf(reason(load != 4, "4 elements of a slice are not together"), tooLong(g.N/4))}
	group := candidate{name: "group", why: "a workgroup for a slice", plan: func() (Plan, error) { return softmaxGradGroup(g, dev), nil },
		not: reason(g.N/load > softmaxWG*softmaxPer, "a slice is more than the registers of a workgroup")}
	split := candidate{name: "split", why: "several workgroups for a slice", plan: func() (Plan, error) { return softmaxGradSplit(g, dev), nil }}
	switch {
	case dev.CPU:
		return chooseTuned(function, force, dev, class, []candidate{columns, rows, naive, split, group})
	case g.Inner == 1 && g.N <= 32:
		return chooseTuned(function, force, dev, class, []candidate{rows, naive, group, split, columns})
	case g.Inner == 1:
		return chooseTuned(function, force, dev, class, []candidate{group, split, rows, naive, columns})
	case g.Outer*g.Inner < 256 && g.N >= 1024:
		return chooseTuned(function, force, dev, class, []candidate{split, group, columns, naive, rows})
	}
	return chooseTuned(function, force, dev, class, []candidate{columns, naive, group, split, rows})
}

const (
	vec4SoftmaxGrad = `alias T = vec4<f32>;
fn exp_lanes(v: T) -> T { return T(k_exp(v.x), k_exp(v.y), k_exp(v.z), k_exp(v.w)); }
`
	softmaxGradApart    = "fn whole(v: T) -> T { return v; }"
	softmaxGradTogether = "fn whole(v: T) -> T { return T((v.x + v.y) + (v.z + v.w)); }"
	softmaxGradTotal    = "fn total(v: T) -> f32 { return (v.x + v.y) + (v.z + v.w); }"
	softmaxGradSplitOut = `@group(0) @binding(3) var<storage, read_write> part: array<f32>;
fn write_part(i: u32, sum: f32) { part[i] = sum; }
fn write(at: u32, v: T) {}
const SPLIT = true;`
)

// softmaxGradEdits specialise a kernel to softmax or log softmax.
func softmaxGradEdits(kind spec.SoftmaxKind, more ...edit) []edit {
	return append([]edit{setBool("LOG", kind == spec.LogSoftmax), swap("exp", MathSource("k_exp"))}, more...)
}

func softmaxGradOneKernel(kind spec.SoftmaxKind, load softmaxLanes) *Kernel {
	name := fmt.Sprintf("%v_grad_%s", kind, [...]string{"naive", "columns", "rows"}[load])
	return intern(name, func() *Kernel {
		edits := softmaxGradEdits(kind)
		switch load {
		case softmaxColumns:
			edits = append(edits, swap("lanes", vec4SoftmaxGrad+softmaxGradApart))
		case softmaxRows:
			edits = append(edits, swap("lanes", vec4SoftmaxGrad+softmaxGradTogether))
		}
		return &Kernel{Source: specialise(softmaxGradWGSL, edits...), ParamBytes: 12, Writes: []bool{false, false, true}}
	})
}

func softmaxGradOne(g spec.SoftmaxOf, load softmaxLanes, dev Device) Plan {
	const wg = 64
	n, inner := g.N, g.Inner
	switch load {
	case softmaxColumns:
		inner /= 4
	case softmaxRows:
		n /= 4
	}
	return Plan{Steps: []Step{{
		Kernel:   softmaxGradOneKernel(g.Kind, load),
		Params:   Params{}.U32(g.Outer*inner, n, inner),
		Operands: []Operand{In(0), In(1), Out(0)},
		Groups:   Grid1D(ceilDiv(g.Outer*inner, wg), dev.MaxGroups),
	}}}
}

func softmaxGradGroupKernel(kind spec.SoftmaxKind, load, wg, per int, split bool) *Kernel {
	name := fmt.Sprintf("%v_grad_group_%dx%d_x%d_split%t", kind, wg, per, load, split)
	return intern(name, func() *Kernel {
		edits := softmaxGradEdits(kind, setU32("WG", wg), setU32("PER", per))
		if load == 4 {
			edits = append(edits, swap("lanes", vec4SoftmaxGrad+softmaxGradTotal))
		}
		if split {
			edits = append(edits, swap("out", softmaxGradSplitOut))
		}
		return &Kernel{Source: specialise(softmaxGradGroupWGSL, append(edits, unroll)...), ParamBytes: 16, Writes: []bool{false, false, true}}
	})
}

// softmaxGradGroup plans one workgroup for a slice.
func softmaxGradGroup(g spec.SoftmaxOf, dev Device) Plan {
	load := softmaxLoad(g)
	n := g.N / load
	wg, per := softmaxTile(n)
	slices := g.Outer * g.Inner
	return Plan{Steps: []Step{{
		Kernel:   softmaxGradGroupKernel(g.Kind, load, wg, per, false),
		Params:   Params{}.U32(slices, 1, n, g.Inner),
		Operands: []Operand{In(0), In(1), Out(0)},
		Groups:   Grid1D(slices, dev.MaxGroups),
	}}}
}

// softmaxGradSplit plans several workgroups for a slice.
func softmaxGradSplit(g spec.SoftmaxOf, dev Device) Plan {
	const wg = 64
	load := softmaxLoad(g)
	n, slices := g.N/load, g.Outer*g.Inner
	parts := ceilDiv(n, softmaxWG*softmaxPer)
	return Plan{
		Steps: []Step{{
			Kernel:   softmaxGradGroupKernel(g.Kind, load, softmaxWG, softmaxPer, true),
			Params:   Params{}.U32(slices*parts, parts, n, g.Inner),
			Operands: []Operand{In(0), In(1), Temp(0)},
			Groups:   Grid1D(slices*parts, dev.MaxGroups),
		}, {
			Kernel:   softmaxGradMergeKernel(),
			Params:   Params{}.U32(slices, parts),
			Operands: []Operand{Temp(0), Temp(1)},
			Groups:   Grid1D(ceilDiv(slices, wg), dev.MaxGroups),
		}, {
			Kernel:   softmaxGradApplyKernel(g.Kind, load),
			Params:   Params{}.U32(slices*n, n, g.Inner),
			Operands: []Operand{In(0), In(1), Temp(1), Out(0)},
			Groups:   Grid1D(ceilDiv(slices*n, wg), dev.MaxGroups),
		}},
		Temps: []int{slices * parts, slices},
	}
}

func softmaxGradMergeKernel() *Kernel {
	return intern("softmax_grad_merge", func() *Kernel {
		return &Kernel{Source: softmaxGradMergeWGSL, ParamBytes: 8, Writes: []bool{false, true}}
	})
}

func softmaxGradApplyKernel(kind spec.SoftmaxKind, load int) *Kernel {
	return intern(fmt.Sprintf("%v_grad_apply_x%d", kind, load), func() *Kernel {
		edits := softmaxGradEdits(kind)
		if load == 4 {
			edits = append(edits, swap("lanes", vec4SoftmaxGrad))
		}
		return &Kernel{Source: specialise(softmaxGradApplyWGSL, edits...), ParamBytes: 12, Writes: []bool{false, false, false, true}}
	})
}

// softmaxGradKernels enumerates the kernels that PlanSoftmaxGrad can return.
func softmaxGradKernels() []*Kernel {
	all := []*Kernel{softmaxGradMergeKernel()}
	for _, kind := range []spec.SoftmaxKind{spec.Softmax, spec.LogSoftmax} {
		for _, load := range []softmaxLanes{softmaxScalar, softmaxColumns, softmaxRows} {
			all = append(all, softmaxGradOneKernel(kind, load))
		}
		for _, load := range []int{1, 4} {
			all = append(all, softmaxGradApplyKernel(kind, load), softmaxGradGroupKernel(kind, load, softmaxWG, softmaxPer, true))
			for wg := 32; wg <= softmaxWG; wg *= 2 {
				for _, per := range []int{1, 2} {
					all = append(all, softmaxGradGroupKernel(kind, load, wg, per, false))
				}
			}
			for per := 4; per <= softmaxPer; per *= 2 {
				all = append(all, softmaxGradGroupKernel(kind, load, softmaxWG, per, false))
			}
		}
	}
	return all
}
