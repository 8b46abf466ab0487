package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

var (
	//go:embed softmax.wgsl
	softmaxWGSL string
	//go:embed softmax_terms.wgsl
	softmaxTermsWGSL string
	//go:embed softmax_group.wgsl
	softmaxGroupWGSL string
	//go:embed softmax_merge.wgsl
	softmaxMergeWGSL string
	//go:embed softmax_apply.wgsl
	softmaxApplyWGSL string
	//go:embed hardmax.wgsl
	hardmaxWGSL string
)

// PlanSoftmax plans a softmax, log softmax or hardmax. Input: x; output: y.
// Variants: naive (one invocation for a slice), columns and rows (likewise, four
// slices or four elements at once), group (one workgroup for a slice, which it
// keeps in registers), split (several workgroups for a slice, three
// dispatches). Hardmax has naive and group.
func PlanSoftmax(g spec.SoftmaxOf, dev Device, force string) (Plan, error) {
	class := func() string { return alongClass(g.Kind.String(), &g.Along) }
	if g.Kind == spec.Hardmax {
		return planHardmax(g, dev, force)
	}
	long := ""
	if dev.CPU && 3*g.N+g.N/8 > softwareLoops {
		long = "the axis is longer than one invocation's loops may be"
	}
	one := func(kind softmaxLanes) func() (Plan, error) {
		return func() (Plan, error) { return softmaxOne(g, kind, dev), nil }
	}
	naive := candidate{name: "naive", why: "serves every layout", not: long, plan: one(softmaxScalar)}
	columns := candidate{name: "columns", why: "four slices at once", not: long, plan: one(softmaxColumns)}
	rows := candidate{name: "rows", why: "four elements at once", plan: one(softmaxRows)}
	group := candidate{name: "group", why: "a workgroup for a slice", plan: func() (Plan, error) { return softmaxGroup(g, dev), nil }}
	split := candidate{name: "split", why: "several workgroups for a slice", plan: func() (Plan, error) { return softmaxSplit(g, dev), nil }}
	if g.Inner%4 != 0 {
		columns.not = "4 does not divide the inner axes"
	}
	switch {
	case g.Inner != 1 || g.N%4 != 0:
		rows.not = "4 elements of a slice are not together"
	case dev.CPU && 3*g.N/4+g.N/32 > softwareLoops:
		rows.not = long
	}
	if units := g.N / softmaxLoad(g); units > softmaxWG*softmaxPer {
		group.not = fmt.Sprintf("a slice of %d is more than the registers of a workgroup", g.N)
	}
	switch {
	case dev.CPU:
		return chooseTuned("softmax", force, dev, class, []candidate{columns, rows, naive, split, group})
	case g.Inner == 1 && g.N <= 32:
		return chooseTuned("softmax", force, dev, class, []candidate{rows, naive, group, split, columns})
	case g.Inner == 1:
		return chooseTuned("softmax", force, dev, class, []candidate{group, split, rows, naive, columns})
	case g.Outer*g.Inner < 256 && g.N >= 1024:
		return chooseTuned("softmax", force, dev, class, []candidate{split, group, columns, naive, rows})
	}
	return chooseTuned("softmax", force, dev, class, []candidate{columns, naive, group, split, rows})
}

// softmaxLanes says what an invocation loads at once.
type softmaxLanes int

const (
	softmaxScalar  softmaxLanes = iota // a float
	softmaxColumns                     // four slices
	softmaxRows                        // four elements of a slice
)

const (
	softmaxWG  = 256 // the most invocations for a slice
	softmaxPer = 8   // the most loads that each keeps
)

// softmaxLoad is how many elements of a slice a workgroup's invocation loads at once.
func softmaxLoad(g spec.SoftmaxOf) int {
	if g.Inner == 1 && g.N%4 == 0 {
		return 4
	}
	return 1
}

const (
	vec4Softmax = `alias T = vec4<f32>;
fn larger(a: T, b: T) -> T { return select(a, b, b > a); }
fn equal_lanes(v: T, m: T) -> T { return select(T(0.0), T(1.0), v == m); }
fn term_lanes(v: T, m: T) -> T {
  return T(term(v.x, m.x), term(v.y, m.y), term(v.z, m.z), term(v.w, m.w));
}
`
	vec4Result = `fn result_lanes(v: T, m: T, r: T) -> T {
  return T(result(v.x, m.x, r.x), result(v.y, m.y, r.y), result(v.z, m.z, r.z), result(v.w, m.w, r.w));
}
`
	vec4Divisor = `fn divisor_lanes(rest: T, m: T) -> T {
  return T(divisor(rest.x, m.x), divisor(rest.y, m.y), divisor(rest.z, m.z), divisor(rest.w, m.w));
}
`
	softmaxApart = `fn top(v: T) -> T { return v; }
fn whole(v: T) -> T { return v; }`
	softmaxTogether = `fn top(v: T) -> T {
  let a = select(v.x, v.y, v.y > v.x);
  let b = select(v.z, v.w, v.w > v.z);
  return T(select(a, b, b > a));
}
fn whole(v: T) -> T { return T((v.x + v.y) + (v.z + v.w)); }`
	softmaxGroupVec4 = `fn first(v: T) -> f32 { return v.x; }
fn top(v: T) -> f32 {
  let a = select(v.x, v.y, v.y > v.x);
  let b = select(v.z, v.w, v.w > v.z);
  return select(a, b, b > a);
}
fn total(v: T) -> f32 { return (v.x + v.y) + (v.z + v.w); }`
	softmaxSplitOut = `@group(0) @binding(2) var<storage, read_write> part: array<vec4<f32>>;
fn write_part(i: u32, m: f32, sum: f32, count: f32) { part[i] = vec4<f32>(m, sum, count, 0.0); }
fn write(at: u32, v: T) {}
const SPLIT = true;`
)

// softmaxEdits specialise a kernel to softmax or log softmax.
func softmaxEdits(kind spec.SoftmaxKind, more ...edit) []edit {
	terms := MathSource("k_exp", "k_log1p", "k_pin", "k_nan", "k_is_nan", "k_is_inf") + softmaxTermsWGSL
	return append([]edit{setBool("LOG", kind == spec.LogSoftmax), swap("softmax", terms)}, more...)
}

func softmaxOneKernel(kind spec.SoftmaxKind, load softmaxLanes) *Kernel {
	name := fmt.Sprintf("%v_%s", kind, [...]string{"naive", "columns", "rows"}[load])
	return intern(name, func() *Kernel {
		edits := softmaxEdits(kind)
		switch load {
		case softmaxColumns:
			edits = append(edits, swap("lanes", vec4Softmax+vec4Result+vec4Divisor+softmaxApart))
		case softmaxRows:
			edits = append(edits, swap("lanes", vec4Softmax+vec4Result+vec4Divisor+softmaxTogether))
		}
		return &Kernel{Source: specialise(softmaxWGSL, edits...), ParamBytes: 12, Writes: []bool{false, true}}
	})
}

func softmaxOne(g spec.SoftmaxOf, load softmaxLanes, dev Device) Plan {
	const wg = 64
	n, inner := g.N, g.Inner
	switch load {
	case softmaxColumns:
		inner /= 4
	case softmaxRows:
		n /= 4
	}
	return Plan{Steps: []Step{{
		Kernel:   softmaxOneKernel(g.Kind, load),
		Params:   Params{}.U32(g.Outer*inner, n, inner),
		Operands: []Operand{In(0), Out(0)},
		Groups:   Grid1D(ceilDiv(g.Outer*inner, wg), dev.MaxGroups),
	}}}
}

func softmaxGroupKernel(kind spec.SoftmaxKind, load, wg, per int, split bool) *Kernel {
	name := fmt.Sprintf("%v_group_%dx%d_x%d_split%t", kind, wg, per, load, split)
	return intern(name, func() *Kernel {
		edits := softmaxEdits(kind, setU32("WG", wg), setU32("PER", per))
		if load == 4 {
			edits = append(edits, swap("lanes", vec4Softmax+vec4Result+softmaxGroupVec4))
		}
		if split {
			edits = append(edits, swap("out", softmaxSplitOut))
		}
		return &Kernel{Source: specialise(softmaxGroupWGSL, edits...), ParamBytes: 16, Writes: []bool{false, true}}
	})
}

// softmaxTile returns the workgroup for slices of n loads and how many each
// invocation keeps.
func softmaxTile(n int) (wg, per int) {
	wg, per = 32, 1
	for wg < softmaxWG && wg*2 < n {
		wg *= 2
	}
	for wg*per < n {
		per *= 2
	}
	return wg, per
}

// softmaxGroup plans one workgroup for a slice.
func softmaxGroup(g spec.SoftmaxOf, dev Device) Plan {
	load := softmaxLoad(g)
	n := g.N / load
	wg, per := softmaxTile(n)
	slices := g.Outer * g.Inner
	return Plan{Steps: []Step{{
		Kernel:   softmaxGroupKernel(g.Kind, load, wg, per, false),
		Params:   Params{}.U32(slices, 1, n, g.Inner),
		Operands: []Operand{In(0), Out(0)},
		Groups:   Grid1D(slices, dev.MaxGroups),
	}}}
}

// softmaxSplit plans several workgroups for a slice.
func softmaxSplit(g spec.SoftmaxOf, dev Device) Plan {
	load := softmaxLoad(g)
	n, slices := g.N/load, g.Outer*g.Inner
	parts := ceilDiv(n, softmaxWG*softmaxPer)
	const wg, threads = 64, 32
	merge, apply := softmaxMergeKernel(g.Kind), softmaxApplyKernel(g.Kind, load)
	return Plan{
		Steps: []Step{{
			Kernel:   softmaxGroupKernel(g.Kind, load, softmaxWG, softmaxPer, true),
			Params:   Params{}.U32(slices*parts, parts, n, g.Inner),
			Operands: []Operand{In(0), Temp(0)},
			Groups:   Grid1D(slices*parts, dev.MaxGroups),
		}, {
			Kernel:   merge,
			Params:   Params{}.U32(slices, parts),
			Operands: []Operand{Temp(0), Temp(1)},
			Groups:   Grid1D(ceilDiv(slices*threads, wg), dev.MaxGroups),
		}, {
			Kernel:   apply,
			Params:   Params{}.U32(slices*n, n, g.Inner),
			Operands: []Operand{In(0), Temp(1), Out(0)},
			Groups:   Grid1D(ceilDiv(slices*n, wg), dev.MaxGroups),
		}},
		Temps: []int{4 * slices * parts, 2 * slices},
	}
}

func softmaxMergeKernel(kind spec.SoftmaxKind) *Kernel {
	return intern(fmt.Sprintf("%v_merge", kind), func() *Kernel {
		return &Kernel{Source: specialise(softmaxMergeWGSL, softmaxEdits(kind)...), ParamBytes: 8, Writes: []bool{false, true}}
	})
}

func softmaxApplyKernel(kind spec.SoftmaxKind, load int) *Kernel {
	return intern(fmt.Sprintf("%v_apply_x%d", kind, load), func() *Kernel {
		edits := softmaxEdits(kind)
		if load == 4 {
			edits = append(edits, swap("lanes", "alias T = vec4<f32>;\n"+vec4Result))
		}
		return &Kernel{Source: specialise(softmaxApplyWGSL, edits...), ParamBytes: 12, Writes: []bool{false, false, true}}
	})
}

func hardmaxKernel(threads int) *Kernel {
	return intern(fmt.Sprintf("hardmax_%d", threads), func() *Kernel {
		return &Kernel{Source: specialise(hardmaxWGSL, setU32("THREADS", threads)), ParamBytes: 12, Writes: []bool{false, true}}
	})
}

func planHardmax(g spec.SoftmaxOf, dev Device, force string) (Plan, error) {
	const wg = 64
	with := func(threads int) func() (Plan, error) {
		return func() (Plan, error) {
			slices := g.Outer * g.Inner
			return Plan{Steps: []Step{{
				Kernel:   hardmaxKernel(threads),
				Params:   Params{}.U32(slices, g.N, g.Inner),
				Operands: []Operand{In(0), Out(0)},
				Groups:   Grid1D(ceilDiv(slices*threads, wg), dev.MaxGroups),
			}}}, nil
		}
	}
	class := func() string { return alongClass(g.Kind.String(), &g.Along) }
	naive := candidate{name: "naive", why: "an invocation for a slice", plan: with(1)}
	group := candidate{name: "group", why: "a workgroup for a slice", plan: with(wg)}
	if dev.CPU && 2*g.N > softwareLoops {
		naive.not = "the axis is longer than one invocation's loops may be"
	}
	if dev.CPU || g.N <= 64 {
		return chooseTuned("softmax", force, dev, class, []candidate{naive, group})
	}
	return chooseTuned("softmax", force, dev, class, []candidate{group, naive})
}

// softmaxKernels enumerates the kernels that PlanSoftmax can return.
func softmaxKernels() []*Kernel {
	all := []*Kernel{hardmaxKernel(1), hardmaxKernel(64)}
	for _, kind := range []spec.SoftmaxKind{spec.Softmax, spec.LogSoftmax} {
		for _, load := range []softmaxLanes{softmaxScalar, softmaxColumns, softmaxRows} {
			all = append(all, softmaxOneKernel(kind, load))
		}
		for _, load := range []int{1, 4} {
			all = append(all, softmaxApplyKernel(kind, load), softmaxGroupKernel(kind, load, softmaxWG, softmaxPer, true))
			for wg := 32; wg <= softmaxWG; wg *= 2 {
				for _, per := range []int{1, 2} {
					all = append(all, softmaxGroupKernel(kind, load, wg, per, false))
				}
			}
			for per := 4; per <= softmaxPer; per *= 2 {
				all = append(all, softmaxGroupKernel(kind, load, softmaxWG, per, false))
			}
		}
		all = append(all, softmaxMergeKernel(kind))
	}
	return all
}
