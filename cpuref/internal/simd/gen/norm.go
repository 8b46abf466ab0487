package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// norms writes the two passes of a normalization over a group that the caches
// hold between them.
func norms(g *gen) {
	shiftedSums(g)
	centerAhead(g)
}

// shiftedSums writes the sums of d = x-k and of d^2 in one pass. Eight terms are
// added in float32 before they go into sums in float64: half of the instructions of
// adding each in float64.
func shiftedSums(g *gen) {
	name := "shiftedSums" + g.w.name
	g.fn(name, "func(x *float32, n int, k float32, other int) (sum, squares float64)",
		name+" returns the sums of x-k and of (x-k)^2, and asks for the memory so many bytes from x; n is a multiple of 32.")
	x, n, shift, other := g.arg("x"), g.arg("n"), g.scalar("k"), g.arg("other")
	zero := func() V {
		v := g.new()
		g.VXORPS(v, v, v)
		return v
	}
	sums, squares := [2]V{zero(), zero()}, [2]V{zero(), zero()}
	widen := func(v V, acc [2]V) {
		low, high := g.new(), g.new()
		if g.wide() {
			h := g.YMM()
			g.VEXTRACTF64X4(operand.U8(1), v, h)
			g.VCVTPS2PD(v.AsY(), low)
			g.VCVTPS2PD(h, high)
		} else {
			h := g.XMM()
			g.VEXTRACTF128(operand.U8(1), v, h)
			g.VCVTPS2PD(v.AsX(), low)
			g.VCVTPS2PD(h, high)
		}
		g.VADDPD(low, acc[0], acc[0])
		g.VADDPD(high, acc[1], acc[1])
	}
	// vectors adds so many vectors, a power of two, pair by pair.
	vectors := func(count int) {
		var s, q []V
		for i := range count {
			if i*g.bytes()%64 == 0 {
				g.PREFETCHT0(operand.Mem{Base: x, Disp: sumAhead + i*g.bytes()})
				g.PREFETCHT1(operand.Mem{Base: x, Index: other, Scale: 1, Disp: i * g.bytes()})
			}
			d := g.new()
			g.VMOVUPS(operand.Mem{Base: x, Disp: i * g.bytes()}, d)
			g.VSUBPS(shift, d, d)
			if i < 2 {
				q = append(q, g.mul(d, d))
			} else {
				g.VFMADD231PS(d, d, q[i%2])
			}
			s = append(s, d)
			for j := i + 1; j%2 == 0; j /= 2 {
				l := len(s)
				g.VADDPS(s[l-1], s[l-2], s[l-2])
				s = s[:l-1]
			}
		}
		widen(s[0], sums)
		widen(g.add(q[0], q[1]), squares)
		g.ADDQ(operand.I32(int32(count*g.bytes())), x)
	}
	g.inEights("shifted", n, vectors)
	g.VADDPD(sums[1], sums[0], sums[0])
	g.VADDPD(squares[1], squares[0], squares[0])
	g.storeSum(sums[0], 0)
	g.storeSum(squares[0], 1)
	g.ret()
}

// sumAhead is how many bytes ahead the moments of a group ask for memory, where the
// pass before has often brought it to the second-level cache. A sum over what lies in
// memory itself is faster without: it would fill the processor's queue of lines.
const sumAhead = 4096

// inEights runs vectors(8) over n floats, a multiple of 32, and then what is left in
// pieces of 32.
func (g *gen) inEights(stem string, n reg.GPVirtual, vectors func(count int)) {
	L := g.w.lanes
	loop, rest, last, done := g.label(stem), g.label(stem+"rest"), g.label(stem+"last"), g.label(stem+"done")
	g.SUBQ(operand.I32(int32(8*L)), n)
	g.JLT(operand.LabelRef(rest))
	g.Label(loop)
	vectors(8)
	g.SUBQ(operand.I32(int32(8*L)), n)
	g.JGE(operand.LabelRef(loop))
	g.Label(rest)
	g.ADDQ(operand.I32(int32(8*L)), n)
	g.JZ(operand.LabelRef(done))
	g.Label(last)
	vectors(32 / L)
	g.SUBQ(operand.I8(32), n)
	g.JG(operand.LabelRef(last))
	g.Label(done)
}

// centerAhead writes dst = (src-a)*b + c, which asks for what lies further on: the
// pass over the next group finds it in the second-level cache.
func centerAhead(g *gen) {
	name := "centerAhead" + g.w.name
	g.fn(name, "func(dst, src *float32, n int, a, b, c float32, ahead int)",
		name+" sets dst = (src-a)*b + c and asks for the memory so many bytes ahead of src; n is a multiple of 16.")
	dst, src, n, ahead := g.arg("dst"), g.arg("src"), g.arg("n"), g.arg("ahead")
	a, b, c := g.scalar("a"), g.scalar("b"), g.scalar("c")
	loop, done := g.label("center"), g.label("centerdone")
	g.SUBQ(operand.I8(16), n)
	g.JLT(operand.LabelRef(done))
	g.Label(loop)
	g.PREFETCHT1(operand.Mem{Base: src, Index: ahead, Scale: 1})
	for i := 0; i < 64; i += g.bytes() {
		x := g.new()
		g.VMOVUPS(operand.Mem{Base: src, Disp: i}, x)
		g.VMOVUPS(g.fma(g.sub(x, a), b, c), operand.Mem{Base: dst, Disp: i})
	}
	g.ADDQ(operand.I8(64), src)
	g.ADDQ(operand.I8(64), dst)
	g.SUBQ(operand.I8(16), n)
	g.JGE(operand.LabelRef(loop))
	g.Label(done)
	g.ret()
}
