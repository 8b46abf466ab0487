package shaders

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed reduce.wgsl
var reduceNaiveWGSL string

//go:embed reduce_group.wgsl
var reduceGroupWGSL string

// reduceGroup is how many invocations share one output.
const reduceGroup = 128

// PlanReduce plans a reduction over axes. Input: x; output: y. Variants: group,
// columns (four neighbours at once), rows (along memory, for software adapters),
// naive.
func PlanReduce(g spec.Reduce, dev Device, force string) (Plan, error) {
	naive := candidate{name: "naive", why: "many outputs, of few terms or with neighbours that read neighbours",
		not: tooManyRounds(g.Terms(), dev), plan: func() (Plan, error) { return reduceNaive(g, dev), nil }}
	group := candidate{name: "group", why: "many terms, in few rows or along memory",
		plan: func() (Plan, error) { return reduceGroups(g, dev), nil }}
	if dev.MaxInvocations < reduceGroup {
		group.not = fmt.Sprintf("needs %d invocations, the device has %d", reduceGroup, dev.MaxInvocations)
	}
	columns := candidate{name: "columns", why: "four neighbours at once, row after row",
		not: firstOf(reduceColumnsNot(&g), tooManyRounds(g.Terms(), dev)), plan: func() (Plan, error) { return reduceColumns(g, dev), nil }}
	rows := candidate{name: "rows", why: "vec4s along memory, of which every lane adds its own",
		not: reduceRowsNot(&g, dev), plan: func() (Plan, error) { return reduceRows(g, dev), nil }}
	var cands []candidate
	switch groups := reducePrefersGroups(&g, dev); {
	case dev.CPU && groups:
		cands = []candidate{rows, group, columns, naive}
	case dev.CPU:
		cands = []candidate{rows, columns, naive, group}
	case groups:
		cands = []candidate{group, columns, naive, rows}
	default: // a GPU has lanes of its own, and wants many of them
		cands = []candidate{naive, columns, group, rows}
	}
	return chooseTuned("reduce", force, dev, func() string { return reduceClass(&g) }, cands)
}

// reducePrefersGroups reports whether a workgroup for each output is faster than
// an invocation. A software adapter pays for barriers, so there only a lack of
// outputs decides.
func reducePrefersGroups(g *spec.Reduce, dev Device) bool {
	outputs, terms := g.Outputs(), g.Terms()
	if dev.CPU {
		return outputs < 32 && terms >= 8*reduceGroup
	}
	if g.ReducedAxes > 0 && g.Reduced[0].Step == 1 {
		return terms >= reduceGroup/2
	}
	return outputs < 2048 && terms >= 2*reduceGroup
}

// reduceAxes is how many kept, or reduced, axes there can be: of two that are
// neighbours one would do.
const reduceAxes = spec.MaxRank / 2

func reduceKernel(name, text string, f spec.ReduceFunc, kept, reduced int) *Kernel {
	return intern(fmt.Sprintf("reduce_%s_%v_axes%d_%d", name, f, kept, reduced), func() *Kernel {
		return &Kernel{
			Source: specialise(text, reduceFunc(f),
				swap("kept", reducePlace(kept, "kept", "kept_step")), swap("reduced", reducePlace(reduced, "reduced", "step"))),
			ParamBytes: 4 * (5 + 4*reduceAxes),
			Writes:     []bool{false, true},
		}
	})
}

// reduceFunc sets the function of a kernel: a sum of squares is a sum of lifted terms.
func reduceFunc(f spec.ReduceFunc) edit {
	squares := f == spec.ReduceSumSquare
	if squares {
		f = spec.ReduceSum
	}
	return func(text string) string {
		return specialise(text, setU32("FUNC", int(f)), setBool("SQUARES", squares))
	}
}

// reducePlace decomposes a number over axes; the outermost takes what is left.
func reducePlace(axes int, size, step string) string {
	var s strings.Builder
	for i := range axes - 1 {
		fmt.Fprintf(&s, "  at += rest %% p.%s%d * p.%s%d;\n  rest /= p.%s%d;\n", size, i, step, i, size, i)
	}
	fmt.Fprintf(&s, "  at += rest * p.%s%d;", step, axes-1)
	return s.String()
}

func reduceNaive(g spec.Reduce, dev Device) Plan {
	const wg = 64
	return Plan{Steps: []Step{{
		Kernel:   reduceKernel("naive", reduceNaiveWGSL, g.Func, max(1, g.KeptAxes), max(1, g.ReducedAxes)),
		Params:   reduceParams(&g, g.Outputs(), 1, reduceFactor(&g)),
		Operands: []Operand{In(0), Out(0)},
		Groups:   Grid1D(ceilDiv(g.Outputs(), wg), dev.MaxGroups),
	}}}
}

// reduceColumnsNot says why neighbours cannot be loaded four at a time, "" where
// they can.
func reduceColumnsNot(g *spec.Reduce) string {
	if g.KeptAxes == 0 || g.Kept[0].Step != 1 || g.Kept[0].Size%4 != 0 {
		return "the innermost axis is not kept, or 4 does not divide it"
	}
	for i := range g.Kept {
		if i > 0 && i < g.KeptAxes && g.Kept[i].Step%4 != 0 || i < g.ReducedAxes && g.Reduced[i].Step%4 != 0 {
			return "4 does not divide the steps"
		}
	}
	return ""
}

// reduceColumns is reduceNaive of vec4s.
func reduceColumns(g spec.Reduce, dev Device) Plan {
	const wg = 64
	factor := reduceFactor(&g)
	g.Kept[0].Size /= 4
	for i := range g.Kept {
		if i > 0 {
			g.Kept[i].Step /= 4
		}
		g.Reduced[i].Step /= 4
	}
	return Plan{Steps: []Step{{
		Kernel:   reduceColumnsKernel(g.Func, max(1, g.KeptAxes), max(1, g.ReducedAxes)),
		Params:   reduceParams(&g, g.Outputs()/4, 1, factor),
		Operands: []Operand{In(0), Out(0)},
		Groups:   Grid1D(ceilDiv(g.Outputs()/4, wg), dev.MaxGroups),
	}}}
}

const vec4Reduce = `alias T = vec4<f32>;

fn combine_lanes(a: T, b: T) -> T {
  if (FUNC < 2u) { return a + b; }
  return T(combine(a.x, b.x), combine(a.y, b.y), combine(a.z, b.z), combine(a.w, b.w));
}`

func reduceColumnsKernel(f spec.ReduceFunc, kept, reduced int) *Kernel {
	k := reduceKernel("naive", reduceNaiveWGSL, f, kept, reduced)
	return intern(fmt.Sprintf("reduce_columns_%v_axes%d_%d", f, kept, reduced), func() *Kernel {
		return &Kernel{Source: specialise(k.Source, swap("lanes", vec4Reduce)), ParamBytes: k.ParamBytes, Writes: k.Writes}
	})
}

// reduceGroups plans a workgroup for each output, or, where these are few, for
// each of several chunks of it and one more for the chunks' results.
func reduceGroups(g spec.Reduce, dev Device) Plan {
	const leastChunk = 8 * reduceGroup
	want := 128
	if dev.CPU {
		want = 8
	}
	outputs := g.Outputs()
	chunks := max(1, min(ceilDiv(want, outputs), g.Terms()/leastChunk))
	if dev.CPU {
		chunks = max(chunks, ceilDiv(g.Terms(), softwareRounds*reduceGroup/2))
	}
	factor := reduceFactor(&g)
	step := func(g *spec.Reduce, chunks int, factor float32, from, to Operand) Step {
		return Step{
			Kernel:   reduceKernel("group", reduceGroupWGSL, g.Func, max(1, g.KeptAxes), max(1, g.ReducedAxes)),
			Params:   reduceParams(g, outputs, chunks, factor),
			Operands: []Operand{from, to},
			Groups:   Grid1D(outputs*chunks, dev.MaxGroups),
		}
	}
	if chunks == 1 {
		return Plan{Steps: []Step{step(&g, 1, factor, In(0), Out(0))}}
	}
	rest := reduceOfParts(g, outputs, chunks)
	return Plan{
		Steps: []Step{step(&g, chunks, 1, In(0), Temp(0)), step(&rest, 1, factor, Temp(0), Out(0))},
		Temps: []int{outputs * chunks},
	}
}

// reduceFactor is what the result is multiplied by: one over the terms of a mean.
func reduceFactor(g *spec.Reduce) float32 {
	if g.Func == spec.ReduceMean {
		return 1 / float32(g.Terms())
	}
	return 1
}

// reduceParams fills the uniform struct that the kernels share.
func reduceParams(g *spec.Reduce, outputs, chunks int, factor float32) Params {
	p := Params{}.U32(outputs, g.Terms(), ceilDiv(g.Terms(), chunks), chunks).F32(factor)
	for _, axis := range g.Kept[:reduceAxes] {
		p = p.U32(axis.Size, axis.Step)
	}
	for _, axis := range g.Reduced[:reduceAxes] {
		p = p.U32(axis.Size, axis.Step)
	}
	return p
}

// reduceKernels enumerates the kernels that PlanReduce can return: every function
// and every number of axes, with one of the other.
func reduceKernels() []*Kernel {
	var all []*Kernel
	add := func(f spec.ReduceFunc, kept, reduced int) {
		all = append(all, reduceKernel("naive", reduceNaiveWGSL, f, kept, reduced), reduceKernel("group", reduceGroupWGSL, f, kept, reduced), reduceColumnsKernel(f, kept, reduced),
			reduceRowsKernel(f, kept, reduced))
	}
	for _, f := range spec.ReduceFuncs() {
		add(f, 1, 1)
	}
	for axes := 2; axes <= reduceAxes; axes++ {
		add(spec.ReduceSum, axes, axes)
	}
	return all
}
