package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// dropouts writes the dropout of Philox4x32-10.
func dropouts(g *gen) {
	name := "dropout" + g.w.name
	g.fn(name, "func(dst, src *float32, counters int, counter, low, high, threshold uint32, scale float32)",
		name+" sets dst = word >= threshold ? src*scale : 0, four words for each counter from the given one on; counters is a multiple of 16.")
	dst, src, n := g.arg("dst"), g.arg("src"), g.arg("counters")
	// Lane 4L+j has counter j*lanes/4 + L, so that the words of four neighbours
	// come out together when words are gathered within 128 bits.
	order := g.StaticGlobal("philoxOrder")
	g.DataAttributes(rodata)
	quads := g.w.lanes / 4
	for i := range g.w.lanes {
		g.AppendDatum(operand.U32(i%4*quads + i/4))
	}
	counter := g.scalar("counter")
	first := g.new()
	g.VMOVUPS(order, first)
	counter = g.addInt(counter, first)
	if g.wide() {
		bits := g.GP32()
		g.MOVL(operand.U32(0xaaaa), bits)
		g.KMOVW(bits, reg.K6) // the odd lanes
	}
	loop := g.label("philox")
	g.Label(loop)
	var c [4]V
	for i := range c {
		c[i] = g.new()
		g.VXORPS(c[i], c[i], c[i])
	}
	g.VMOVAPS(counter, c[0])
	k0, k1 := g.scalar("low"), g.scalar("high") // registers are scarce: what is used once is loaded anew
	left := g.GP64()
	g.MOVQ(operand.I32(10), left)
	round := g.label("round")
	g.Label(round)
	hi0, lo0 := g.mulWide(c[0], 0xD2511F53)
	hi1, lo1 := g.mulWide(c[2], 0xCD9E8D57)
	g.VXORPS(c[1], hi1, hi1)
	g.VXORPS(k0, hi1, c[0])
	g.VXORPS(c[3], hi0, hi0)
	g.VXORPS(k1, hi0, c[2])
	g.VMOVAPS(lo1, c[1])
	g.VMOVAPS(lo0, c[3])
	g.VMOVAPS(g.addInt(k0, konst(0x9E3779B9)), k0)
	g.VMOVAPS(g.addInt(k1, konst(0xBB67AE85)), k1)
	g.DECQ(left)
	g.JNZ(operand.LabelRef(round))
	// Four vectors of one word of every counter become four of all words of a
	// quarter of them.
	pair := func(a, b V, up bool) V {
		d := g.new()
		if up {
			g.VPUNPCKHDQ(b, a, d)
		} else {
			g.VPUNPCKLDQ(b, a, d)
		}
		return d
	}
	quad := func(a, b V, up bool) V {
		d := g.new()
		if up {
			g.VPUNPCKHQDQ(b, a, d)
		} else {
			g.VPUNPCKLQDQ(b, a, d)
		}
		return d
	}
	a, b := pair(c[0], c[1], false), pair(c[2], c[3], false)
	d, e := pair(c[0], c[1], true), pair(c[2], c[3], true)
	threshold, scale := g.scalar("threshold"), g.scalar("scale")
	for i, w := range []V{quad(a, b, false), quad(a, b, true), quad(d, e, false), quad(d, e, true)} {
		x := g.new()
		g.VMOVUPS(operand.Mem{Base: src, Disp: g.bytes() * i}, x)
		most := g.new()
		g.VPMAXUD(w, threshold, most)
		kept := mask{}
		if g.wide() {
			kept.k = g.K()
			g.VPCMPEQD(most, w, kept.k)
		} else {
			kept.v = g.new()
			g.VPCMPEQD(most, w, kept.v)
		}
		g.VMOVUPS(g.keep(kept, g.mul(x, scale)), operand.Mem{Base: dst, Disp: g.bytes() * i})
	}
	next := g.new()
	g.VMOVAPS(counter, next)
	g.VMOVAPS(g.addInt(next, konst(g.w.lanes)), counter)
	g.ADDQ(operand.I32(4*g.bytes()), src)
	g.ADDQ(operand.I32(4*g.bytes()), dst)
	g.SUBQ(operand.I8(int8(g.w.lanes)), n)
	g.JG(operand.LabelRef(loop))
	g.ret()
}

// mulWide returns the high and the low words of the products of 32-bit integers
// with a constant.
func (g *gen) mulWide(a V, by konst) (hi, lo V) {
	b := g.hold(by)
	odd := g.new()
	g.VPSRLQ(operand.U8(32), a, odd)
	g.VPMULUDQ(b, odd, odd)
	lo, hi = g.new(), g.new()
	g.VPMULLD(b, a, lo)
	g.VPMULUDQ(b, a, hi)
	g.VPSRLQ(operand.U8(32), hi, hi)
	if g.wide() {
		g.VPBLENDMD(odd, hi, reg.K6, hi)
	} else {
		g.VPBLENDD(operand.U8(0xaa), odd, hi, hi)
	}
	return hi, lo
}
