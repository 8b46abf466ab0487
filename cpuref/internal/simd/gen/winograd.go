package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Winograd's F(4x4, 3x3) (Lavin and Gray, Fast Algorithms for Convolutional
// Neural Networks, 2016), points 0, 1, -1, 2, -2 and infinity. Lanes are
// channels throughout, so that no transform shuffles.
func winograd(g *gen) {
	winogradRows(g)
	winogradCols(g)
	winogradWeights(g)
	winogradOutput(g)
	transposeTall(g)
}

// inputLine is the transform B' of six values.
func (g *gen) inputLine(d []V, four, minus4, minus5, two V) []V {
	a := g.fma(d[2], minus4, d[4])
	b := g.fma(d[1], minus4, d[3])
	c := g.sub(d[4], d[2])
	e := g.sub(d[3], d[1])
	return []V{
		g.fma(d[0], four, g.fma(d[2], minus5, d[4])),
		g.add(a, b),
		g.sub(a, b),
		g.fma(e, two, c),
		g.fnma(e, two, c),
		g.fma(d[1], four, g.fma(d[3], minus5, d[5])),
	}
}

func (g *gen) inputConstants() (four, minus4, minus5, two V) {
	return g.hold(k(4)), g.hold(k(-4)), g.hold(k(-5)), g.hold(k(2))
}

// winogradRows transforms columns of six: for each of n pixels, one vector of
// channels each, the six rows below it.
func winogradRows(g *gen) {
	name := "winogradRows" + g.w.name
	g.fn(name, "func(dst, src *float32, n, dstRow, srcRow int)",
		name+" sets row i of dst to sum over r of B'[i][r] times row r of src, n vectors each; rows are dstRow and srcRow floats apart.")
	dst := g.Load(g.Param("dst"), g.GP64()).(reg.GPVirtual)
	src := g.Load(g.Param("src"), g.GP64()).(reg.GPVirtual)
	n := g.Load(g.Param("n"), g.GP64()).(reg.GPVirtual)
	dr := g.Load(g.Param("dstRow"), g.GP64()).(reg.GPVirtual)
	sr := g.Load(g.Param("srcRow"), g.GP64()).(reg.GPVirtual)
	g.SHLQ(operand.U8(2), dr)
	g.SHLQ(operand.U8(2), sr)
	four, minus4, minus5, two := g.inputConstants()
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
	d := make([]V, 6)
	for i := range d {
		d[i] = g.new()
		g.VMOVUPS(at(src, src3, sr, i), d[i])
	}
	for i, v := range g.inputLine(d, four, minus4, minus5, two) {
		g.VMOVUPS(v, at(dst, dst3, dr, i))
	}
	for _, r := range []reg.GPVirtual{src, src3, dst, dst3} {
		g.ADDQ(operand.I32(g.bytes()), r)
	}
	g.DECQ(n)
	g.JNZ(operand.LabelRef(loop))
	g.ret()
}

// winogradCols transforms rows of six: for each of n tiles, four pixels apart,
// the six pixels from its first on, in each of the six rows that winogradRows
// made; the 36 results go pos floats apart.
func winogradCols(g *gen) {
	name := "winogradCols" + g.w.name
	g.fn(name, "func(dst, src *float32, n, pos, tile, srcRow int)",
		name+" transforms n tiles; results lie pos floats apart, tiles tile, rows of src srcRow.")
	dst := g.Load(g.Param("dst"), g.GP64()).(reg.GPVirtual)
	src := g.Load(g.Param("src"), g.GP64()).(reg.GPVirtual)
	n := g.Load(g.Param("n"), g.GP64()).(reg.GPVirtual)
	pos := g.Load(g.Param("pos"), g.GP64()).(reg.GPVirtual)
	tile := g.Load(g.Param("tile"), g.GP64()).(reg.GPVirtual)
	sr := g.Load(g.Param("srcRow"), g.GP64()).(reg.GPVirtual)
	for _, r := range []reg.GPVirtual{pos, tile, sr} {
		g.SHLQ(operand.U8(2), r)
	}
	four, minus4, minus5, two := g.inputConstants()
	loop := g.label("tile")
	d, s := g.GP64(), g.GP64()
	g.Label(loop)
	g.MOVQ(src, s)
	g.MOVQ(dst, d)
	for i := range 6 {
		x := make([]V, 6)
		for j := range x {
			x[j] = g.new()
			g.VMOVUPS(operand.Mem{Base: s, Disp: j * g.bytes()}, x[j])
		}
		for _, v := range g.inputLine(x, four, minus4, minus5, two) {
			g.VMOVUPS(v, operand.Mem{Base: d})
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

// weightLine is the transform G of three values.
func (g *gen) weightLine(w []V) []V {
	s := g.mul(g.add(w[0], w[2]), k(-1.0/6))
	t := g.fma(w[2], g.copy(k(1.0/6)), g.mul(w[0], k(1.0/24)))
	return []V{
		g.mul(w[0], k(0.25)),
		g.fma(w[1], k(-1.0/6), s),
		g.fma(w[1], k(1.0/6), s),
		g.fma(w[1], k(1.0/12), t),
		g.fma(w[1], k(-1.0/12), t),
		w[2],
	}
}

// winogradWeights transforms kernels of nine taps, one vector of output
// channels each.
func winogradWeights(g *gen) {
	name := "winogradWeights" + g.w.name
	g.fn(name, "func(dst, src, tmp *float32, n, pos int)",
		name+" transforms n kernels of 9 taps, each tap two vectors of output channels; results lie pos floats apart. tmp holds 18 vectors.")
	dst := g.Load(g.Param("dst"), g.GP64()).(reg.GPVirtual)
	src := g.Load(g.Param("src"), g.GP64()).(reg.GPVirtual)
	tmp := g.Load(g.Param("tmp"), g.GP64()).(reg.GPVirtual)
	n := g.Load(g.Param("n"), g.GP64()).(reg.GPVirtual)
	pos := g.Load(g.Param("pos"), g.GP64()).(reg.GPVirtual)
	g.SHLQ(operand.U8(2), pos)
	loop := g.label("kernel")
	d := g.GP64()
	g.Label(loop)
	for half := range 2 {
		for j := range 3 {
			w := make([]V, 3)
			for i := range w {
				w[i] = g.new()
				g.VMOVUPS(operand.Mem{Base: src, Disp: ((3*i+j)*2 + half) * g.bytes()}, w[i])
			}
			for i, v := range g.weightLine(w) {
				g.VMOVUPS(v, operand.Mem{Base: tmp, Disp: (3*i + j) * g.bytes()})
			}
		}
		g.LEAQ(operand.Mem{Base: dst, Disp: half * g.bytes()}, d)
		for i := range 6 {
			w := make([]V, 3)
			for j := range w {
				w[j] = g.new()
				g.VMOVUPS(operand.Mem{Base: tmp, Disp: (3*i + j) * g.bytes()}, w[j])
			}
			for _, v := range g.weightLine(w) {
				g.VMOVUPS(v, operand.Mem{Base: d})
				g.ADDQ(pos, d)
			}
		}
	}
	g.ADDQ(operand.I32(18*g.bytes()), src)
	g.ADDQ(operand.I32(2*g.bytes()), dst)
	g.DECQ(n)
	g.JNZ(operand.LabelRef(loop))
	g.ret()
}

// outputLine is the transform A' of six values.
func (g *gen) outputLine(m []V, two, four, eight V) []V {
	p, q := g.add(m[1], m[2]), g.sub(m[1], m[2])
	r, s := g.add(m[3], m[4]), g.sub(m[3], m[4])
	return []V{
		g.add(g.add(m[0], p), r),
		g.fma(s, two, q),
		g.fma(r, four, p),
		g.add(g.fma(s, eight, q), m[5]),
	}
}

// winogradOutput transforms the 36 sums of a tile to 4x4 outputs, adds a bias
// and clamps, for n tiles and two vectors of output channels.
func winogradOutput(g *gen) {
	name := "winogradOutput" + g.w.name
	g.fn(name, "func(w *byte)", name+" transforms tiles back; see WinogradTile.")
	p := g.Load(g.Param("w"), g.GP64()).(reg.GPVirtual)
	field := func(off int) operand.Mem { return operand.Mem{Base: p, Disp: off} }
	dst, src, tmp, n, pos, dstRow, bias := g.GP64(), g.GP64(), g.GP64(), g.GP64(), g.GP64(), g.GP64(), g.GP64()
	g.MOVQ(field(0), dst)
	g.MOVQ(field(8), src)
	g.MOVQ(field(16), tmp)
	g.MOVQ(field(24), bias)
	g.MOVQ(field(40), n)
	g.MOVQ(field(48), pos)
	g.MOVQ(field(56), dstRow)
	g.SHLQ(operand.U8(2), pos)
	g.SHLQ(operand.U8(2), dstRow)
	two, four, eight := g.hold(k(2)), g.hold(k(4)), g.hold(k(8))
	lo, hi := g.new(), g.new()
	g.VBROADCASTSS(field(72), lo)
	g.VBROADCASTSS(field(76), hi)
	loop := g.label("tile")
	s, d := g.GP64(), g.GP64()
	g.Label(loop)
	for half := range 2 {
		g.LEAQ(operand.Mem{Base: src, Disp: half * g.bytes()}, s)
		// Down the columns: sums 6i+j, j fixed.
		for j := range 6 {
			m := make([]V, 6)
			at := g.GP64()
			g.MOVQ(s, at)
			six := g.GP64()
			g.LEAQ(operand.Mem{Base: pos, Index: pos, Scale: 2}, six)
			g.ADDQ(six, six)
			for i := range m {
				m[i] = g.new()
				g.VMOVUPS(operand.Mem{Base: at}, m[i])
				if i < 5 {
					g.ADDQ(six, at)
				}
			}
			for i, v := range g.outputLine(m, two, four, eight) {
				g.VMOVUPS(v, operand.Mem{Base: tmp, Disp: (6*i + j) * g.bytes()})
			}
			if j < 5 {
				g.ADDQ(pos, s)
			}
		}
		g.MOVQ(dst, d)
		if half == 1 {
			other := g.GP64()
			g.MOVQ(field(64), other)
			g.LEAQ(operand.Mem{Base: d, Index: other, Scale: 4}, d)
		}
		bad := g.new()
		flags := g.GP64()
		g.MOVQ(field(32), flags)
		g.VMOVUPS(operand.Mem{Base: flags}, bad)
		for i := range 4 {
			m := make([]V, 6)
			for j := range m {
				m[j] = g.new()
				g.VMOVUPS(operand.Mem{Base: tmp, Disp: (6*i + j) * g.bytes()}, m[j])
			}
			b := g.new()
			g.VMOVUPS(operand.Mem{Base: bias, Disp: half * g.bytes()}, b)
			for j, v := range g.outputLine(m, two, four, eight) {
				v = g.add(v, b)
				bad = g.fma(v, k(0), bad) // 0, or NaN once v is not finite
				g.VMOVUPS(g.min(hi, g.max(lo, v)), operand.Mem{Base: d, Disp: j * g.bytes()})
			}
			if i < 3 {
				g.ADDQ(dstRow, d)
			}
		}
		g.VMOVUPS(bad, operand.Mem{Base: flags})
	}
	g.ADDQ(operand.I32(2*g.bytes()), src)
	g.ADDQ(operand.I32(4*g.bytes()), dst)
	g.DECQ(n)
	g.JNZ(operand.LabelRef(loop))
	g.ret()
}

// transposeTall turns rows of one vector each into columns: element c of row r
// goes to dst[c*dstStride+r].
func transposeTall(g *gen) {
	L := g.w.lanes
	name := "transposeTall" + g.w.name
	g.fn(name, "func(dst, src *float32, dstStride, srcStride, rows, n int)",
		name+" sets dst[c*dstStride+r] = src[r*srcStride+c] for r < rows and c < n, n at most one vector; whole vectors of src are read.")
	dst := g.Load(g.Param("dst"), g.GP64()).(reg.GPVirtual)
	src := g.Load(g.Param("src"), g.GP64()).(reg.GPVirtual)
	ds := g.Load(g.Param("dstStride"), g.GP64()).(reg.GPVirtual)
	ss := g.Load(g.Param("srcStride"), g.GP64()).(reg.GPVirtual)
	rows := g.Load(g.Param("rows"), g.GP64()).(reg.GPVirtual)
	n := g.Load(g.Param("n"), g.GP64()).(reg.GPVirtual)
	g.SHLQ(operand.U8(2), ds)
	g.SHLQ(operand.U8(2), ss)
	block, part, whole, end := g.label("block"), g.label("part"), g.label("whole"), g.label("end")
	at, d := g.GP64(), g.GP64()
	g.Label(block)
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
	g.MOVQ(dst, d)
	g.CMPQ(rows, operand.I8(int8(L)))
	g.JLT(operand.LabelRef(part))
	for i := range L {
		g.VMOVUPS(order[i], operand.Mem{Base: d})
		if i < L-1 {
			g.CMPQ(n, operand.I8(int8(i+1)))
			g.JLE(operand.LabelRef(whole))
			g.ADDQ(ds, d)
		}
	}
	g.Label(whole)
	g.MOVQ(ss, at)
	g.IMUL3Q(operand.I32(L), at, at)
	g.ADDQ(at, src)
	g.ADDQ(operand.I32(g.bytes()), dst)
	g.SUBQ(operand.I32(L), rows)
	g.JG(operand.LabelRef(block))
	g.JMP(operand.LabelRef(end))
	g.Label(part)
	var mask operand.Op
	if L == 16 {
		mask = vecMask(g, rows, 1, []reg.OpmaskPhysical{reg.K1}, nil)[0]
	} else {
		mask = vecMask(g, rows, 1, nil, []reg.VecPhysical{g.vec(15)})[0]
	}
	for i := range L {
		g.maskedStore(order[i], mask, operand.Mem{Base: d})
		if i < L-1 {
			g.CMPQ(n, operand.I8(int8(i+1)))
			g.JLE(operand.LabelRef(end))
			g.ADDQ(ds, d)
		}
	}
	g.Label(end)
	g.ret()
}
