package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pack writes the kernels that bring matrices into the order of the tiles.
func pack(g *gen) {
	copyRows(g)
	transposeRows(g)
}

// vecMask loads masks of n lanes, cols vectors of them, into opmask registers
// from k (AVX-512) or the given vector registers (AVX2).
func vecMask(g *gen, n reg.GPVirtual, cols int, k []reg.OpmaskPhysical, v []reg.VecPhysical) []operand.Op {
	masks := make([]operand.Op, cols)
	if g.w.lanes == 16 {
		m := g.GP64()
		g.MOVQ(operand.I64(-1), m)
		g.BZHIQ(n, m, m)
		for j := range cols {
			g.KMOVW(m.As32(), k[j])
			if j < cols-1 {
				g.SHRQ(operand.U8(16), m)
			}
			masks[j] = k[j]
		}
		return masks
	}
	table, at := g.GP64(), g.GP64()
	g.LEAQ(g.maskTable(), table)
	g.MOVQ(operand.I32(16), at)
	g.SUBQ(n, at)
	for j := range cols {
		g.VMOVDQU(operand.Mem{Base: table, Index: at, Scale: 4, Disp: j * g.bytes()}, v[j])
		masks[j] = v[j]
	}
	return masks
}

// copyRows copies n floats from each of rows rows, and zeros behind them up to
// w, for n <= w <= 2 vectors.
func copyRows(g *gen) {
	g.fn("copyRows"+g.w.name, "func(dst, src *float32, dstStride, srcStride, rows, n, w int)",
		"copyRows"+g.w.name+" copies n floats and w-n zeros per row, w at most two vectors.")
	dst := g.arg("dst")
	src := g.arg("src")
	ds := g.arg("dstStride")
	ss := g.arg("srcStride")
	rows := g.arg("rows")
	n := g.arg("n")
	w := g.arg("w")
	g.SHLQ(operand.U8(2), ds)
	g.SHLQ(operand.U8(2), ss)
	in := vecMask(g, n, 2, []reg.OpmaskPhysical{reg.K1, reg.K2}, []reg.VecPhysical{g.vec(4), g.vec(5)})
	out := vecMask(g, w, 2, []reg.OpmaskPhysical{reg.K3, reg.K4}, []reg.VecPhysical{g.vec(6), g.vec(7)})
	loop, loopFull, loopOne, end := g.label("copy"), g.label("copyfull"), g.label("copyone"), g.label("copyend")
	row := func(one bool) {
		cols := 2
		if one {
			cols = 1
		}
		for j := range cols {
			g.maskedLoad(operand.Mem{Base: src, Disp: j * g.bytes()}, in[j], g.vec(j))
		}
		for j := range cols {
			g.maskedStore(g.vec(j), out[j], operand.Mem{Base: dst, Disp: j * g.bytes()})
		}
		g.ADDQ(ss, src)
		g.ADDQ(ds, dst)
		g.DECQ(rows)
	}
	g.TESTQ(rows, rows)
	g.JLE(operand.LabelRef(end))
	g.CMPQ(w, operand.I8(int8(g.w.lanes)))
	g.JLE(operand.LabelRef(loopOne))
	g.CMPQ(n, operand.I8(int8(2*g.w.lanes)))
	g.JEQ(operand.LabelRef(loopFull))
	g.Label(loop)
	row(false)
	g.JNZ(operand.LabelRef(loop))
	g.JMP(operand.LabelRef(end))
	g.Label(loopOne)
	row(true)
	g.JNZ(operand.LabelRef(loopOne))
	g.JMP(operand.LabelRef(end))
	g.Label(loopFull)
	for j := range 2 {
		g.VMOVUPS(operand.Mem{Base: src, Disp: j * g.bytes()}, g.vec(j))
		g.VMOVUPS(g.vec(j), operand.Mem{Base: dst, Disp: j * g.bytes()})
	}
	g.ADDQ(ss, src)
	g.ADDQ(ds, dst)
	g.DECQ(rows)
	g.JNZ(operand.LabelRef(loopFull))
	g.Label(end)
	g.ret()
}

// transposeRows reads cols floats from each of n rows and writes n floats, and
// zeros behind them up to w, for each of the columns; n <= w <= one vector.
func transposeRows(g *gen) {
	L := g.w.lanes
	g.fn("transpose"+g.w.name, "func(dst, src *float32, dstStride, srcStride, cols, n, w int)",
		"transpose"+g.w.name+" turns n rows of cols floats into cols rows of n floats and w-n zeros, w at most one vector.")
	dst := g.arg("dst")
	src := g.arg("src")
	ds := g.arg("dstStride")
	ss := g.arg("srcStride")
	cols := g.arg("cols")
	n := g.arg("n")
	g.SHLQ(operand.U8(2), ds)
	g.SHLQ(operand.U8(2), ss)
	block, last, end := g.label("block"), g.label("lastblock"), g.label("transposed")

	// The mask of the rows written stays; that of the columns read is made
	// anew for the last block.
	wreg := g.arg("w")
	outMask := g.AllocLocal(32)
	var out operand.Op
	if L == 16 {
		out = vecMask(g, wreg, 1, []reg.OpmaskPhysical{reg.K1}, nil)[0]
	} else {
		vecMask(g, wreg, 1, nil, []reg.VecPhysical{g.vec(0)})
		g.VMOVUPS(g.vec(0), outMask)
	}

	// load fills registers 0..L-1 with the rows; those from n on are zero.
	load := func(mask operand.Op) {
		row := g.GP64()
		g.MOVQ(src, row)
		loaded := g.label("loaded")
		for i := range L {
			g.zero(g.vec(i))
		}
		for i := range L {
			m := operand.Mem{Base: row}
			if mask == nil {
				g.VMOVUPS(m, g.vec(i))
			} else {
				g.maskedLoad(m, mask, g.vec(i))
			}
			if i < L-1 {
				g.CMPQ(n, operand.I8(int8(i+1)))
				g.JLE(operand.LabelRef(loaded))
				g.ADDQ(ss, row)
			}
		}
		g.Label(loaded)
	}
	store := func(i int, v reg.VecPhysical) {
		if L == 16 {
			g.VMOVUPS(v, out, operand.Mem{Base: dst})
		} else {
			g.VMASKMOVPS(v, g.vec(15), operand.Mem{Base: dst})
		}
		g.ADDQ(ds, dst)
	}

	g.SUBQ(operand.I8(int8(L)), cols)
	g.JLT(operand.LabelRef(last))
	g.Label(block)
	load(nil)
	order := transposeBlock(g)
	if L == 8 {
		g.VMOVUPS(outMask, g.vec(15)) // free after the shuffles
	}
	for i := range L {
		store(i, order[i])
	}
	g.ADDQ(operand.I32(4*L), src)
	g.SUBQ(operand.I8(int8(L)), cols)
	g.JGE(operand.LabelRef(block))

	g.Label(last)
	g.ADDQ(operand.I8(int8(L)), cols)
	g.JZ(operand.LabelRef(end))
	if L == 16 {
		mask := vecMask(g, cols, 1, []reg.OpmaskPhysical{reg.K2}, nil)[0]
		load(mask)
	} else {
		mask := vecMask(g, cols, 1, nil, []reg.VecPhysical{g.vec(15)})[0]
		load(mask)
	}
	order = transposeBlock(g)
	if L == 8 {
		g.VMOVUPS(outMask, g.vec(15))
	}
	for i := range L {
		store(i, order[i])
		g.DECQ(cols)
		g.JZ(operand.LabelRef(end))
	}
	g.Label(end)
	g.ret()
}

// transposeBlock transposes the square block in registers 0..lanes-1 and
// returns the registers that hold its rows in order.
func transposeBlock(g *gen) []reg.VecPhysical {
	L := g.w.lanes
	v := make([]reg.VecPhysical, L)
	t := make([]reg.VecPhysical, L)
	if L == 16 {
		for i := range L {
			v[i], t[i] = g.vec(i), g.vec(16+i)
		}
		// 2x2 blocks, 4x4 blocks within each 128 bits, then the 4x4 grid of them.
		for i := 0; i < L; i += 2 {
			g.VUNPCKLPS(v[i+1], v[i], t[i])
			g.VUNPCKHPS(v[i+1], v[i], t[i+1])
		}
		for i := 0; i < L; i += 4 {
			g.VUNPCKLPD(t[i+2], t[i], v[i])
			g.VUNPCKHPD(t[i+2], t[i], v[i+1])
			g.VUNPCKLPD(t[i+3], t[i+1], v[i+2])
			g.VUNPCKHPD(t[i+3], t[i+1], v[i+3])
		}
		// v[4a+b] holds column b of rows 4a.. in lane group 0, column b+4 in 1, ...
		for b := range 4 {
			g.VSHUFF32X4(operand.U8(0x88), v[4+b], v[b], t[b])
			g.VSHUFF32X4(operand.U8(0xdd), v[4+b], v[b], t[4+b])
			g.VSHUFF32X4(operand.U8(0x88), v[12+b], v[8+b], t[8+b])
			g.VSHUFF32X4(operand.U8(0xdd), v[12+b], v[8+b], t[12+b])
		}
		for b := range 4 {
			g.VSHUFF32X4(operand.U8(0x88), t[8+b], t[b], v[b])
			g.VSHUFF32X4(operand.U8(0x88), t[12+b], t[4+b], v[4+b])
			g.VSHUFF32X4(operand.U8(0xdd), t[8+b], t[b], v[8+b])
			g.VSHUFF32X4(operand.U8(0xdd), t[12+b], t[4+b], v[12+b])
		}
		return v
	}
	for i := range L {
		v[i], t[i] = g.vec(i), g.vec(8+i)
	}
	for i := 0; i < L; i += 2 {
		g.VUNPCKLPS(v[i+1], v[i], t[i])
		g.VUNPCKHPS(v[i+1], v[i], t[i+1])
	}
	for i := 0; i < L; i += 4 {
		g.VUNPCKLPD(t[i+2], t[i], v[i])
		g.VUNPCKHPD(t[i+2], t[i], v[i+1])
		g.VUNPCKLPD(t[i+3], t[i+1], v[i+2])
		g.VUNPCKHPD(t[i+3], t[i+1], v[i+3])
	}
	// The result goes to 8..11 and back over 0..3, so that 15 stays free.
	for b := range 4 {
		g.VPERM2F128(operand.U8(0x20), v[4+b], v[b], t[b])
		g.VPERM2F128(operand.U8(0x31), v[4+b], v[b], v[b])
	}
	return []reg.VecPhysical{t[0], t[1], t[2], t[3], v[0], v[1], v[2], v[3]}
}
