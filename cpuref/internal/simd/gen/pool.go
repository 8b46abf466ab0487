package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pools writes the poolings with windows of 2x2 side by side: one pass, where
// windows of any size take one over the rows, one along them and one for the scale.
func pools(g *gen) {
	pool2x2(g, "poolMax2x2", "the largest")
	pool2x2(g, "poolSum2x2", "scale times the sum")
}

func pool2x2(g *gen, name, what string) {
	g.fn(name+g.w.name, "func(dst, src *float32, rows, out, width int, scale float32)",
		name+g.w.name+" sets dst[r*out+o] to "+what+" of src[2*o] and src[2*o+1] in rows 2*r and 2*r+1, width apart; rows and out are positive.")
	dst, src, rows, out, width := g.arg("dst"), g.arg("src"), g.arg("rows"), g.arg("out"), g.arg("width")
	g.SHLQ(operand.U8(2), width)
	scale := g.scalar("scale")
	zero := g.new()
	g.VXORPS(zero, zero, zero)
	var even, odd V
	if g.wide() {
		even, odd = g.new(), g.new()
		g.VMOVDQU32(g.evensWhole(), even)
		g.VMOVDQU32(g.table("oddsWhole", func(i int) int { return 2*i + 1 }), odd)
	}
	L := g.w.lanes
	rest, twice := g.GP64(), g.GP64()
	g.MOVQ(out, rest)
	g.ANDQ(operand.I8(int8(L-1)), rest)
	g.LEAQ(operand.Mem{Base: rest, Index: rest, Scale: 1}, twice)
	in := vecMask(g, twice, 2, []reg.OpmaskPhysical{reg.K1, reg.K2}, []reg.VecPhysical{g.vec(14), g.vec(15)})
	to := vecMask(g, rest, 1, []reg.OpmaskPhysical{reg.K3}, []reg.VecPhysical{g.vec(13)})[0]

	// of combines two vectors, of which x counts as the first.
	of := func(x, y V) V {
		if name == "poolSum2x2" {
			return g.add(x, y)
		}
		return g.extreme(g.max, x, y)
	}
	// vector returns the next outputs.
	p, q := g.GP64(), g.GP64()
	vector := func(load func(m operand.Mem, i int, v V)) V {
		var m [2]V
		for i := range m {
			a, b := g.new(), g.new()
			load(operand.Mem{Base: p, Disp: i * g.bytes()}, i, a)
			load(operand.Mem{Base: q, Disp: i * g.bytes()}, i, b)
			m[i] = of(a, b)
		}
		var l, r, y V
		if g.wide() {
			l, r = g.copy(m[0]), m[0]
			g.VPERMT2PS(m[1], even, l)
			g.VPERMT2PS(m[1], odd, r)
		} else {
			l, r = g.new(), g.new()
			g.VSHUFPS(operand.U8(0x88), m[1], m[0], l)
			g.VSHUFPS(operand.U8(0xdd), m[1], m[0], r)
		}
		if name == "poolSum2x2" {
			y = g.fma(of(l, r), scale, zero)
		} else {
			y = of(r, l)
		}
		if !g.wide() {
			g.VPERMPD(operand.U8(0xd8), y, y)
		}
		return y
	}
	row, loop, last, next := g.label("pool"), g.label("poolloop"), g.label("poollast"), g.label("poolnext")
	left := g.GP64()
	g.Label(row)
	g.MOVQ(src, p)
	g.LEAQ(operand.Mem{Base: src, Index: width, Scale: 1}, q)
	g.MOVQ(out, left)
	g.SUBQ(operand.I8(int8(L)), left)
	g.JLT(operand.LabelRef(last))
	g.Label(loop)
	for i := 0; i < 2*g.bytes(); i += 64 {
		g.PREFETCHT0(operand.Mem{Base: p, Disp: prefetchAhead + i})
		g.PREFETCHT0(operand.Mem{Base: q, Disp: prefetchAhead + i})
	}
	y := vector(func(m operand.Mem, _ int, v V) { g.VMOVUPS(m, v) })
	g.VMOVUPS(y, operand.Mem{Base: dst})
	g.ADDQ(operand.I32(int32(8*L)), p)
	g.ADDQ(operand.I32(int32(8*L)), q)
	g.ADDQ(operand.I8(int8(4*L)), dst)
	g.SUBQ(operand.I8(int8(L)), left)
	g.JGE(operand.LabelRef(loop))
	g.Label(last)
	g.TESTQ(rest, rest)
	g.JZ(operand.LabelRef(next))
	y = vector(func(m operand.Mem, i int, v V) { g.maskedLoad(m, in[i], v) })
	g.maskedStore(y, to, operand.Mem{Base: dst})
	g.LEAQ(operand.Mem{Base: dst, Index: rest, Scale: 4}, dst)
	g.Label(next)
	g.LEAQ(operand.Mem{Base: src, Index: width, Scale: 2}, src)
	g.DECQ(rows)
	g.JNZ(operand.LabelRef(row))
	g.ret()
}
