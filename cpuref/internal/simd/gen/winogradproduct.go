package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets of the fields of simd.WinogradProduct, which the tests compare with the
// struct.
const (
	productM      = 0
	productV      = 8
	productU      = 16
	productVGroup = 24
	productVPos   = 32
	productUPos   = 40
	productGroups = 48
	productChain  = 56
	productPanels = 64
	productAdd    = 72
	productLeft   = 80
	productAhead  = 88
	productApart  = 96
	productStep   = 104
)

// aheadLines is how many lines a kernel asks for in each of two places while it
// multiplies a vector of channels.
const aheadLines = 3

// winogradProducts writes the products of Winograd's method.
func winogradProducts(g *gen) {
	for rows := 1; rows <= gemmRows(g.w); rows++ {
		winogradProduct(g, rows)
	}
}

// winogradProduct writes the kernel for panels of some rows, which are tiles: for
// each point and each panel, the sums over the channels are taken in
// chains, each from zero, and a chain's is added to those before it. Registers
// are as in gemmTile.
func winogradProduct(g *gen, rows int) {
	name := fmt.Sprintf("winogradProduct%d%s", rows, g.w.name)
	g.fn(name, "func(p *byte)", fmt.Sprintf("%s computes panels of %d tiles; see WinogradProduct.", name, rows))
	acc := func(i, j int) reg.VecPhysical { return g.vec(2*i + j) }
	bv := func(j int) reg.VecPhysical { return g.vec(2*rows + j) }
	av := func(i int) reg.VecPhysical { return g.vec(2*rows + 2 + i&1) }

	p := g.arg("p")
	field := func(off int) operand.Mem { return operand.Mem{Base: p, Disp: off} }
	gp := func() reg.GPVirtual { return g.GP64() }
	vPoint, uPoint, m := gp(), gp(), gp()
	g.MOVQ(field(productV), vPoint)
	g.MOVQ(field(productU), uPoint)
	g.MOVQ(field(productM), m)
	vPanel, a, b, groups, panels, add, mPanel, ahead, apart := gp(), gp(), gp(), gp(), gp(), gp(), gp(), gp(), gp()
	g.MOVQ(field(productAhead), ahead)
	g.MOVQ(field(productApart), apart)

	point, panel, chain, sum, store, short := g.label("point"), g.label("panel"), g.label("chain"), g.label("sum"), g.label("store"), g.label("short")
	g.Label(point)
	g.MOVQ(vPoint, vPanel)
	g.MOVQ(m, mPanel)
	g.MOVQ(field(productPanels), panels)
	g.Label(panel)
	g.MOVQ(vPanel, a)
	g.MOVQ(uPoint, b)
	g.MOVQ(field(productAdd), add)
	left := gp()
	g.MOVQ(field(productGroups), left)
	g.Label(chain)
	for i := range rows {
		for j := range 2 {
			g.zero(acc(i, j))
		}
	}
	g.MOVQ(field(productChain), groups)
	g.CMPQ(groups, left)
	g.JLE(operand.LabelRef(short))
	g.MOVQ(left, groups)
	g.Label(short)
	g.SUBQ(groups, left)
	g.Label(sum)
	for s := range g.w.lanes {
		if s%(16/aheadLines) == 0 && s/(16/aheadLines) < aheadLines {
			line := s / (16 / aheadLines) * 64
			g.PREFETCHT1(operand.Mem{Base: ahead, Disp: line})
			g.PREFETCHT1(operand.Mem{Base: ahead, Disp: line, Index: apart, Scale: 1})
		}
		for j := range 2 {
			g.VMOVUPS(operand.Mem{Base: b, Disp: (2*s + j) * g.bytes()}, bv(j))
		}
		for i := range rows {
			g.VBROADCASTSS(operand.Mem{Base: a, Disp: i*g.bytes() + 4*s}, av(i))
			for j := range 2 {
				g.VFMADD231PS(bv(j), av(i), acc(i, j))
			}
		}
	}
	g.ADDQ(field(productVGroup), a)
	g.ADDQ(operand.I32(2*g.w.lanes*g.bytes()), b)
	g.ADDQ(field(productStep), ahead)
	g.DECQ(groups)
	g.JNZ(operand.LabelRef(sum))
	g.TESTQ(add, add)
	g.JZ(operand.LabelRef(store))
	each := func(f func(acc reg.VecPhysical, m operand.Mem)) {
		for i := range rows {
			for j := range 2 {
				f(acc(i, j), operand.Mem{Base: mPanel, Disp: (2*i + j) * g.bytes()})
			}
		}
	}
	each(func(v reg.VecPhysical, at operand.Mem) { g.VADDPS(at, v, v) })
	g.Label(store)
	each(func(v reg.VecPhysical, at operand.Mem) { g.VMOVUPS(v, at) })
	g.MOVQ(operand.I32(1), add)
	g.TESTQ(left, left)
	g.JNZ(operand.LabelRef(chain))
	g.ADDQ(operand.I32(rows*g.bytes()), vPanel)
	g.ADDQ(operand.I32(2*rows*g.bytes()), mPanel)
	g.DECQ(panels)
	g.JNZ(operand.LabelRef(panel))
	pos := gp()
	g.MOVQ(field(productVPos), pos)
	g.ADDQ(pos, vPoint)
	g.LEAQ(operand.Mem{Base: m, Index: pos, Scale: 2}, m)
	g.ADDQ(field(productUPos), uPoint)
	g.DECQ(field(productLeft))
	g.JNZ(operand.LabelRef(point))
	g.ret()
}
