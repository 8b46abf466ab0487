package main

import (
	"github.com/mmcloughlin/avo/operand"
)

// gathers writes sums along a row of elements that a table names.
func gathers(g *gen) {
	name := "gatherSum" + g.w.name
	g.fn(name, "func(dst, src *float32, idx *int32, w *float32, n, stride, taps int)",
		name+" sets dst[i] to the sum over t < taps of w[t*stride+i]*src[idx[t*stride+i]]; where a weight is 0 nothing is read. n is not 0.")
	dst, src, idx, w := g.arg("dst"), g.arg("src"), g.arg("idx"), g.arg("w")
	n, stride, taps := g.arg("n"), g.arg("stride"), g.arg("taps")
	L := g.w.lanes
	g.SHLQ(operand.U8(2), stride)
	pi, pw, t := g.GP64(), g.GP64(), g.GP64()
	loop, tap, part, end := g.label("gather"), g.label("tap"), g.label("part"), g.label("gathered")
	g.Label(loop)
	g.MOVQ(idx, pi)
	g.MOVQ(w, pw)
	g.MOVQ(taps, t)
	acc := g.hold(k(0))
	g.Label(tap)
	weight, at, v := g.new(), g.new(), g.new()
	g.VMOVUPS(operand.Mem{Base: pw}, weight)
	g.VMOVUPS(operand.Mem{Base: pi}, at)
	g.VXORPS(v, v, v)
	m := g.cmp(weight, 4, k(0)) // not equal
	from := operand.Mem{Base: src, Index: at, Scale: 4}
	if g.wide() {
		g.VGATHERDPS(from, m.k, v)
	} else {
		g.VGATHERDPS(m.v, from, v)
	}
	g.VFMADD231PS(v, weight, acc)
	g.ADDQ(stride, pi)
	g.ADDQ(stride, pw)
	g.DECQ(t)
	g.JNZ(operand.LabelRef(tap))
	g.CMPQ(n, operand.I8(int8(L)))
	g.JLT(operand.LabelRef(part))
	g.VMOVUPS(acc, operand.Mem{Base: dst})
	for _, p := range []operand.Op{dst, idx, w} {
		g.ADDQ(operand.I8(int8(4*L)), p)
	}
	g.SUBQ(operand.I8(int8(L)), n)
	g.JNZ(operand.LabelRef(loop))
	g.JMP(operand.LabelRef(end))
	g.Label(part)
	g.tailMask(n)
	g.tailStore(acc, n, operand.Mem{Base: dst})
	g.Label(end)
	g.ret()
}
