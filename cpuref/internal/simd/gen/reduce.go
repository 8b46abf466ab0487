package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// reduce writes the reductions. Sums are kept in float64, which is nearly free
// beside the memory accesses, in partial sums that depend on the length alone.
func reduce(g *gen) {
	sums(g, "sum", "func(x *float32, n int) float64", "returns the sum of x; n is a multiple of 32.", nil)
	sums(g, "sumSquares", "func(x *float32, n int, mean float64) float64",
		"returns the sum of (x-mean)^2; n is a multiple of 32.", func(mean, v, acc V) {
			g.VSUBPD(mean, v, v)
			g.VFMADD231PD(v, v, acc)
		})
	sums(g, "sumProducts", "func(x, y *float32, n int) float64",
		"returns the sum of x*y; n is a multiple of 32.", nil)
	maxReduce(g)
	countEquals(g)
	expSum(g, "expSum", true)
	expSum(g, "sumExp", false)
}

// sums writes a sum over one array, or over the products of two.
func sums(g *gen, name, sig, doc string, step func(mean, v, acc V)) {
	g.fn(name+g.w.name, sig, name+g.w.name+" "+doc)
	x := g.arg("x")
	n := g.arg("n")
	var y reg.GPVirtual
	if name == "sumProducts" {
		y = g.arg("y")
	}
	var mean V
	if step != nil {
		mean = g.new()
		g.VBROADCASTSD(g.place("mean"), mean)
	}
	// Eight chains of additions in AVX2, four of twice the width in AVX-512.
	half := 2 * g.w.lanes // bytes of floats that fill a vector of doubles
	chains := 128 / half
	acc := make([]V, chains)
	for i := range acc {
		acc[i] = g.new()
		g.VXORPS(acc[i], acc[i], acc[i])
	}
	loop, done := g.label("sum"), g.label("sumdone")
	g.SUBQ(operand.I8(32), n)
	g.JLT(operand.LabelRef(done))
	g.Label(loop)
	for i := range acc {
		v := g.new()
		g.VCVTPS2PD(operand.Mem{Base: x, Disp: half * i}, v)
		switch {
		case step != nil:
			step(mean, v, acc[i])
		case name == "sumProducts":
			w := g.new()
			g.VCVTPS2PD(operand.Mem{Base: y, Disp: half * i}, w)
			g.VFMADD231PD(v, w, acc[i])
		default:
			g.VADDPD(v, acc[i], acc[i])
		}
	}
	g.SUBQ(operand.I8(-128), x)
	if name == "sumProducts" {
		g.SUBQ(operand.I8(-128), y)
	}
	g.SUBQ(operand.I8(32), n)
	g.JGE(operand.LabelRef(loop))
	g.Label(done)
	for w := chains / 2; w > 0; w /= 2 {
		for i := range w {
			g.VADDPD(acc[i+w], acc[i], acc[i])
		}
	}
	g.storeSum(acc[0], 0)
	g.ret()
}

// storeSum returns the sum of the doubles in v as the given result.
func (g *gen) storeSum(v V, result int) {
	if g.wide() {
		h := g.YMM()
		g.VEXTRACTF64X4(operand.U8(1), v, h)
		g.VADDPD(h, v.AsY(), v.AsY())
	}
	h := g.XMM()
	g.VEXTRACTF128(operand.U8(1), v.AsY(), h)
	g.VADDPD(h, v.AsX(), v.AsX())
	g.VHADDPD(v.AsX(), v.AsX(), v.AsX())
	g.Store(v.AsX(), g.ReturnIndex(result))
}

// maxReduce returns the largest of n floats, NaN where one is.
func maxReduce(g *gen) {
	name := "maxReduce" + g.w.name
	g.fn(name, "func(x *float32, n int) float32", name+" returns the largest of x, or NaN where there is one; n is a positive multiple of 32.")
	x := g.arg("x")
	n := g.arg("n")
	chains := 32 / g.w.lanes
	acc := make([]V, chains)
	for i := range acc {
		acc[i] = g.hold(minusInf)
	}
	// A sum of the arguments times zero would do as well, but for infinities.
	bad := g.new()
	g.VXORPS(bad, bad, bad)
	badK := g.K()
	if g.wide() {
		g.KXORW(badK, badK, badK)
	}
	loop := g.label("max")
	g.Label(loop)
	for i := range acc {
		v := g.new()
		g.VMOVUPS(operand.Mem{Base: x, Disp: g.bytes() * i}, v)
		g.VMAXPS(v, acc[i], acc[i])
		m := g.cmp(v, unord, v)
		if g.wide() {
			g.KORW(m.k, badK, badK)
		} else {
			g.VORPS(m.v, bad, bad)
		}
	}
	g.SUBQ(operand.I8(-128), x)
	g.SUBQ(operand.I8(32), n)
	g.JG(operand.LabelRef(loop))
	for w := chains / 2; w > 0; w /= 2 {
		for i := range w {
			g.VMAXPS(acc[i+w], acc[i], acc[i])
		}
	}
	a := acc[0]
	if g.wide() {
		h := g.YMM()
		g.VEXTRACTF64X4(operand.U8(1), a, h)
		g.VMAXPS(h, a.AsY(), a.AsY())
	}
	h := g.XMM()
	g.VEXTRACTF128(operand.U8(1), a.AsY(), h)
	g.VMAXPS(h, a.AsX(), a.AsX())
	g.VPERMILPS(operand.U8(0x4e), a.AsX(), h)
	g.VMAXPS(h, a.AsX(), a.AsX())
	g.VPERMILPS(operand.U8(0xb1), a.AsX(), h)
	g.VMAXPS(h, a.AsX(), a.AsX())
	flags := g.GP32()
	if g.wide() {
		g.KMOVW(badK, flags)
	} else {
		g.VMOVMSKPS(bad, flags)
	}
	ok := g.label("ordered")
	g.TESTL(flags, flags)
	g.JZ(operand.LabelRef(ok))
	g.VBROADCASTSS(g.constant(nan), a.AsX())
	g.Label(ok)
	g.Store(a.AsX(), g.ReturnIndex(0))
	g.ret()
}

// countEquals counts in float32, which is exact up to 2^24.
func countEquals(g *gen) {
	name := "countEquals" + g.w.name
	g.fn(name, "func(x *float32, n int, a float32) float32", name+" returns how many of x equal a; n is a positive multiple of 32.")
	x := g.arg("x")
	n := g.arg("n")
	a, one := g.scalar("a"), g.hold(k(1))
	acc := make([]V, 32/g.w.lanes)
	for i := range acc {
		acc[i] = g.hold(k(0))
	}
	loop := g.label("count")
	g.Label(loop)
	for i := range acc {
		v := g.new()
		g.VMOVUPS(operand.Mem{Base: x, Disp: g.bytes() * i}, v)
		if m := g.cmp(v, eq, a); g.wide() {
			g.VADDPS(one, acc[i], m.k, acc[i])
		} else {
			g.VADDPS(g.and(one, m.v), acc[i], acc[i])
		}
	}
	g.SUBQ(operand.I8(-128), x)
	g.SUBQ(operand.I8(32), n)
	g.JG(operand.LabelRef(loop))
	for _, v := range acc[1:] {
		g.VADDPS(v, acc[0], acc[0])
	}
	s := acc[0]
	if g.wide() {
		h := g.YMM()
		g.VEXTRACTF64X4(operand.U8(1), s, h)
		g.VADDPS(h, s.AsY(), s.AsY())
	}
	h := g.XMM()
	g.VEXTRACTF128(operand.U8(1), s.AsY(), h)
	g.VADDPS(h, s.AsX(), s.AsX())
	g.VHADDPS(s.AsX(), s.AsX(), s.AsX())
	g.VHADDPS(s.AsX(), s.AsX(), s.AsX())
	g.Store(s.AsX(), g.ReturnIndex(0))
	g.ret()
}

// expSum writes dst = e^(x-a) with the sum of the results, or the sum alone.
func expSum(g *gen, name string, store bool) {
	sig, doc := "func(x *float32, n int, a float32) float64", " returns the sum of e^(x-a)."
	if store {
		sig, doc = "func(dst, x *float32, n int, a float32) float64", " sets dst = e^(x-a) and returns the sum."
	}
	g.fn(name+g.w.name, sig, name+g.w.name+doc)
	x := g.arg("x")
	n := g.arg("n")
	var dst reg.GPVirtual
	if store {
		dst = g.arg("dst")
	}
	a := g.scalar("a")
	clamp := g.clamps(-104, 89)
	acc := []V{g.new(), g.new()}
	for _, v := range acc {
		g.VXORPS(v, v, v)
	}
	tail := g.GP64()
	g.XORQ(tail, tail)
	loop, body, keep, partial, rest, end := g.label("exp"), g.label("expbody"), g.label("expkeep"), g.label("exppart"), g.label("exprest"), g.label("expend")
	L := g.w.lanes
	v := g.new()
	g.SUBQ(operand.I8(int8(L)), n)
	g.JLT(operand.LabelRef(rest))
	g.Label(loop)
	g.VMOVUPS(operand.Mem{Base: x}, v)
	g.Label(body)
	// What the subtraction rounds off (Knuth) is kept: e^d is as sensitive as d
	// is large.
	d := g.sub(v, a)
	back := g.sub(d, v)
	lost := g.sub(g.sub(v, g.sub(d, back)), g.add(back, a))
	lost = g.keep(g.cmp(d, gt, k(-104)), lost)
	s, r := g.reduce(clamp(d), 1)
	r = g.add(r, lost)
	e := g.ldexp(g.expR(r), s)
	g.TESTQ(tail, tail)
	g.JNZ(operand.LabelRef(partial))
	if store {
		g.VMOVUPS(e, operand.Mem{Base: dst})
	}
	g.Label(keep)
	low, high := g.new(), g.new()
	if g.wide() {
		g.VCVTPS2PD(e.AsY(), low)
		h := g.YMM()
		g.VEXTRACTF64X4(operand.U8(1), e, h)
		g.VCVTPS2PD(h, high)
	} else {
		g.VCVTPS2PD(e.AsX(), low)
		h := g.XMM()
		g.VEXTRACTF128(operand.U8(1), e, h)
		g.VCVTPS2PD(h, high)
	}
	g.VADDPD(low, acc[0], acc[0])
	g.VADDPD(high, acc[1], acc[1])
	g.ADDQ(operand.I8(int8(4*L)), x)
	if store {
		g.ADDQ(operand.I8(int8(4*L)), dst)
	}
	g.SUBQ(operand.I8(int8(L)), n)
	g.JGE(operand.LabelRef(loop))
	g.Label(rest)
	g.ADDQ(operand.I8(int8(L)), n)
	g.JLE(operand.LabelRef(end))
	g.TESTQ(tail, tail)
	g.JNZ(operand.LabelRef(end))
	g.MOVQ(operand.I32(1), tail)
	g.maskedLoad(operand.Mem{Base: x}, g.tailMask(n), v)
	g.JMP(operand.LabelRef(body))
	g.Label(partial)
	if store {
		g.tailStore(e, n, operand.Mem{Base: dst})
	}
	if g.wide() {
		g.VMOVAPS_Z(e, reg.K7, e)
	} else {
		m := g.new()
		g.loadMask(n, m)
		g.VANDPS(m, e, e)
	}
	g.XORQ(n, n)
	g.JMP(operand.LabelRef(keep))
	g.Label(end)
	g.VADDPD(acc[1], acc[0], acc[0])
	g.storeSum(acc[0], 0)
	g.ret()
}
