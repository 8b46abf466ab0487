package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transformRows writes the half of a transform that goes down the columns: for each
// of n pixels, one vector of channels each, in rows of it become six. prepare loads
// constants and returns what makes six values of in.
func transformRows(g *gen, stem, factor string, in int, prepare func() func([]V) []V) {
	name := stem + g.w.name
	g.fn(name, "func(dst, src *float32, n, dstRow, srcRow int)",
		name+" sets row i of dst to sum over r of "+factor+" times row r of src, n vectors each; rows are dstRow and srcRow floats apart.")
	dst, src, n, dr, sr := g.arg("dst"), g.arg("src"), g.arg("n"), g.arg("dstRow"), g.arg("srcRow")
	g.SHLQ(operand.U8(2), dr)
	g.SHLQ(operand.U8(2), sr)
	line := prepare()
	src3, dst3 := g.GP64(), g.GP64()
	g.LEAQ(operand.Mem{Base: sr, Index: sr, Scale: 2}, src3)
	g.ADDQ(src, src3)
	g.LEAQ(operand.Mem{Base: dr, Index: dr, Scale: 2}, dst3)
	g.ADDQ(dst, dst3)
	at := func(base, base3, row reg.GPVirtual, i int) operand.Mem {
		m := operand.Mem{Base: base}
		if i >= 3 {
			m.Base, i = base3, i-3
		}
		if i > 0 {
			m.Index, m.Scale = row, uint8(i)
		}
		return m
	}
	loop := g.label("pixel")
	g.Label(loop)
	d := make([]V, in)
	for i := range d {
		d[i] = g.new()
		g.VMOVUPS(at(src, src3, sr, i), d[i])
	}
	for i, v := range line(d) {
		g.VMOVUPS(v, at(dst, dst3, dr, i))
	}
	for _, r := range []reg.GPVirtual{src, src3, dst, dst3} {
		g.ADDQ(operand.I32(g.bytes()), r)
	}
	g.DECQ(n)
	g.JNZ(operand.LabelRef(loop))
	g.ret()
}

// transformCols writes the other half: for each of n tiles, four pixels apart, in
// pixels from its first on in each of the six rows that transformRows made become
// six; the 36 results go pos floats apart. The lines of the tile after the next are
// fetched meanwhile.
func transformCols(g *gen, stem string, in int, prepare func() func([]V) []V) {
	name := stem + g.w.name
	g.fn(name, "func(dst, src *float32, n, pos, tile, srcRow int)",
		name+" transforms n tiles; results lie pos floats apart, tiles tile, rows of src srcRow.")
	dst, src, n, pos, tile, sr := g.arg("dst"), g.arg("src"), g.arg("n"), g.arg("pos"), g.arg("tile"), g.arg("srcRow")
	for _, r := range []reg.GPVirtual{pos, tile, sr} {
		g.SHLQ(operand.U8(2), r)
	}
	line := prepare()
	loop := g.label("tile")
	d, s := g.GP64(), g.GP64()
	g.Label(loop)
	g.MOVQ(src, s)
	g.MOVQ(dst, d)
	for i := range 6 {
		x := make([]V, in)
		for j := range x {
			x[j] = g.new()
			g.VMOVUPS(operand.Mem{Base: s, Disp: j * g.bytes()}, x[j])
		}
		for _, v := range line(x) {
			g.VMOVUPS(v, operand.Mem{Base: d})
			g.PREFETCHT0(operand.Mem{Base: d, Index: tile, Scale: 2})
			g.ADDQ(pos, d)
		}
		if i < 5 {
			g.ADDQ(sr, s)
		}
	}
	g.ADDQ(operand.I32(4*g.bytes()), src)
	g.ADDQ(tile, dst)
	g.DECQ(n)
	g.JNZ(operand.LabelRef(loop))
	g.ret()
}
