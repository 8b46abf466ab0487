package main

import (
	"github.com/mmcloughlin/avo/operand"
)

// spreads writes what a row becomes under windows of 3, two apart.
func spreads(g *gen) {
	spread3(g, "spread3Own", "src[j] and src[j]+src[j+1]", false)
	spread3(g, "spread3Sum", "src[j]+src[j+1] and src[j+1]", true)
}

func spread3(g *gen, name, what string, sumFirst bool) {
	full := name + g.w.name
	g.fn(full, "func(dst, src *float32, n int, a float32)", full+" sets dst[2*j] and dst[2*j+1] to a times "+what+", for j < n in whole vectors; n is not 0.")
	dst, src, n := g.arg("dst"), g.arg("src"), g.arg("n")
	a := g.scalar("a")
	var low, high V
	if g.wide() {
		low, high = g.new(), g.new()
		g.VMOVDQU32(g.table("zipLow", func(i int) int { return i/2 + i%2*16 }), low)
		g.VMOVDQU32(g.table("zipHigh", func(i int) int { return 8 + i/2 + i%2*16 }), high)
	}
	loop := g.label("spread")
	g.Label(loop)
	own, next := g.new(), g.new()
	g.VMULPS(operand.Mem{Base: src}, a, own)
	g.VMULPS(operand.Mem{Base: src, Disp: 4}, a, next)
	sum := g.add(own, next)
	x, y := own, sum
	if sumFirst {
		x, y = sum, next
	}
	var v [2]V
	if g.wide() {
		for i, index := range []V{low, high} {
			t := g.copy(index)
			g.VPERMI2PS(y, x, t)
			v[i] = t
		}
	} else {
		l, h := g.new(), g.new()
		g.VUNPCKLPS(y, x, l)
		g.VUNPCKHPS(y, x, h)
		v[0], v[1] = g.new(), g.new()
		g.VPERM2F128(operand.U8(0x20), h, l, v[0])
		g.VPERM2F128(operand.U8(0x31), h, l, v[1])
	}
	for i := range v {
		g.VMOVUPS(v[i], operand.Mem{Base: dst, Disp: i * g.bytes()})
	}
	g.ADDQ(operand.I32(int32(4*g.w.lanes)), src)
	g.ADDQ(operand.I32(int32(8*g.w.lanes)), dst)
	g.SUBQ(operand.I8(int8(g.w.lanes)), n)
	g.JG(operand.LabelRef(loop))
	g.ret()
}
