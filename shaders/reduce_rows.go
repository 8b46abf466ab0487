package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed reduce_rows.wgsl
var reduceRowsWGSL string

// reduceRowsShape says how rows along memory are cut.
type reduceRowsShape struct {
	inner4, rows         int // vec4s of a row, and the rows of an output
	lanes, pieces, piece int // invocations of a piece, pieces of a row, and vec4s of one
}

// parts returns how many results an output has.
func (s reduceRowsShape) parts() int { return s.rows * s.pieces * s.lanes }

func reduceRowsShapeOf(g *spec.Reduce) reduceRowsShape {
	const most, length = 2048, 4096 // pieces, and the vec4s of one
	s := reduceRowsShape{inner4: g.Reduced[0].Size / 4, lanes: 1, pieces: 1}
	s.rows = g.Terms() / g.Reduced[0].Size
	if s.inner4 >= 64 {
		s.lanes = 8
		s.pieces = min(most, ceilDiv(s.inner4, length))
	}
	s.piece = ceilDiv(s.inner4, s.pieces)
	s.pieces = ceilDiv(s.inner4, s.piece)
	for s.inner4-(s.pieces-1)*s.piece < s.lanes { // the last one is shorter than that
		s.lanes /= 2
	}
	return s
}

// reduceRowsNot says why rows cannot be read by vec4s, "" where they can.
func reduceRowsNot(g *spec.Reduce, dev Device) string {
	if g.ReducedAxes == 0 || g.Reduced[0].Step != 1 || g.Reduced[0].Size%4 != 0 {
		return "the innermost axis is not reduced, or 4 does not divide it"
	}
	for i := range g.Kept {
		if i < g.KeptAxes && g.Kept[i].Step%4 != 0 || i > 0 && i < g.ReducedAxes && g.Reduced[i].Step%4 != 0 {
			return "4 does not divide the steps"
		}
	}
	s := reduceRowsShapeOf(g)
	return tooManyRounds(max(s.parts(), ceilDiv(s.piece, s.lanes)), dev)
}

// reduceRows plans an invocation for each piece of a row, and where an output has
// several of them, a pass that reduces their results.
func reduceRows(g spec.Reduce, dev Device) Plan {
	s := reduceRowsShapeOf(&g)
	outputs, parts := g.Outputs(), s.parts()
	factor := reduceFactor(&g)
	first, to := factor, Out(0)
	var p Plan
	if parts > 1 {
		first, to = 1, p.temp(outputs*parts)
	}
	params := Params{}.U32(outputs*parts, s.inner4, s.lanes, s.pieces, s.piece, s.rows).F32(first)
	for _, axis := range g.Kept[:reduceAxes] {
		params = params.U32(axis.Size, axis.Step/4)
	}
	for _, axis := range g.Reduced[1 : reduceAxes+1] {
		params = params.U32(axis.Size, axis.Step/4)
	}
	p.add(Step{
		Kernel: reduceRowsKernel(g.Func, max(1, g.KeptAxes), max(1, g.ReducedAxes-1)), Params: params,
		Operands: []Operand{In(0), to}, Groups: Grid1D(ceilDiv(outputs*parts, 64), dev.MaxGroups),
	})
	if parts > 1 {
		rest := reduceOfParts(g, outputs, parts)
		p.add(Step{
			Kernel: reduceKernel("naive", reduceNaiveWGSL, rest.Func, 1, 1), Params: reduceParams(&rest, outputs, 1, factor),
			Operands: []Operand{to, Out(0)}, Groups: Grid1D(ceilDiv(outputs, 64), dev.MaxGroups),
		})
	}
	return p
}

func reduceRowsKernel(f spec.ReduceFunc, kept, reduced int) *Kernel {
	return intern(fmt.Sprintf("reduce_rows_%v_axes%d_%d", f, kept, reduced), func() *Kernel {
		return &Kernel{
			Source: specialise(reduceRowsWGSL, reduceFunc(f),
				swap("kept", reducePlace(kept, "kept", "kept_step")), swap("reduced", reducePlace(reduced, "reduced", "step")), unroll),
			ParamBytes: 4 * (7 + 4*reduceAxes),
			Writes:     []bool{false, true},
		}
	})
}

// reduceOfParts is the reduction of as many parts of each output, which lie side
// by side. Of squares there is but a sum left.
func reduceOfParts(g spec.Reduce, outputs, parts int) spec.Reduce {
	if g.Func == spec.ReduceSumSquare {
		g.Func = spec.ReduceSum
	}
	g.KeptAxes, g.ReducedAxes = 1, 1
	for i := range g.Kept {
		g.Kept[i], g.Reduced[i] = spec.StepAxis{Size: 1}, spec.StepAxis{Size: 1}
	}
	g.Kept[0] = spec.StepAxis{Size: outputs, Step: parts}
	g.Reduced[0] = spec.StepAxis{Size: parts, Step: 1}
	return g
}
