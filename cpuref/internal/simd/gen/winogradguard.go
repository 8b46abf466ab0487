package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// What the guards of Winograd's method sum up of the data.

// absSquares adds magnitudes and squares of one array, or of four, to two others.
func absSquares(g *gen, rows int) {
	name := fmt.Sprintf("absSquares%dx%s", rows, g.w.name)
	g.fn(name, "func(sums, squares, x *float32, n, stride int)",
		fmt.Sprintf("%s adds |x[i+r*stride]| to sums[i], and its square to squares[i], for r < %d and n whole vectors.", name, rows))
	sums := g.arg("sums")
	squares := g.arg("squares")
	x := g.arg("x")
	n := g.arg("n")
	from := []operand.Mem{{Base: x}}
	if rows == 4 {
		stride := g.arg("stride")
		three := g.GP64()
		g.SHLQ(operand.U8(2), stride)
		g.LEAQ(operand.Mem{Base: stride, Index: stride, Scale: 2}, three)
		from = append(from, operand.Mem{Base: x, Index: stride, Scale: 1},
			operand.Mem{Base: x, Index: stride, Scale: 2}, operand.Mem{Base: x, Index: three, Scale: 1})
	}
	mask := g.hold(absBits)
	loop := g.label("abs")
	g.Label(loop)
	s, q := g.new(), g.new()
	g.VMOVUPS(operand.Mem{Base: sums}, s)
	g.VMOVUPS(operand.Mem{Base: squares}, q)
	for _, m := range from {
		v := g.new()
		g.VMOVUPS(m, v)
		g.VFMADD231PS(v, v, q)
		g.VANDPS(mask, v, v)
		g.VADDPS(v, s, s)
	}
	g.VMOVUPS(q, operand.Mem{Base: squares})
	g.VMOVUPS(s, operand.Mem{Base: sums})
	for _, p := range []reg.GPVirtual{sums, squares, x} {
		g.ADDQ(operand.I32(g.bytes()), p)
	}
	g.DECQ(n)
	g.JNZ(operand.LabelRef(loop))
	g.ret()
}

// winogradDeficits sums by how much weights fall short of a limit, for all nine
// taps at once where there are registers, otherwise for three.
func winogradDeficits(g *gen) {
	taps, note := 3, "each of three taps"
	if g.wide() {
		taps, note = 9, "each of nine taps"
	}
	name := "winogradDeficits" + g.w.name
	g.fn(name, "func(sums, src, limits *float32, n int)",
		name+" adds, for "+note+", to a vector max(limit-|v|, 0)^2 over n kernels, and to the next v^2.")
	sums := g.arg("sums")
	src := g.arg("src")
	limits := g.arg("limits")
	n := g.arg("n")
	var mask, zero V
	if !g.wide() {
		mask, zero = g.hold(absBits), g.new()
		g.VXORPS(zero, zero, zero)
	}
	acc, limit := make([]V, 2*taps), g.new()
	at := func(i int) operand.Mem { return operand.Mem{Base: sums, Disp: (i/2*4 + i%2) * g.bytes()} }
	for i := range acc {
		acc[i] = g.new()
		g.VMOVUPS(at(i), acc[i])
	}
	g.VMOVUPS(operand.Mem{Base: limits}, limit)
	loop := g.label("deficit")
	g.Label(loop)
	for t := range taps {
		v, d := g.new(), g.new()
		m := operand.Mem{Base: src, Disp: 2 * t * g.bytes()}
		if g.wide() { // limit - min(|v|, limit), which is as much
			g.VMOVUPS(m, v)
			g.VRANGEPS(operand.U8(0b1010), limit, v, d)
			g.VSUBPS(d, limit, d)
		} else {
			g.VANDPS(m, mask, v)
			d = g.max(g.sub(limit, v), zero)
		}
		g.VFMADD231PS(v, v, acc[2*t+1])
		g.VFMADD231PS(d, d, acc[2*t])
	}
	g.ADDQ(operand.I32(18*g.bytes()), src)
	g.DECQ(n)
	g.JNZ(operand.LabelRef(loop))
	for i, a := range acc {
		g.VMOVUPS(a, at(i))
	}
	g.ret()
}

// shortfall sums by how much values fall short of a limit.
func shortfall(g *gen) {
	name := "shortfall" + g.w.name
	g.fn(name, "func(sum, x *float32, n int, limit float32)",
		name+" adds max(limit-|x|, 0)^2 of n vectors, an even number, to the vector sum.")
	sum := g.arg("sum")
	x := g.arg("x")
	n := g.arg("n")
	mask, zero, limit := g.hold(absBits), g.new(), g.scalar("limit")
	g.VXORPS(zero, zero, zero)
	acc := []V{g.new(), g.new()}
	g.VMOVUPS(operand.Mem{Base: sum}, acc[0])
	g.VXORPS(acc[1], acc[1], acc[1])
	loop := g.label("short")
	g.Label(loop)
	for i, a := range acc {
		v := g.new()
		g.VANDPS(operand.Mem{Base: x, Disp: i * g.bytes()}, mask, v)
		d := g.max(g.sub(limit, v), zero)
		g.VFMADD231PS(d, d, a)
	}
	g.ADDQ(operand.I32(2*g.bytes()), x)
	g.SUBQ(operand.I32(2), n)
	g.JNZ(operand.LabelRef(loop))
	g.VADDPS(acc[1], acc[0], acc[0])
	g.VMOVUPS(acc[0], operand.Mem{Base: sum})
	g.ret()
}
