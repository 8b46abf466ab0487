package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets of the fields of simd.WinogradOuter, which the tests compare with the
// struct.
const (
	outerM      = 0
	outerA      = 8
	outerB      = 16
	outerAPos   = 24
	outerBPos   = 32
	outerATile  = 40
	outerMGap   = 48
	outerPanels = 56
	outerTiles  = 64
	outerAdd    = 72
	outerPoints = 80
)

// winogradGrads writes what the gradient of a 3x3 kernel by the adjoint of
// Winograd's F(4x4, 3x3) needs beside the transforms of the input.
func winogradGrads(g *gen) {
	transformRows(g, "winogradGradRows", "A'[r][i]", 4, g.gradLine)
	transformCols(g, "winogradGradCols", 4, g.gradLine)
	winogradGradOutput(g)
	winogradOuter(g)
	shortfall(g)
}

// gradLine is the transpose of the transform A' of four values: six of them.
func (g *gen) gradLine() func(d []V) []V {
	far := g.hold(k(math.Sqrt2))
	return func(d []V) []V {
		evenNear := g.fma(d[2], k(0.5), d[0])
		oddNear := g.fma(d[3], k(0.5), d[1])
		evenFar := g.fma(d[2], k(2), d[0])
		oddFar := g.fma(d[3], k(2), d[1])
		near := g.mul(far, k(0.5))
		return []V{d[0], g.fma(oddNear, near, evenNear), g.fnma(oddNear, near, evenNear),
			g.fma(oddFar, far, evenFar), g.fnma(oddFar, far, evenFar), d[3]}
	}
}

// tapLine is the transpose of the transform G of six sums: three taps.
func (g *gen) tapLine(m []V) []V {
	p, q := g.add(m[1], m[2]), g.sub(m[1], m[2])
	r, s := g.add(m[3], m[4]), g.sub(m[3], m[4])
	return []V{
		g.fma(r, k(1.0/6), g.fma(p, k(-2.0/3), m[0])),
		g.mul(g.fma(q, k(-2), s), k(math.Sqrt2/6)),
		g.fma(g.sub(r, p), k(1.0/3), m[5]),
	}
}

// winogradGradOutput transforms the 36 sums of n rows to nine taps each.
func winogradGradOutput(g *gen) {
	name := "winogradGradOutput" + g.w.name
	g.fn(name, "func(dst, src, tmp *float32, n, pos, row int)",
		name+" transforms the 36 sums at src, pos floats apart, to nine vectors at dst, for n of them row floats apart. tmp holds 18 vectors.")
	dst := g.arg("dst")
	src := g.arg("src")
	tmp := g.arg("tmp")
	n := g.arg("n")
	pos := g.arg("pos")
	row := g.arg("row")
	g.SHLQ(operand.U8(2), pos)
	g.SHLQ(operand.U8(2), row)
	loop := g.label("sums")
	s := g.GP64()
	g.Label(loop)
	g.MOVQ(src, s)
	for i := range 6 {
		m := make([]V, 6)
		for j := range m {
			m[j] = g.new()
			g.VMOVUPS(operand.Mem{Base: s}, m[j])
			if i < 5 || j < 5 {
				g.ADDQ(pos, s)
			}
		}
		for j, v := range g.tapLine(m) {
			g.VMOVUPS(v, operand.Mem{Base: tmp, Disp: (6*j + i) * g.bytes()})
		}
	}
	for j := range 3 {
		m := make([]V, 6)
		for i := range m {
			m[i] = g.new()
			g.VMOVUPS(operand.Mem{Base: tmp, Disp: (6*j + i) * g.bytes()}, m[i])
		}
		for i, v := range g.tapLine(m) {
			g.VMOVUPS(v, operand.Mem{Base: dst, Disp: (3*i + j) * g.bytes()})
		}
	}
	g.ADDQ(row, src)
	g.ADDQ(operand.I32(9*g.bytes()), dst)
	g.DECQ(n)
	g.JNZ(operand.LabelRef(loop))
	g.ret()
}

// outerRows is the height of the panels of winogradOuter.
func outerRows(w width) int { return w.lanes / 2 }

// winogradOuter writes the sums over the tiles: for each of the points and each
// panel of rows, the products of two vectors of columns, from zero. Registers are
// as in gemmTile.
func winogradOuter(g *gen) {
	rows := outerRows(g.w)
	name := "winogradOuter" + g.w.name
	g.fn(name, "func(o *byte)", name+" multiplies tiles of two tensors; see WinogradOuter.")
	acc := func(i, j int) reg.VecPhysical { return g.vec(2*i + j) }
	bv := func(j int) reg.VecPhysical { return g.vec(2*rows + j) }
	av := func(i int) reg.VecPhysical { return g.vec(2*rows + 2 + i&1) }

	p := g.arg("o")
	field := func(off int) operand.Mem { return operand.Mem{Base: p, Disp: off} }
	gp := func() reg.GPVirtual { return g.GP64() }
	aPoint, bPoint, m, tile, add := gp(), gp(), gp(), gp(), gp()
	g.MOVQ(field(outerA), aPoint)
	g.MOVQ(field(outerB), bPoint)
	g.MOVQ(field(outerM), m)
	g.MOVQ(field(outerATile), tile)
	g.MOVQ(field(outerAdd), add)
	aPanel, a, b, tiles, panels := gp(), gp(), gp(), gp(), gp()

	point, panel, sum, store := g.label("point"), g.label("panel"), g.label("sum"), g.label("store")
	g.Label(point)
	g.MOVQ(aPoint, aPanel)
	g.MOVQ(field(outerPanels), panels)
	g.Label(panel)
	g.MOVQ(aPanel, a)
	g.MOVQ(bPoint, b)
	g.MOVQ(field(outerTiles), tiles)
	each := func(f func(acc reg.VecPhysical, m operand.Mem)) {
		for i := range rows {
			for j := range 2 {
				f(acc(i, j), operand.Mem{Base: m, Disp: (2*i + j) * g.bytes()})
			}
		}
	}
	each(func(v reg.VecPhysical, at operand.Mem) { g.zero(v) })
	// The sums that come next are on their way meanwhile.
	each(func(v reg.VecPhysical, at operand.Mem) {
		if at.Disp%64 == 0 {
			at.Disp += 2 * rows * g.bytes()
			g.PREFETCHT0(at)
		}
	})
	g.Label(sum)
	for j := range 2 {
		g.VMOVUPS(operand.Mem{Base: b, Disp: j * g.bytes()}, bv(j))
	}
	for i := range rows {
		g.VBROADCASTSS(operand.Mem{Base: a, Disp: 4 * i}, av(i))
		for j := range 2 {
			g.VFMADD231PS(bv(j), av(i), acc(i, j))
		}
	}
	g.ADDQ(tile, a)
	g.ADDQ(operand.I32(2*g.bytes()), b)
	g.DECQ(tiles)
	g.JNZ(operand.LabelRef(sum))
	g.TESTQ(add, add)
	g.JZ(operand.LabelRef(store))
	each(func(v reg.VecPhysical, at operand.Mem) { g.VADDPS(at, v, v) })
	g.Label(store)
	each(func(v reg.VecPhysical, at operand.Mem) { g.VMOVUPS(v, at) })
	g.ADDQ(operand.I32(4*rows), aPanel)
	g.ADDQ(operand.I32(2*rows*g.bytes()), m)
	g.DECQ(panels)
	g.JNZ(operand.LabelRef(panel))
	g.ADDQ(field(outerMGap), m)
	g.ADDQ(field(outerAPos), aPoint)
	g.ADDQ(field(outerBPos), bPoint)
	g.DECQ(field(outerPoints))
	g.JNZ(operand.LabelRef(point))
	g.ret()
}
