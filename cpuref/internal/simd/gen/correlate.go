package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets of the fields of simd.Correlation.
const (
	corOut     = 0
	corA       = 8
	corB       = 16
	corOffs    = 24
	corRows    = 32
	corN       = 40
	corStrideA = 48
	corStrideB = 56
)

// correlations writes the kernels for one to nine taps.
func correlations(g *gen) {
	for taps := 1; taps <= 9; taps++ {
		correlate(g, taps)
	}
}

// correlate writes the sums of a plane times another one under taps taps: each
// has a vector of partial sums, which are added up at the end.
func correlate(g *gen, taps int) {
	name := fmt.Sprintf("correlate%d%s", taps, g.w.name)
	g.fn(name, "func(c *byte)", fmt.Sprintf("%s correlates planes under %d taps; see Correlation.", name, taps))
	p := g.Load(g.Param("c"), g.GP64()).(reg.GPVirtual)
	field := func(off int) operand.Mem { return operand.Mem{Base: p, Disp: off} }
	a, b, offs, rows, left := g.GP64(), g.GP64(), g.GP64(), g.GP64(), g.GP64()
	g.MOVQ(field(corA), a)
	g.MOVQ(field(corB), b)
	g.MOVQ(field(corOffs), offs)
	g.MOVQ(field(corRows), rows)
	acc := make([]reg.VecPhysical, taps)
	for t := range acc {
		acc[t] = g.vec(t)
		g.zero(acc[t])
	}
	va, vb, mask := g.vec(9), g.vec(10), g.vec(11)
	// The rest of a row, after whole vectors.
	rest := g.GP64()
	g.MOVQ(field(corN), rest)
	g.ANDQ(operand.I8(int8(g.w.lanes-1)), rest)
	in := vecMask(g, rest, 1, []reg.OpmaskPhysical{reg.K1}, []reg.VecPhysical{mask})[0]
	row, loop, tail, next := g.label("row"), g.label("loop"), g.label("tail"), g.label("next")
	sa, sb, off := g.GP64(), g.GP64(), g.GP64()
	g.Label(row)
	g.MOVQ(a, sa)
	g.MOVQ(b, sb)
	g.MOVQ(field(corN), left)
	g.SUBQ(operand.I8(int8(g.w.lanes)), left)
	g.JLT(operand.LabelRef(tail))
	g.Label(loop)
	g.VMOVUPS(operand.Mem{Base: sa}, va)
	for t := range acc {
		g.MOVQ(operand.Mem{Base: offs, Disp: 8 * t}, off)
		g.VFMADD231PS(operand.Mem{Base: sb, Index: off, Scale: 4}, va, acc[t])
	}
	g.ADDQ(operand.I8(int8(g.bytes())), sa)
	g.ADDQ(operand.I8(int8(g.bytes())), sb)
	g.SUBQ(operand.I8(int8(g.w.lanes)), left)
	g.JGE(operand.LabelRef(loop))
	g.Label(tail)
	g.TESTQ(rest, rest)
	g.JZ(operand.LabelRef(next))
	g.maskedLoad(operand.Mem{Base: sa}, in, va)
	for t := range acc {
		g.MOVQ(operand.Mem{Base: offs, Disp: 8 * t}, off)
		g.maskedLoad(operand.Mem{Base: sb, Index: off, Scale: 4}, in, vb)
		g.VFMADD231PS(vb, va, acc[t])
	}
	g.Label(next)
	step := g.GP64()
	g.MOVQ(field(corStrideA), step)
	g.LEAQ(operand.Mem{Base: a, Index: step, Scale: 4}, a)
	g.MOVQ(field(corStrideB), step)
	g.LEAQ(operand.Mem{Base: b, Index: step, Scale: 4}, b)
	g.DECQ(rows)
	g.JNZ(operand.LabelRef(row))
	out := g.GP64()
	g.MOVQ(field(corOut), out)
	for t := range acc {
		g.foldToX(acc[t], vb)
		x := acc[t].AsX()
		g.VHADDPS(x, x, x)
		g.VHADDPS(x, x, x)
		g.VADDSS(operand.Mem{Base: out, Disp: 4 * t}, x, x)
		g.VMOVSS(x, operand.Mem{Base: out, Disp: 4 * t})
	}
	g.ret()
}
