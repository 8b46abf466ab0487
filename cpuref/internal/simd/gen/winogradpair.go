package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// winogradPairs writes the lines of the gradient of a 3x3 kernel by the adjoint of
// Winograd's F(2x2, 3x3), points 0, +-1 and infinity.
func winogradPairs(g *gen) {
	pairLine(g, "pairInput", 4, func(d []V) []V {
		return []V{g.sub(d[0], d[2]), g.add(d[1], d[2]), g.sub(d[2], d[1]), g.sub(d[3], d[1])}
	})
	pairLine(g, "pairGrad", 2, func(d []V) []V {
		return []V{d[0], g.add(d[0], d[1]), g.sub(d[0], d[1]), d[1]}
	})
	half := func() V { return g.hold(k(0.5)) }
	pairLine(g, "pairTaps", 4, func(m []V) []V {
		h := half()
		p, q := g.add(m[1], m[2]), g.sub(m[1], m[2])
		return []V{g.fma(p, h, m[0]), g.mul(q, h), g.fma(p, h, m[3])}
	})
}

// pairLine writes one of them: for each of n items, in vectors srcPoint apart become
// those of line, dstPoint apart; the next item is srcStep and dstStep further.
func pairLine(g *gen, stem string, in int, line func([]V) []V) {
	name := stem + g.w.name
	g.fn(name, "func(dst, src *float32, n, dstPoint, srcPoint, dstStep, srcStep int)",
		name+" transforms n items of vectors that are srcPoint floats apart into vectors dstPoint apart.")
	dst, src, n := g.arg("dst"), g.arg("src"), g.arg("n")
	dp, sp, ds, ss := g.arg("dstPoint"), g.arg("srcPoint"), g.arg("dstStep"), g.arg("srcStep")
	for _, r := range []reg.GPVirtual{dp, sp, ds, ss} {
		g.SHLQ(operand.U8(2), r)
	}
	dp3, sp3 := g.GP64(), g.GP64()
	g.LEAQ(operand.Mem{Base: dp, Index: dp, Scale: 2}, dp3)
	g.LEAQ(operand.Mem{Base: sp, Index: sp, Scale: 2}, sp3)
	at := func(base, step, step3 reg.GPVirtual, i int) operand.Mem {
		switch i {
		case 0:
			return operand.Mem{Base: base}
		case 3:
			return operand.Mem{Base: base, Index: step3, Scale: 1}
		}
		return operand.Mem{Base: base, Index: step, Scale: uint8(i)}
	}
	loop := g.label("item")
	g.Label(loop)
	d := make([]V, in)
	for i := range d {
		d[i] = g.new()
		g.VMOVUPS(at(src, sp, sp3, i), d[i])
	}
	for i, v := range line(d) {
		g.VMOVUPS(v, at(dst, dp, dp3, i))
	}
	g.ADDQ(ss, src)
	g.ADDQ(ds, dst)
	g.DECQ(n)
	g.JNZ(operand.LabelRef(loop))
	g.ret()
}
