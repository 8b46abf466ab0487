package shaders

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed pad.wgsl
var padWGSL string

// padRun is how many neighbours an invocation of the kernel of rows has.
const padRun = 64

// PlanPad plans a padding. Input: x; output: y. Variants: vec4, rows (an
// invocation for a run along a row, for software adapters), naive.
func PlanPad(g spec.Pad, dev Device, force string) (Plan, error) {
	not := ""
	if row := g.Axis[0].Out; row%4 != 0 {
		not = fmt.Sprintf("rows of %d are no multiple of 4", row)
	}
	vec4 := candidate{name: "vec4", why: "four neighbours at a time", not: not, plan: func() (Plan, error) { return pad(g, 4, 0, dev), nil }}
	naive := candidate{name: "naive", why: "serves every case", plan: func() (Plan, error) { return pad(g, 1, 0, dev), nil }}
	rows := candidate{name: "rows", why: "few divisions, of which a software adapter makes each alone", plan: func() (Plan, error) {
		if not == "" {
			return pad(g, 4, padRun, dev), nil
		}
		return pad(g, 1, padRun, dev), nil
	}}
	order := []candidate{vec4, naive, rows}
	if dev.CPU {
		order = []candidate{rows, vec4, naive}
	}
	return chooseTuned("pad", force, dev, func() string { return padClass(&g) }, order)
}

// padWhole reports whether every vec4 of y is one of x or lies outside of it.
func padWhole(g *spec.Pad) bool {
	a := g.Axis[0]
	return g.Mode == spec.PadZeros && a.In%4 == 0 && a.Out%4 == 0 && a.Begin%4 == 0
}

func padKernel(mode spec.PadMode, axes, width, run int, whole bool) *Kernel {
	return intern(fmt.Sprintf("pad%d_%v_axes%d_run%d_whole%t", width, mode, axes, run, whole), func() *Kernel {
		edits := []edit{setU32("PAD_MODE", int(mode)), swap("axes", padAxes(axes))}
		store := "y[row + at_w] = value(at, inside, o);"
		if width == 4 {
			store = "y[(row + at_w) / 4u] = vec4<f32>(value(at, inside, o), value(at, inside, o + 1), value(at, inside, o + 2), value(at, inside, o + 3));"
		}
		if whole {
			store = "y[(row + at_w) / 4u] = value(at, inside, o);"
			edits = append(edits, swap("input", padWholeInput))
		}
		if run == 0 {
			store = "  let at_w = along;\n  let o = i32(along) - p.begin0;\n  " + store
		} else {
			store = "  for (var at_w = along; at_w < min(p.out0, along + RUN); at_w += WIDTH) {\n    let o = i32(at_w) - p.begin0;\n    " + store + "\n  }"
		}
		edits = append(edits, setU32("RUN", run), swap("store", store))
		if width == 4 {
			edits = append(edits, setU32("WIDTH", 4),
				func(text string) string { return strings.Replace(text, "y: array<f32>", "y: array<vec4<f32>>", 1) })
		}
		return &Kernel{
			Source:     specialise(padWGSL, edits...),
			ParamBytes: 4 * (2 + 3*spec.MaxRank),
			Writes:     []bool{false, true},
		}
	})
}

// padWholeInput loads vec4s of which each is inside or outside.
const padWholeInput = `@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
fn value(at: i32, inside: bool, o: i32) -> vec4<f32> {
  if (inside && o >= 0 && o < p.in0) { return x[u32(at + o) / 4u]; }
  return vec4<f32>(p.value);
}`

// padAxes writes out the steps over the axes from the second on.
func padAxes(axes int) string {
	var s strings.Builder
	for i := 1; i < axes; i++ {
		if i > 1 {
			fmt.Fprintf(&s, "  rest /= p.out%d;\n  size *= p.in%d;\n", i-1, i-1)
		}
		fmt.Fprintf(&s, "  let i%d = pad_index(i32(rest %% p.out%d) - p.begin%d, p.in%d);\n", i, i, i, i)
		fmt.Fprintf(&s, "  inside = inside && i%d >= 0;\n  at += i%d * size;\n", i, i)
	}
	return s.String()
}

func pad(g spec.Pad, width, run int, dev Device) Plan {
	const wg = 64
	row := g.Axis[0].Out
	total := spec.Count(g.OutShape()) / row * ceilDiv(row, max(width, run))
	p := Params{}.U32(total).F32(g.Value)
	for _, axis := range g.Axis {
		p = p.I32(axis.In).U32(axis.Out).I32(axis.Begin)
	}
	return Plan{Steps: []Step{{
		Kernel:   padKernel(g.Mode, max(1, g.Axes), width, run, width == 4 && padWhole(&g)),
		Params:   p,
		Operands: []Operand{In(0), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	}}}
}

// padKernels enumerates the kernels that PlanPad can return: every mode and every
// number of axes, with one of the other.
func padKernels() []*Kernel {
	var all []*Kernel
	for _, mode := range []spec.PadMode{spec.PadZeros, spec.PadReflect, spec.PadReplicate, spec.PadCircular} {
		for _, run := range []int{0, padRun} {
			all = append(all, padKernel(mode, 3, 1, run, false), padKernel(mode, 3, 4, run, false))
		}
	}
	for axes := 1; axes <= spec.MaxRank; axes++ {
		if axes != 3 {
			for _, run := range []int{0, padRun} {
				all = append(all, padKernel(spec.PadReflect, axes, 1, run, false), padKernel(spec.PadReflect, axes, 4, run, false))
			}
		}
		all = append(all, padKernel(spec.PadZeros, axes, 4, 0, true), padKernel(spec.PadZeros, axes, 4, padRun, true))
	}
	return all
}
