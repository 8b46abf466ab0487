package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transposeTall turns rows of one vector each into columns: element c of row r
// goes to dst[c*dstStride+r]. Whole blocks first; of what is left, 8 to 10 rows are
// a block of 8, for half the shuffles, and a row or two go element by element.
func transposeTall(g *gen) {
	L := g.w.lanes
	name := "transposeTall" + g.w.name
	g.fn(name, "func(dst, src *float32, dstStride, srcStride, rows, n int)",
		name+" sets dst[c*dstStride+r] = src[r*srcStride+c] for r < rows and c < n, n at most one vector; whole vectors of src are read.")
	dst := g.arg("dst")
	src := g.arg("src")
	ds := g.arg("dstStride")
	ss := g.arg("srcStride")
	rows := g.arg("rows")
	n := g.arg("n")
	g.SHLQ(operand.U8(2), ds)
	g.SHLQ(operand.U8(2), ss)
	at, d := g.GP64(), g.GP64()

	// columns calls store for each of the n columns that are there.
	columns := func(store func(i int)) {
		out := g.label("out")
		g.MOVQ(dst, d)
		for i := range L {
			store(i)
			if i < L-1 {
				g.CMPQ(n, operand.I8(int8(i+1)))
				g.JLE(operand.LabelRef(out))
				g.ADDQ(ds, d)
			}
		}
		g.Label(out)
	}
	// block turns the next count rows, at most as many as there are.
	block := func(count int) {
		for i := range count {
			g.VMOVUPS(operand.Mem{Base: src}, g.vec(i))
			g.ADDQ(ss, src)
		}
		if count == L {
			order := transposeBlock(g)
			columns(func(i int) { g.VMOVUPS(order[i], operand.Mem{Base: d}) })
		} else {
			pairs := transposeHalf(g)
			columns(func(i int) {
				if v := pairs[i/8*4+i%4]; i%8 < 4 {
					g.VMOVUPS(v.AsY(), operand.Mem{Base: d})
				} else {
					g.VEXTRACTF64X4(operand.U8(1), v, operand.Mem{Base: d})
				}
			})
		}
		g.ADDQ(operand.I32(4*count), dst)
		g.SUBQ(operand.I32(count), rows)
	}

	whole, rest, single, part, end := g.label("whole"), g.label("rest"), g.label("single"), g.label("part"), g.label("end")
	g.CMPQ(rows, operand.I8(int8(L)))
	g.JLT(operand.LabelRef(rest))
	g.Label(whole)
	block(L)
	g.CMPQ(rows, operand.I8(int8(L)))
	g.JGE(operand.LabelRef(whole))
	g.Label(rest)
	if L == 16 {
		g.CMPQ(rows, operand.I8(8))
		g.JLT(operand.LabelRef(single))
		g.CMPQ(rows, operand.I8(10))
		g.JGT(operand.LabelRef(part))
		block(8)
	}
	g.Label(single)
	g.CMPQ(rows, operand.I8(2))
	g.JGT(operand.LabelRef(part))
	g.TESTQ(rows, rows)
	g.JZ(operand.LabelRef(end))
	v := g.GP32()
	columns(func(i int) {
		g.MOVL(operand.Mem{Base: src, Disp: 4 * i}, v)
		g.MOVL(v, operand.Mem{Base: d})
	})
	g.ADDQ(ss, src)
	g.ADDQ(operand.I8(4), dst)
	g.DECQ(rows)
	g.JMP(operand.LabelRef(single))

	g.Label(part)
	g.MOVQ(src, at)
	for i := range L {
		g.VMOVUPS(operand.Mem{Base: at}, g.vec(i))
		if i == L-1 {
			break
		}
		// Rows behind the last are read from the last.
		next := g.GP64()
		g.LEAQ(operand.Mem{Base: at, Index: ss, Scale: 1}, next)
		g.CMPQ(rows, operand.I8(int8(i+1)))
		g.CMOVQGT(next, at)
	}
	order := transposeBlock(g)
	var mask operand.Op
	if L == 16 {
		mask = vecMask(g, rows, 1, []reg.OpmaskPhysical{reg.K1}, nil)[0]
	} else {
		mask = vecMask(g, rows, 1, nil, []reg.VecPhysical{g.vec(15)})[0]
	}
	columns(func(i int) { g.maskedStore(order[i], mask, operand.Mem{Base: d}) })
	g.Label(end)
	g.ret()
}

// transposeHalf transposes 8 rows of 16 in registers 0..7 and returns the registers
// that hold the columns b and 4+b, for b < 4, and then 8+b and 12+b.
func transposeHalf(g *gen) []reg.VecPhysical {
	v, t := make([]reg.VecPhysical, 8), make([]reg.VecPhysical, 8)
	for i := range 8 {
		v[i], t[i] = g.vec(i), g.vec(16+i)
	}
	for i := 0; i < 8; i += 2 {
		g.VUNPCKLPS(v[i+1], v[i], t[i])
		g.VUNPCKHPS(v[i+1], v[i], t[i+1])
	}
	for i := 0; i < 8; i += 4 {
		g.VUNPCKLPD(t[i+2], t[i], v[i])
		g.VUNPCKHPD(t[i+2], t[i], v[i+1])
		g.VUNPCKLPD(t[i+3], t[i+1], v[i+2])
		g.VUNPCKHPD(t[i+3], t[i+1], v[i+3])
	}
	// Lane group l of v[b] has rows 0 to 3 of column 4l+b, and that of v[4+b] the others.
	low, high := g.vec(24), g.vec(25)
	pairs := func(first int) func(i int) int {
		return func(i int) int { return (first+i/8)*4 + i%4 + i%8/4*16 }
	}
	g.VMOVUPS(g.table("pairsLow", pairs(0)), low)
	g.VMOVUPS(g.table("pairsHigh", pairs(2)), high)
	for b := range 4 {
		g.VMOVAPS(v[b], t[b])
		g.VPERMT2PS(v[4+b], low, t[b])
		g.VPERMT2PS(v[4+b], high, v[b])
	}
	return append(t[:4], v[:4]...)
}
