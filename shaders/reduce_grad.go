package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed reduce_grad.wgsl
var reduceGradWGSL string

//go:embed reduce_grad_vec4.wgsl
var reduceGradVec4WGSL string

// PlanReduceGrad plans the gradient of a greatest or least value over axes.
// Inputs: dy, x, y; output: dx. Variants: rows and columns (vec4s along and across
// the terms, for software adapters), naive.
func PlanReduceGrad(g spec.Reduce, dev Device, force string) (Plan, error) {
	naive := candidate{name: "naive", why: "serves every case", plan: func() (Plan, error) { return reduceGrad(g, dev), nil }}
	rows := candidate{name: "rows", why: "vec4s along memory", not: reduceRowsNot(&g, dev),
		plan: func() (Plan, error) { return reduceGradRows(g, dev), nil }}
	columns := candidate{name: "columns", why: "four neighbours at once", not: reduceColumnsNot(&g),
		plan: func() (Plan, error) { return reduceGradColumns(g, dev), nil }}
	order := []candidate{naive, rows, columns}
	if dev.CPU {
		order = []candidate{rows, columns, naive}
	}
	return choose("reduce_grad", force, order)
}

// reduceGradRun is RUN of reduce_grad_vec4.wgsl.
const reduceGradRun = 8

func reduceGrad(g spec.Reduce, dev Device) Plan {
	outputs, terms := g.Outputs(), g.Terms()
	want := 16384 // invocations that keep a device busy
	if dev.CPU {
		want = 64
	}
	parts := max(1, min(ceilDiv(want, outputs), terms/64, spec.MaxElements/outputs))
	if dev.CPU {
		parts = max(parts, ceilDiv(terms, softwareRounds))
	}
	outputFirst := g.KeptAxes > 0 && g.Kept[0].Step == 1
	var p Plan
	counts := p.temp(parts * outputs)
	stage := func(i, total, parts int, operands ...Operand) {
		params := reduceGradAxes(Params{}.U32(total, outputs, terms, parts, flag(outputFirst)), &g)
		p.add(Step{Kernel: reduceGradKernel(i, max(1, g.KeptAxes), max(1, g.ReducedAxes)), Params: params, Operands: operands, Groups: Grid1D(ceilDiv(total, 64), dev.MaxGroups)})
	}
	stage(0, parts*outputs, parts, In(1), In(2), In(2), counts)
	shares := p.reduceGradShares(&g, counts, parts, dev)
	each := 4 // elements for an invocation
	if dev.CPU {
		each = 64
	}
	runs := ceilDiv(terms, each)
	stage(2, runs*outputs, runs, In(1), In(2), shares, Out(0))
	return p
}

// reduceGradAxes appends the axes, kept and reduced.
func reduceGradAxes(p Params, g *spec.Reduce) Params {
	for _, axes := range [][spec.MaxRank]spec.StepAxis{g.Kept, g.Reduced} {
		for _, axis := range axes[:reduceAxes] {
			p = p.U32(axis.Size, axis.Step)
		}
	}
	return p
}

// reduceGradShares adds the stage that makes shares of dy from the counts of as
// many parts.
func (p *Plan) reduceGradShares(g *spec.Reduce, counts Operand, parts int, dev Device) Operand {
	outputs := g.Outputs()
	shares := p.temp(outputs)
	p.add(Step{Kernel: reduceGradKernel(1, max(1, g.KeptAxes), max(1, g.ReducedAxes)),
		Params:   reduceGradAxes(Params{}.U32(outputs, outputs, g.Terms(), parts, 0), g),
		Operands: []Operand{In(0), counts, counts, shares}, Groups: Grid1D(ceilDiv(outputs, 64), dev.MaxGroups)})
	return shares
}

// reduceGradRows plans pieces of rows along memory.
func reduceGradRows(g spec.Reduce, dev Device) Plan {
	s := reduceRowsShapeOf(&g)
	along := g
	copy(along.Reduced[:], g.Reduced[1:])
	along.Reduced[spec.MaxRank-1] = spec.StepAxis{Size: 1}
	along.ReducedAxes = max(1, g.ReducedAxes-1)
	for i := range along.Kept {
		along.Kept[i].Step /= 4
		along.Reduced[i].Step /= 4
	}
	shape := Params{}.U32(g.Outputs()*s.parts(), g.Outputs(), s.lanes, s.pieces, s.piece, s.inner4, s.rows)
	return reduceGradVec4(g, along, true, s.parts(), g.Outputs()*s.parts(), ceilDiv(s.piece, s.lanes*reduceGradRun), shape, dev)
}

// reduceGradColumns plans pieces of the terms of four neighbours.
func reduceGradColumns(g spec.Reduce, dev Device) Plan {
	const length = 16 // terms of a piece: few pages at a time
	terms, outputs4 := g.Terms(), g.Outputs()/4
	pieces := min(ceilDiv(terms, length), softwareRounds)
	piece := ceilDiv(terms, pieces)
	pieces = ceilDiv(terms, piece)
	across := g
	across.Kept[0].Size /= 4
	for i := range across.Kept {
		if i > 0 {
			across.Kept[i].Step /= 4
		}
		across.Reduced[i].Step /= 4
	}
	shape := Params{}.U32(outputs4*pieces, outputs4, 1, pieces, piece, terms, 1)
	return reduceGradVec4(g, across, false, pieces, outputs4*pieces, ceilDiv(piece, reduceGradRun), shape, dev)
}

// reduceGradVec4 plans the three stages of g, whose axes in vec4s are those of by.
// An invocation goes so many rounds of 8 vec4s.
func reduceGradVec4(g, by spec.Reduce, rows bool, parts, total, rounds int, shape Params, dev Device) Plan {
	var p Plan
	counts, marks := p.temp(parts*g.Outputs()), p.temp(total*rounds)
	stage := func(i int, shares, to Operand) {
		p.add(Step{Kernel: reduceGradVec4Kernel(i, rows, max(1, by.KeptAxes), max(1, by.ReducedAxes)),
			Params:   reduceGradAxes(shape[:len(shape):len(shape)], &by),
			Operands: []Operand{In(1), In(2), shares, marks, to}, Groups: Grid1D(ceilDiv(total, 64), dev.MaxGroups)})
	}
	stage(0, In(2), counts)
	stage(2, p.reduceGradShares(&g, counts, parts, dev), Out(0))
	return p
}

func reduceGradVec4Kernel(stage int, rows bool, kept, reduced int) *Kernel {
	return intern(fmt.Sprintf("reduce_grad_vec4_%d_rows%t_axes%d_%d", stage, rows, kept, reduced), func() *Kernel {
		edits := []edit{setU32("STAGE", stage), setBool("ROWS", rows), setU32("RUN", reduceGradRun),
			swap("kept", reducePlace(kept, "kept", "kept_step")), swap("reduced", reducePlace(reduced, "reduced", "step"))}
		if rows {
			edits = append(edits, swap("lanes", "alias T = f32;\nfn count_of(bits: u32) -> T { return T(countOneBits(bits)); }"))
			if stage == 2 { // dx is of vec4s, whatever its outputs are
				edits = append(edits, swap("out", "@group(0) @binding(5) var<storage, read_write> out: array<vec4<f32>>;"), swap("count", ""))
			} else {
				edits = append(edits, swap("share", ""))
			}
		}
		return &Kernel{Source: specialise(reduceGradVec4WGSL, append(edits, unroll)...), ParamBytes: 4 * (7 + 4*reduceAxes),
			Writes: []bool{false, false, false, true, true}}
	})
}

func reduceGradKernel(stage, kept, reduced int) *Kernel {
	return intern(fmt.Sprintf("reduce_grad_%d_axes%d_%d", stage, kept, reduced), func() *Kernel {
		return &Kernel{Source: specialise(reduceGradWGSL, setU32("STAGE", stage),
			swap("kept", reducePlace(kept, "kept", "kept_step")), swap("reduced", reducePlace(reduced, "reduced", "step"))),
			ParamBytes: 4 * (5 + 4*reduceAxes), Writes: []bool{false, false, false, true}}
	})
}

// reduceGradKernels enumerates the kernels that PlanReduceGrad can return.
func reduceGradKernels() []*Kernel {
	var all []*Kernel
	for stage := range 3 {
		for axes := 1; axes <= reduceAxes; axes++ {
			all = append(all, reduceGradKernel(stage, axes, axes))
			if stage != 1 {
				all = append(all, reduceGradVec4Kernel(stage, false, axes, axes), reduceGradVec4Kernel(stage, true, axes, axes))
			}
		}
	}
	return all
}
