package main

import (
	"slices"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// unaryNames and partialNames are the functions that have been written, without
// and with a stop.
var unaryNames, partialNames []string

func addName(list []string, name string) []string {
	if slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}

// unary writes the loop of a function of one vector, dst = f(src), around the
// expression that setup returns. setup may load what lives across the loop;
// param(0) and param(1) are the function's parameters a and b.
//
// Whole vectors come first, then a rest shorter than one under a mask. nt asks
// for stores that bypass the cache; dst must then be aligned to a vector.
//
// Where stop is not nil, it returns the mask of the lanes that the expression
// cannot handle: the loop ends before the first vector with such a lane, and
// the function returns how many elements it has done.
func unary(g *gen, name, doc string, setup func(param func(i int) V) func(x V) V, stop func(x V) mask) {
	sig := "func(dst, src *float32, n int, a, b float32, nt bool)"
	if stop != nil {
		sig += " int"
	}
	if stop != nil {
		partialNames = addName(partialNames, name)
	} else {
		unaryNames = addName(unaryNames, name)
	}
	g.fn(name+g.w.name, sig, name+g.w.name+" "+doc)
	dst := g.Load(g.Param("dst"), g.GP64()).(reg.GPVirtual)
	src := g.Load(g.Param("src"), g.GP64()).(reg.GPVirtual)
	n := g.Load(g.Param("n"), g.GP64()).(reg.GPVirtual)
	ntByte := g.Load(g.Param("nt"), g.GP8()).(reg.GPVirtual)
	kind := g.GP64() // 0, 1 with nt, 2 in the rest
	g.MOVBQZX(ntByte, kind)
	var start reg.GPVirtual
	if stop != nil {
		start = g.GP64()
		g.MOVQ(src, start)
	}
	f := setup(func(i int) V {
		c, err := g.Param([]string{"a", "b"}[i]).Resolve()
		if err != nil {
			panic(err)
		}
		v := g.new()
		g.VBROADCASTSS(c.Addr, v)
		return v
	})
	L := g.w.lanes
	loop, body, special, rest, end := g.label("loop"), g.label("body"), g.label("special"), g.label("rest"), g.label("end")
	x := g.new()
	var tail operand.Op
	g.SUBQ(operand.I8(int8(L)), n)
	g.JLT(operand.LabelRef(rest))
	g.Label(loop)
	g.VMOVUPS(operand.Mem{Base: src}, x)
	g.Label(body)
	if stop != nil {
		bad := g.GP32()
		if m := stop(x); g.wide() {
			g.KMOVW(m.k, bad)
		} else {
			g.VMOVMSKPS(m.v, bad)
		}
		g.TESTL(bad, bad)
		g.JNZ(operand.LabelRef(end))
	}
	y := f(x)
	g.TESTQ(kind, kind)
	g.JNZ(operand.LabelRef(special))
	g.VMOVUPS(y, operand.Mem{Base: dst})
	next := g.label("next")
	g.Label(next)
	g.ADDQ(operand.I8(int8(4*L)), src)
	g.ADDQ(operand.I8(int8(4*L)), dst)
	g.SUBQ(operand.I8(int8(L)), n)
	g.JGE(operand.LabelRef(loop))
	g.Label(rest)
	g.ADDQ(operand.I8(int8(L)), n)
	g.JZ(operand.LabelRef(end))
	g.MOVQ(operand.I32(2), kind)
	tail = g.tailMask(n)
	g.tailLoad(operand.Mem{Base: src}, tail, x)
	g.JMP(operand.LabelRef(body))
	g.Label(special)
	part := g.label("part")
	g.CMPQ(kind, operand.I8(2))
	g.JEQ(operand.LabelRef(part))
	g.VMOVNTPS(y, operand.Mem{Base: dst})
	g.JMP(operand.LabelRef(next))
	g.Label(part)
	g.tailStore(y, n, operand.Mem{Base: dst})
	if stop != nil {
		g.LEAQ(operand.Mem{Base: src, Index: n, Scale: 4}, src)
	}
	g.Label(end)
	fenced := g.label("fenced")
	g.CMPQ(kind, operand.I8(1))
	g.JNE(operand.LabelRef(fenced))
	g.SFENCE()
	g.Label(fenced)
	if stop != nil {
		g.SUBQ(start, src)
		g.SHRQ(operand.U8(2), src)
		g.Store(src, g.ReturnIndex(0))
	}
	g.ret()
}

// tailMask, tailLoad and tailStore handle n < lanes elements. The AVX2 mask is
// loaded again for the store, since registers are scarce between them.
func (g *gen) tailMask(n reg.GPVirtual) operand.Op {
	if g.wide() {
		return vecMask(g, n, 1, []reg.OpmaskPhysical{reg.K7}, nil)[0]
	}
	m := g.new()
	g.loadMask(n, m)
	return m
}

func (g *gen) loadMask(n reg.GPVirtual, m V) {
	table, at := g.GP64(), g.GP64()
	g.LEAQ(g.maskTable(), table)
	g.MOVQ(operand.I32(16), at)
	g.SUBQ(n, at)
	g.VMOVDQU(operand.Mem{Base: table, Index: at, Scale: 4}, m)
}

func (g *gen) tailLoad(src operand.Mem, m operand.Op, x V) { g.maskedLoad(src, m, x) }

func (g *gen) tailStore(y V, n reg.GPVirtual, dst operand.Mem) {
	if g.wide() {
		g.maskedStore(y, reg.K7, dst)
		return
	}
	m := g.new()
	g.loadMask(n, m)
	g.maskedStore(y, m, dst)
}
