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
	if g.wide() {
		correlate3x3(g)
	}
}

// Offsets of the fields of simd.Correlation3x3.
const (
	cor3Out     = 0
	cor3A       = 8
	cor3B       = 16
	cor3Masks   = 24
	cor3Strips  = 32
	cor3Rows    = 40
	cor3Height  = 48
	cor3Top     = 56
	cor3StrideA = 64
	cor3StrideB = 72
	cor3Left    = 80
)

// correlate3x3 writes the sums of strips of a plane times another one under 3x3
// taps. Each row of B is read under the left, middle and right taps, and meets
// three rows of A, which stay in registers. Lanes and rows where a tap lies beside
// B are left out.
func correlate3x3(g *gen) {
	name := "correlate3x3" + g.w.name
	g.fn(name, "func(q *byte)", name+" correlates strips of planes under 3x3 taps; see Correlation3x3.")
	p := g.arg("q")
	field := func(off int) operand.Mem { return operand.Mem{Base: p, Disp: off} }
	var acc [9]V
	for i := range acc {
		acc[i] = g.new()
		g.VXORPS(acc[i], acc[i], acc[i])
	}
	a, b := g.GP64(), g.GP64()
	rows, inner := g.GP64(), g.GP64() // inner: rows of A, less two, that meet B with two before them
	g.MOVQ(field(cor3Rows), rows)
	g.LEAQ(operand.Mem{Base: rows, Disp: -2}, inner)
	strideA, strideB := g.GP64(), g.GP64()
	g.MOVQ(field(cor3StrideA), strideA)
	g.SHLQ(operand.U8(2), strideA)
	g.MOVQ(field(cor3StrideB), strideB)
	g.SHLQ(operand.U8(2), strideB)
	g.MOVQ(field(cor3A), a)
	g.MOVQ(field(cor3Top), b)
	g.IMULQ(strideB, b)
	g.ADDQ(field(cor3B), b)
	left := g.GP64()
	g.MOVQ(field(cor3Left), left)
	g.LEAQ(operand.Mem{Base: b, Index: left, Scale: 4}, b)
	masks := g.GP64()
	g.MOVQ(field(cor3Masks), masks)
	own := reg.K1
	under := []reg.OpmaskPhysical{reg.K2, reg.K3, reg.K4}

	strip, loop, loaded := g.label("strip"), g.label("row"), g.label("loaded")
	g.Label(strip)
	m := g.GP32()
	for i, mask := range []reg.OpmaskPhysical{own, under[0], under[1], under[2]} {
		g.MOVWLZX(operand.Mem{Base: masks, Disp: 2 * i}, m)
		g.KMOVW(m, mask)
	}
	pa, pb, i, h := g.GP64(), g.GP64(), g.GP64(), g.GP64()
	g.MOVQ(a, pa)
	g.MOVQ(b, pb)
	g.XORQ(i, i)
	g.MOVQ(field(cor3Top), h)
	var va, vb [3]V // row i of A and the two before it; what lies under the taps
	for j := range va {
		va[j], vb[j] = g.new(), g.new()
	}
	g.Label(loop)
	g.CMPQ(i, rows)
	g.JGE(operand.LabelRef(loaded))
	g.maskedLoad(operand.Mem{Base: pa}, own, va[0])
	g.ADDQ(strideA, pa)
	g.Label(loaded)
	next, slow := g.label("next"), g.label("edge")
	g.CMPQ(h, field(cor3Height))
	g.JCC(operand.LabelRef(next))
	for j := range vb {
		g.maskedLoad(operand.Mem{Base: pb, Disp: 4 * j}, under[j], vb[j])
	}
	meet := func(k int) {
		for j := range vb {
			g.VFMADD231PS(vb[j], va[k], under[j], acc[3*k+j])
		}
	}
	at := g.GP64()
	g.LEAQ(operand.Mem{Base: i, Disp: -2}, at)
	g.TESTQ(inner, inner)
	g.JLE(operand.LabelRef(slow))
	g.CMPQ(at, inner)
	g.JCC(operand.LabelRef(slow))
	for k := range va {
		meet(k)
	}
	g.JMP(operand.LabelRef(next))
	g.Label(slow)
	for k := range va {
		skip := g.label("skip")
		g.LEAQ(operand.Mem{Base: i, Disp: -k}, at)
		g.CMPQ(at, rows)
		g.JCC(operand.LabelRef(skip))
		meet(k)
		g.Label(skip)
	}
	g.Label(next)
	g.VMOVAPS(va[1], va[2])
	g.VMOVAPS(va[0], va[1])
	g.ADDQ(strideB, pb)
	g.INCQ(h)
	g.LEAQ(operand.Mem{Base: i, Disp: -1}, at)
	g.INCQ(i)
	g.CMPQ(at, rows)
	g.JLT(operand.LabelRef(loop))
	g.ADDQ(operand.I8(8), masks)
	g.ADDQ(operand.I8(int8(g.bytes())), a)
	g.ADDQ(operand.I8(int8(g.bytes())), b)
	g.DECQ(field(cor3Strips))
	g.JNZ(operand.LabelRef(strip))
	out := g.GP64()
	g.MOVQ(field(cor3Out), out)
	t := g.new()
	for i := range acc {
		g.VEXTRACTF64X4(operand.U8(1), acc[i], t.AsY())
		g.VADDPS(t.AsY(), acc[i].AsY(), acc[i].AsY())
		g.VEXTRACTF128(operand.U8(1), acc[i].AsY(), t.AsX())
		x := acc[i].AsX()
		g.VADDPS(t.AsX(), x, x)
		g.VHADDPS(x, x, x)
		g.VHADDPS(x, x, x)
		g.VADDSS(operand.Mem{Base: out, Disp: 4 * i}, x, x)
		g.VMOVSS(x, operand.Mem{Base: out, Disp: 4 * i})
	}
	g.ret()
}

// correlate writes the sums of a plane times another one under taps taps: each
// has a vector of partial sums, which are added up at the end.
func correlate(g *gen, taps int) {
	name := fmt.Sprintf("correlate%d%s", taps, g.w.name)
	g.fn(name, "func(c *byte)", fmt.Sprintf("%s correlates planes under %d taps; see Correlation.", name, taps))
	p := g.arg("c")
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
