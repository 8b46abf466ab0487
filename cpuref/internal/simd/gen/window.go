package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// windows writes sliding maxima and sums along a row, for strides 1 and 2.
func windows(g *gen) {
	for _, stride := range []int{1, 2} {
		for _, name := range []string{"windowMax", "windowSum"} {
			window(g, name, stride)
		}
	}
	if !g.wide() {
		prefetch(g)
	}
}

// prefetch asks for memory ahead of its use, line by line. Every processor that
// has AVX2 has the instruction, so there is one form of it.
func prefetch(g *gen) {
	g.fn("prefetchLines", "func(p *float32, lines int)", "prefetchLines asks for lines of 64 bytes from p on.")
	p := g.arg("p")
	lines := g.arg("lines")
	loop := g.label("line")
	g.Label(loop)
	g.PREFETCHT0(operand.Mem{Base: p})
	g.ADDQ(operand.I8(64), p)
	g.DECQ(lines)
	g.JNZ(operand.LabelRef(loop))
	g.RET()
}

// window writes dst[i] = max or sum over t < taps of src[i*stride + t*step].
// It works on whole vectors: n is a multiple of the lanes, and with stride 2
// one float behind the last one used is read.
func window(g *gen, name string, stride int) {
	full := name + map[int]string{1: "1", 2: "2"}[stride] + g.w.name
	g.fn(full, "func(dst, src *float32, n, taps, step int)", full+" slides a window along a row; n is a multiple of the lanes.")
	dst := g.arg("dst")
	src := g.arg("src")
	n := g.arg("n")
	taps := g.arg("taps")
	step := g.arg("step")
	g.SHLQ(operand.U8(2), step)
	L := g.w.lanes
	var even V
	if stride == 2 && g.wide() {
		even = g.new()
		g.VMOVDQU32(g.evensWhole(), even)
	}
	load := func(p reg.GPVirtual) V {
		v := g.new()
		g.VMOVUPS(operand.Mem{Base: p}, v)
		if stride == 1 {
			return v
		}
		if g.wide() {
			g.VPERMT2PS(operand.Mem{Base: p, Disp: g.bytes()}, even, v)
			return v
		}
		// Even elements of both halves, then the quarters in order.
		g.VSHUFPS(operand.U8(0x88), operand.Mem{Base: p, Disp: g.bytes()}, v, v)
		g.VPERMPD(operand.U8(0xd8), v, v)
		return v
	}
	loop, tap, store := g.label("window"), g.label("tap"), g.label("store")
	p, t := g.GP64(), g.GP64()
	g.Label(loop)
	g.MOVQ(src, p)
	g.MOVQ(taps, t)
	acc := load(p)
	g.DECQ(t)
	g.JZ(operand.LabelRef(store))
	g.Label(tap)
	g.ADDQ(step, p)
	v := load(p)
	if name == "windowSum" {
		g.VADDPS(v, acc, acc)
	} else {
		g.VMOVAPS(g.extreme(g.max, v, acc), acc)
	}
	g.DECQ(t)
	g.JNZ(operand.LabelRef(tap))
	g.Label(store)
	g.VMOVUPS(acc, operand.Mem{Base: dst})
	g.ADDQ(operand.I8(int8(4*L)), dst)
	g.ADDQ(operand.I32(4*L*stride), src)
	g.SUBQ(operand.I8(int8(L)), n)
	g.JG(operand.LabelRef(loop))
	g.ret()
}
