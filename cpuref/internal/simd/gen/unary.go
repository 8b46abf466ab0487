package main

import (
	"slices"
	"strings"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// unaryNames and partialNames are the functions that have been written, without
// and with a stop.
var unaryNames, partialNames []string

// partialGradNames are the gradients that have been written with a stop.
var partialGradNames []string

func addName(list []string, name string) []string {
	if slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}

// unary writes a function of one vector; see stream.
func unary(g *gen, name, doc string, setup func(param func(i int) V) func(x V) V, stop func(x V) mask) {
	if stop != nil {
		partialNames = addName(partialNames, name)
	} else {
		unaryNames = addName(unaryNames, name)
	}
	stream(g, name, doc, []string{"src"}, func(param func(i int) V) func(xs []V) V {
		f := setup(param)
		return func(xs []V) V { return f(xs[0]) }
	}, stop)
}

// prefetchAhead is how many bytes ahead of its loads a loop over one array asks for
// memory, and prefetchEach one over several: they were measured.
const (
	prefetchAhead = 8192
	prefetchEach  = 2048
)

// stream writes the loop of a function of vectors, dst = f(srcs...), around the
// expression that setup returns. setup may load what lives across the loop;
// param(0) to param(2) are the function's parameters a, b and c.
//
// Whole vectors come first, then a rest shorter than one under a mask. nt asks
// for stores that bypass the cache; dst must then be aligned to a vector.
//
// Where stop is not nil, it returns the mask of the lanes that the expression
// cannot handle: the loop ends before the first vector with such a lane, and
// the function returns how many elements it has done.
func stream(g *gen, name, doc string, srcNames []string, setup func(param func(i int) V) func(xs []V) V, stop func(x V) mask) {
	sig := "func(dst, " + strings.Join(srcNames, ", ") + " *float32, n int, a, b, c float32, nt bool)"
	if stop != nil {
		sig += " int"
	}
	g.fn(name+g.w.name, sig, name+g.w.name+" "+doc)
	dst := g.arg("dst")
	var srcs []reg.GPVirtual
	var xs []V
	for _, s := range srcNames {
		srcs = append(srcs, g.arg(s))
		xs = append(xs, g.new())
	}
	n := g.arg("n")
	ntByte := g.Load(g.Param("nt"), g.GP8()).(reg.GPVirtual)
	kind := g.GP64() // 0, 1 with nt, 2 in the rest
	g.MOVBQZX(ntByte, kind)
	var start reg.GPVirtual
	if stop != nil {
		start = g.GP64()
		g.MOVQ(srcs[0], start)
	}
	f := setup(func(i int) V { return g.scalar([]string{"a", "b", "c"}[i]) })
	L := g.w.lanes
	loop, body, special, rest, end := g.label("loop"), g.label("body"), g.label("special"), g.label("rest"), g.label("end")
	g.SUBQ(operand.I8(int8(L)), n)
	g.JLT(operand.LabelRef(rest))
	g.Label(loop)
	ahead := prefetchAhead
	if len(srcs) > 1 {
		ahead = prefetchEach
	}
	for i, src := range srcs {
		// The processor's own prefetcher lets the loads of long expressions miss,
		// and beside loads that miss, stores past the cache are slow: GELU of 16M
		// elements took 26 ms, and 12 with this.
		g.PREFETCHT0(operand.Mem{Base: src, Disp: ahead})
		g.VMOVUPS(operand.Mem{Base: src}, xs[i])
	}
	g.Label(body)
	if stop != nil {
		bad := g.GP32()
		if m := stop(xs[0]); g.wide() {
			g.KMOVW(m.k, bad)
		} else {
			g.VMOVMSKPS(m.v, bad)
		}
		g.TESTL(bad, bad)
		g.JNZ(operand.LabelRef(end))
	}
	y := f(xs)
	g.TESTQ(kind, kind)
	g.JNZ(operand.LabelRef(special))
	g.VMOVUPS(y, operand.Mem{Base: dst})
	next := g.label("next")
	g.Label(next)
	for _, src := range srcs {
		g.ADDQ(operand.I8(int8(4*L)), src)
	}
	g.ADDQ(operand.I8(int8(4*L)), dst)
	g.SUBQ(operand.I8(int8(L)), n)
	g.JGE(operand.LabelRef(loop))
	g.Label(rest)
	g.ADDQ(operand.I8(int8(L)), n)
	g.JZ(operand.LabelRef(end))
	g.MOVQ(operand.I32(2), kind)
	tail := g.tailMask(n)
	for i, src := range srcs {
		g.maskedLoad(operand.Mem{Base: src}, tail, xs[i])
	}
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
		g.LEAQ(operand.Mem{Base: srcs[0], Index: n, Scale: 4}, srcs[0])
	}
	g.Label(end)
	fenced := g.label("fenced")
	g.CMPQ(kind, operand.I8(1))
	g.JNE(operand.LabelRef(fenced))
	g.SFENCE()
	g.Label(fenced)
	if stop != nil {
		g.SUBQ(start, srcs[0])
		g.SHRQ(operand.U8(2), srcs[0])
		g.Store(srcs[0], g.ReturnIndex(0))
	}
	g.ret()
}

// tailMask and tailStore handle n < lanes elements. The AVX2 mask is
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

func (g *gen) tailStore(y V, n reg.GPVirtual, dst operand.Mem) {
	if g.wide() {
		g.maskedStore(y, reg.K7, dst)
		return
	}
	m := g.new()
	g.loadMask(n, m)
	g.maskedStore(y, m, dst)
}
