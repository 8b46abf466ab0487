package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tails writes what follows a convolution or a matrix product, in place.
func tails(g *gen) {
	for _, norm := range []bool{false, true} {
		for _, add := range []bool{false, true} {
			tail(g, norm, add)
		}
	}
}

// tail normalizes rows, adds others and clamps.
func tail(g *gen, norm, add bool) {
	name, doc := "tail", "y[r*stride+i]"
	if norm {
		name, doc = name+"Norm", "(("+doc+" - a[r])*b[r] + c[r])"
	}
	if add {
		name, doc = name+"Add", doc+" + z[r*stride+i]"
	}
	name += g.w.name
	g.fn(name, "func(y, z, a, b, c *float32, stride, rows, n int, lo, hi float32)",
		name+" sets y[r*stride+i] = min(max("+doc+", lo), hi) for r < rows, i < n; rows and n are positive.")
	y := g.arg("y")
	var z, a, b, c reg.GPVirtual
	if add {
		z = g.arg("z")
	}
	if norm {
		a, b, c = g.arg("a"), g.arg("b"), g.arg("c")
	}
	stride, rows, n := g.arg("stride"), g.arg("rows"), g.arg("n")
	g.SHLQ(operand.U8(2), stride)
	broadcast := func(m operand.Mem) V {
		v := g.new()
		g.VBROADCASTSS(m, v)
		return v
	}
	lo, hi := g.scalar("lo"), g.scalar("hi")
	L := g.w.lanes
	rest := g.GP64()
	g.MOVQ(n, rest)
	g.ANDQ(operand.I8(int8(L-1)), rest)
	mask := vecMask(g, rest, 1, []reg.OpmaskPhysical{reg.K1}, []reg.VecPhysical{g.vec(15)})[0]
	row, loop, last, next := g.label("row"), g.label("loop"), g.label("last"), g.label("next")
	at, left := g.GP64(), g.GP64()
	g.Label(row)
	var va, vb, vc V
	if norm {
		va, vb, vc = broadcast(operand.Mem{Base: a}), broadcast(operand.Mem{Base: b}), broadcast(operand.Mem{Base: c})
	}
	value := func(x, other V) V {
		if norm {
			x = g.fma(g.sub(x, va), vb, vc)
		}
		if add {
			x = g.add(x, other)
		}
		return g.min(hi, g.max(lo, x))
	}
	g.XORQ(at, at)
	g.MOVQ(n, left)
	g.SUBQ(operand.I8(int8(L)), left)
	g.JLT(operand.LabelRef(last))
	g.Label(loop)
	x, other := g.new(), g.new()
	g.VMOVUPS(operand.Mem{Base: y, Index: at, Scale: 1}, x)
	if add {
		g.VMOVUPS(operand.Mem{Base: z, Index: at, Scale: 1}, other)
	}
	g.VMOVUPS(value(x, other), operand.Mem{Base: y, Index: at, Scale: 1})
	g.ADDQ(operand.I8(int8(4*L)), at)
	g.SUBQ(operand.I8(int8(L)), left)
	g.JGE(operand.LabelRef(loop))
	g.Label(last)
	g.TESTQ(rest, rest)
	g.JZ(operand.LabelRef(next))
	x, other = g.new(), g.new()
	g.maskedLoad(operand.Mem{Base: y, Index: at, Scale: 1}, mask, x)
	if add {
		g.maskedLoad(operand.Mem{Base: z, Index: at, Scale: 1}, mask, other)
	}
	g.maskedStore(value(x, other), mask, operand.Mem{Base: y, Index: at, Scale: 1})
	g.Label(next)
	g.ADDQ(stride, y)
	if add {
		g.ADDQ(stride, z)
	}
	if norm {
		g.ADDQ(operand.I8(4), a)
		g.ADDQ(operand.I8(4), b)
		g.ADDQ(operand.I8(4), c)
	}
	g.DECQ(rows)
	g.JNZ(operand.LabelRef(row))
	g.ret()
}
