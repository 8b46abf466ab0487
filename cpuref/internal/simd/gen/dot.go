package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// dotRows is how many rows of x a dot kernel takes at most.
func dotRows(w width) int { return w.regs/8 + (w.regs/16)%2 } // 4 and 3

// dots writes kernels for products of few rows with many: every dot product
// of rows rows of x with cols rows of w, all read in place.
func dots(g *gen) {
	for _, cols := range []int{1, 4} {
		for rows := 1; rows <= dotRows(g.w); rows++ {
			dotKernel(g, rows, cols)
		}
	}
}

func dotKernel(g *gen, rows, cols int) {
	name := fmt.Sprintf("dot%dx%d%s", rows, cols, g.w.name)
	g.fn(name, "func(out, x, w *float32, ldx, ldw, k int)",
		fmt.Sprintf("%s sets out[4*i+j] to the dot product of row i of x and row j of w, i < %d, j < %d.", name, rows, cols))
	out := g.arg("out")
	x := g.arg("x")
	w := g.arg("w")
	ldx := g.arg("ldx")
	ldw := g.arg("ldw")
	k := g.arg("k")
	g.SHLQ(operand.U8(2), ldx)
	g.SHLQ(operand.U8(2), ldw)
	// Rows are addressed as base, +1, +2 strides, and a second base at +3.
	row := func(base, ld reg.GPVirtual, n int) []operand.Mem {
		ms := []operand.Mem{{Base: base}}
		if n > 1 {
			ms = append(ms, operand.Mem{Base: base, Index: ld, Scale: 1})
		}
		if n > 2 {
			ms = append(ms, operand.Mem{Base: base, Index: ld, Scale: 2})
		}
		if n > 3 {
			third := g.GP64()
			g.LEAQ(operand.Mem{Base: ld, Index: ld, Scale: 2}, third)
			ms = append(ms, operand.Mem{Base: base, Index: third, Scale: 1})
		}
		return ms
	}
	xs, ws := row(x, ldx, rows), row(w, ldw, cols)
	acc := func(i, j int) reg.VecPhysical { return g.vec(i*cols + j) }
	xv := func(i int) reg.VecPhysical { return g.vec(rows*cols + i) }
	wv := g.vec(g.w.regs - 1)
	for i := range rows {
		for j := range cols {
			g.zero(acc(i, j))
		}
	}
	loop, tail, done := g.label("dot"), g.label("dottail"), g.label("dotdone")
	L := g.w.lanes
	body := func(load func(m operand.Mem, v reg.VecPhysical)) {
		for i := range rows {
			load(xs[i], xv(i))
		}
		for j := range cols {
			load(ws[j], wv)
			for i := range rows {
				g.VFMADD231PS(xv(i), wv, acc(i, j))
			}
		}
	}
	g.SUBQ(operand.I8(int8(L)), k)
	g.JLT(operand.LabelRef(tail))
	g.Label(loop)
	body(func(m operand.Mem, v reg.VecPhysical) { g.VMOVUPS(m, v) })
	g.ADDQ(operand.I8(int8(4*L)), x)
	g.ADDQ(operand.I8(int8(4*L)), w)
	g.SUBQ(operand.I8(int8(L)), k)
	g.JGE(operand.LabelRef(loop))
	g.Label(tail)
	g.ADDQ(operand.I8(int8(L)), k)
	g.JZ(operand.LabelRef(done))
	if L == 16 {
		mask := vecMask(g, k, 1, []reg.OpmaskPhysical{reg.K1}, nil)[0]
		body(func(m operand.Mem, v reg.VecPhysical) { g.maskedLoad(m, mask, v) })
	} else {
		// No register is free for the mask: it is loaded into the destination first.
		table, at := g.GP64(), g.GP64()
		g.LEAQ(g.maskTable(), table)
		g.MOVQ(operand.I32(16), at)
		g.SUBQ(k, at)
		body(func(m operand.Mem, v reg.VecPhysical) {
			g.VMOVDQU(operand.Mem{Base: table, Index: at, Scale: 4}, v)
			g.VMASKMOVPS(m, v, v)
		})
	}
	g.Label(done)
	for i := range rows {
		for j := range cols {
			g.foldToX(acc(i, j), wv)
		}
		if cols == 1 {
			a := acc(i, 0).AsX()
			g.VHADDPS(a, a, a)
			g.VHADDPS(a, a, a)
			g.VMOVSS(a, operand.Mem{Base: out, Disp: 16 * i})
			continue
		}
		a, b, c, d := acc(i, 0).AsX(), acc(i, 1).AsX(), acc(i, 2).AsX(), acc(i, 3).AsX()
		g.VHADDPS(b, a, a)
		g.VHADDPS(d, c, c)
		g.VHADDPS(c, a, a)
		g.VMOVUPS(a, operand.Mem{Base: out, Disp: 16 * i})
	}
	g.ret()
}

// foldToX adds the quarters or halves of v into its low 128 bits; v and tmp
// are below 16 or the level has EVEX forms.
func (g *gen) foldToX(v, tmp reg.VecPhysical) {
	if g.w.lanes == 16 {
		g.VEXTRACTF64X4(operand.U8(1), v, tmp.AsY())
		g.VADDPS(tmp.AsY(), v.AsY(), v.AsY())
		g.VEXTRACTF32X4(operand.U8(1), v.AsY(), tmp.AsX())
		g.VADDPS(tmp.AsX(), v.AsX(), v.AsX())
		return
	}
	g.VEXTRACTF128(operand.U8(1), v, tmp.AsX())
	g.VADDPS(tmp.AsX(), v.AsX(), v.AsX())
}
