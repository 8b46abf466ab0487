package shaders

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed gather.wgsl
var gatherNaiveWGSL string

//go:embed gather_tile.wgsl
var gatherTileWGSL string

//go:embed gather_block.wgsl
var gatherBlockWGSL string

// PlanGather plans a copy of elements in another order: Transpose and Slice.
// Input: x; output: y. Variants: those of GatherVariants.
func PlanGather(g spec.Gather, dev Device, force string) (Plan, error) {
	m := gatherMatrix(&g)
	notTile, notBlock := m.not, m.not
	if notTile == "" && dev.MaxInvocations < 256 {
		notTile = fmt.Sprintf("needs 256 invocations, the device has %d", dev.MaxInvocations)
	}
	if notBlock == "" && !m.whole {
		notBlock = "sizes or steps are no multiples of 4"
	}
	tile := candidate{name: "tile", why: "rows become columns", not: notTile, plan: func() (Plan, error) { return gatherTile(g, m, dev), nil }}
	block := candidate{name: "block", why: "rows become columns", not: notBlock, plan: func() (Plan, error) { return gatherBlock(g, m, dev), nil }}
	naive := candidate{name: "naive", why: "serves every case", plan: func() (Plan, error) { return gatherNaive(g, 1, dev), nil }}
	cands := []candidate{
		{name: "rows", why: "rows stay rows, in vec4s", not: notRows(&g), plan: func() (Plan, error) { return gatherNaive(g, 4, dev), nil }},
	}
	if dev.CPU {
		cands = append(cands, block, naive, tile)
	} else {
		cands = append(cands, tile, naive, block)
	}
	return chooseTuned("gather", force, dev, func() string { return gatherClass(&g) }, cands)
}

// GatherVariants names the kernels that Transpose and Slice can be forced to.
func GatherVariants() []string { return []string{"rows", "tile", "block", "naive"} }

// notRows says why the copy is not one of whole vec4s.
func notRows(g *spec.Gather) string {
	inner := g.Axis[0]
	switch {
	case g.Axes == 0 || inner.Step != 1:
		return fmt.Sprintf("the innermost axis steps by %d", inner.Step)
	case inner.Size%4 != 0 || g.Base%4 != 0:
		return fmt.Sprintf("rows of %d from element %d on are no whole vec4s", inner.Size, g.Base)
	}
	for _, axis := range g.Axis[1:g.Axes] {
		if axis.Step%4 != 0 {
			return fmt.Sprintf("a step of %d is no whole vec4", axis.Step)
		}
	}
	return ""
}

// matrices is a copy seen as transposes of many matrices.
type matrices struct {
	not        string   // why it is none
	whole      bool     // sizes and steps are multiples of 4
	rows, cols int      // elements along x's rows and along y's
	xStep      int      // from one column to the next in x
	yStep      int      // from one row to the next in y
	rest       [][3]int // the other axes, innermost first: size, step in x, step in y
}

func (m *matrices) count() int {
	n := 1
	for _, axis := range m.rest {
		n *= axis[0]
	}
	return n
}

// gatherMatrix finds the axis whose neighbours are neighbours in x.
func gatherMatrix(g *spec.Gather) matrices {
	m := matrices{not: "the innermost axis of the result is one of the input's rows", whole: g.Base%4 == 0}
	if g.Axes < 2 || g.Axis[0].Step == 1 {
		return m
	}
	m.not = "no axis steps by single elements"
	m.cols, m.xStep = g.Axis[0].Size, g.Axis[0].Step
	yStep := m.cols
	for _, axis := range g.Axis[1:g.Axes] {
		if axis.Step == 1 && m.not != "" {
			m.not, m.rows, m.yStep = "", axis.Size, yStep
		} else {
			m.rest = append(m.rest, [3]int{axis.Size, axis.Step, yStep})
			m.whole = m.whole && axis.Step%4 == 0
		}
		yStep *= axis.Size
	}
	m.whole = m.whole && m.cols%4 == 0 && m.rows%4 == 0 && m.xStep%4 == 0
	return m
}

// gatherMatrixAxes is how many axes there are beside rows and columns.
const gatherMatrixAxes = spec.MaxRank - 2

// params fills the uniform struct of the two transposing kernels, with what
// counts along rows divided by width.
func (m *matrices) params(total, base, rows, cols, width int) Params {
	p := Params{}.U32(total).I32(base/width).U32(rows, cols).I32(m.xStep / width).U32(m.yStep / width)
	for i := range gatherMatrixAxes {
		axis := [3]int{1, 0, 0}
		if i < len(m.rest) {
			axis = m.rest[i]
		}
		p = p.U32(axis[0]).I32(axis[1] / width).U32(axis[2] / width)
	}
	return p
}

// source writes out the decomposition of a matrix' number.
func (m *matrices) source() string {
	var s strings.Builder
	for i := range m.rest {
		fmt.Fprintf(&s, "  at += rest %% p.size%d * vec2<u32>(p.x%d, p.y%d);\n  rest /= p.size%d;\n", i, i, i, i)
	}
	return s.String()
}

func gatherMatrixKernel(name, text string, axes int) *Kernel {
	return intern(fmt.Sprintf("gather_%s_axes%d", name, axes), func() *Kernel {
		m := matrices{rest: make([][3]int, axes)}
		return &Kernel{
			Source:     specialise(text, swap("matrix", m.source())),
			ParamBytes: 4 * (6 + 3*gatherMatrixAxes),
			Writes:     []bool{false, true},
		}
	})
}

func gatherTile(g spec.Gather, m matrices, dev Device) Plan {
	const tile = 32
	groups := m.count() * ceilDiv(m.rows, tile) * ceilDiv(m.cols, tile)
	return Plan{Steps: []Step{{
		Kernel:   gatherMatrixKernel("tile", gatherTileWGSL, len(m.rest)),
		Params:   m.params(groups, g.Base, m.rows, m.cols, 1),
		Operands: []Operand{In(0), Out(0)},
		Groups:   Grid1D(groups, dev.MaxGroups),
	}}}
}

func gatherBlock(g spec.Gather, m matrices, dev Device) Plan {
	const wg = 64
	total := m.count() * m.rows / 4 * m.cols / 4
	return Plan{Steps: []Step{{
		Kernel:   gatherMatrixKernel("block", gatherBlockWGSL, len(m.rest)),
		Params:   m.params(total, g.Base, m.rows/4, m.cols/4, 4),
		Operands: []Operand{In(0), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	}}}
}

func gatherNaiveKernel(width, axes int) *Kernel {
	return intern(fmt.Sprintf("gather_naive%d_axes%d", width, axes), func() *Kernel {
		text := gatherNaiveWGSL
		if width == 4 {
			text = strings.ReplaceAll(text, "array<f32>", "array<vec4<f32>>")
		}
		return &Kernel{
			Source:     specialise(text, swap("place", gatherPlace(axes))),
			ParamBytes: 4 * (2 + 2*spec.MaxRank),
			Writes:     []bool{false, true},
		}
	})
}

// gatherPlace decomposes i over the axes; the outermost takes what is left.
func gatherPlace(axes int) string {
	var s strings.Builder
	for i := range axes - 1 {
		fmt.Fprintf(&s, "  at += i32(rest %% p.size%d) * p.step%d;\n  rest /= p.size%d;\n", i, i, i)
	}
	fmt.Fprintf(&s, "  at += i32(rest) * p.step%d;\n", axes-1)
	return s.String()
}

// gatherNaive copies elements, or vectors of four where all numbers allow it.
func gatherNaive(g spec.Gather, width int, dev Device) Plan {
	const wg = 64
	total := spec.Count(g.OutShape()) / width
	p := Params{}.U32(total).I32(g.Base / width)
	for i, axis := range g.Axis {
		if i == 0 {
			p = p.U32(ceilDiv(axis.Size, width)).I32(axis.Step)
		} else {
			p = p.U32(axis.Size).I32(axis.Step / width)
		}
	}
	return Plan{Steps: []Step{{
		Kernel:   gatherNaiveKernel(width, max(1, g.Axes)),
		Params:   p,
		Operands: []Operand{In(0), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	}}}
}

// gatherKernels enumerates the kernels that PlanGather can return.
func gatherKernels() []*Kernel {
	var all []*Kernel
	for axes := 1; axes <= spec.MaxRank; axes++ {
		all = append(all, gatherNaiveKernel(1, axes), gatherNaiveKernel(4, axes))
	}
	for axes := range gatherMatrixAxes + 1 {
		all = append(all, gatherMatrixKernel("tile", gatherTileWGSL, axes), gatherMatrixKernel("block", gatherBlockWGSL, axes))
	}
	return all
}
