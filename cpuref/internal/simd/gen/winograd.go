package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Winograd's F(4x4, 3x3) (Lavin and Gray, Fast Algorithms for Convolutional
// Neural Networks, 2016), points 0, +-sqrt(1/2), +-sqrt(2) and infinity: with
// them the four outputs of a line have nearly the same error, a fifth of what the
// usual points 1 and 2 give the worst one in two dimensions. Lanes are channels
// throughout, so that no transform shuffles.
func winograd(g *gen) {
	absSquares(g, 1)
	absSquares(g, 4)
	winogradTaps(g)
	winogradDeficits(g)
	transformRows(g, "winogradRows", "B'[i][r]", 6, g.inputLine)
	transformCols(g, "winogradCols", 6, g.inputLine)
	for i := range 6 {
		winogradWeights(g, i)
	}
	winogradOutput(g)
	transposeTall(g)
}

// inputLine is the transform B' of six values, with its constants in registers.
func (g *gen) inputLine() func(d []V) []V {
	minus2, minusHalf, near, far := g.hold(k(-2)), g.hold(k(-0.5)), g.hold(k(math.Sqrt2/2)), g.hold(k(math.Sqrt2))
	return func(d []V) []V {
		evenNear := g.fma(d[2], minus2, d[4])
		oddNear := g.fma(d[1], minus2, d[3])
		evenFar := g.fma(d[2], minusHalf, d[4])
		oddFar := g.fma(d[1], minusHalf, d[3])
		return []V{
			g.fma(d[2], k(-2.5), g.add(d[0], d[4])),
			g.fma(oddNear, near, evenNear),
			g.fnma(oddNear, near, evenNear),
			g.fma(oddFar, far, evenFar),
			g.fnma(oddFar, far, evenFar),
			g.fma(d[3], k(-2.5), g.add(d[1], d[5])),
		}
	}
}

// weightLine is the transform G of three values. Its rows for the four finite
// points but 0 are -3 and 6 times those that go with the other transforms, which
// saves operations; outputLine makes up for it. two and root are 2 and its root.
func (g *gen) weightLine(w []V, two, root V) []V {
	near, far := g.fma(w[0], two, w[2]), g.fma(w[2], two, w[0])
	line := []V{w[0], nil, g.fnma(w[1], root, near), nil, g.fnma(w[1], root, far), w[2]}
	g.VFMADD231PS(root, w[1], near)
	g.VFMADD231PS(root, w[1], far)
	line[1], line[3] = near, far
	return line
}

// winogradWeights transforms kernels of nine taps, two vectors of output channels
// each, to the six points of row i of the 36.
func winogradWeights(g *gen, i int) {
	name := fmt.Sprintf("winogradWeights%d%s", i, g.w.name)
	g.fn(name, "func(dst, src *float32, n, point int)",
		fmt.Sprintf("%s transforms n kernels of 9 taps, each tap two vectors of output channels, to the points of row %d, point floats apart.", name, i))
	dst := g.arg("dst")
	src := g.arg("src")
	n := g.arg("n")
	point := g.arg("point")
	g.SHLQ(operand.U8(2), point)
	point3, dst3 := g.GP64(), g.GP64()
	g.LEAQ(operand.Mem{Base: point, Index: point, Scale: 2}, point3)
	g.LEAQ(operand.Mem{Base: dst, Index: point3, Scale: 1}, dst3)
	two, root := g.hold(k(2)), g.hold(k(math.Sqrt2))
	loop := g.label("kernel")
	g.Label(loop)
	for half := range 2 {
		w := make([]V, 3)
		for j := range w {
			tap := func(r int) V {
				v := g.new()
				g.VMOVUPS(operand.Mem{Base: src, Disp: ((3*r+j)*2 + half) * g.bytes()}, v)
				return v
			}
			switch i {
			case 0:
				w[j] = tap(0)
			case 5:
				w[j] = tap(2)
			default:
				a, b, c := tap(0), tap(1), tap(2)
				if i < 3 {
					g.VFMADD231PS(two, a, c)
				} else {
					g.VFMADD231PS(two, c, a)
					c = a
				}
				if w[j] = c; i%2 == 1 {
					g.VFMADD231PS(root, b, c)
				} else {
					g.VFNMADD231PS(root, b, c)
				}
			}
		}
		for j, v := range g.weightLine(w, two, root) {
			m := operand.Mem{Base: dst, Disp: half * g.bytes()}
			if j >= 3 {
				m.Base, j = dst3, j-3
			}
			if j > 0 {
				m.Index, m.Scale = point, uint8(j)
			}
			g.VMOVUPS(v, m)
		}
	}
	g.ADDQ(operand.I32(18*g.bytes()), src)
	g.ADDQ(operand.I32(2*g.bytes()), dst)
	g.ADDQ(operand.I32(2*g.bytes()), dst3)
	g.DECQ(n)
	g.JNZ(operand.LabelRef(loop))
	g.ret()
}

// outputLine is the transform A' of six values, divided by the factors of
// weightLine.
func (g *gen) outputLine(m []V) []V {
	p, q := g.add(m[1], m[2]), g.sub(m[1], m[2])
	r, s := g.add(m[3], m[4]), g.sub(m[3], m[4])
	return []V{
		g.fma(r, k(1.0/6), g.fma(p, k(-1.0/3), m[0])),
		g.fma(s, k(math.Sqrt2/6), g.mul(q, k(-math.Sqrt2/6))),
		g.fma(r, k(1.0/3), g.mul(p, k(-1.0/6))),
		g.fma(s, k(math.Sqrt2/3), g.fma(q, k(-math.Sqrt2/12), m[5])),
	}
}

// winogradOutput transforms the 36 sums of a tile to 4x4 outputs, adds a bias
// and clamps, for n tiles and two vectors of output channels.
func winogradOutput(g *gen) {
	name := "winogradOutput" + g.w.name
	g.fn(name, "func(w *byte)", name+" transforms tiles back; see WinogradTile.")
	p := g.arg("w")
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
			for i, v := range g.outputLine(m) {
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
			for j, v := range g.outputLine(m) {
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

// tapsAhead is how many kernels are on their way from memory: each output channel's
// stand by themselves, too few in a row for the processor to see the pattern.
const tapsAhead = 16

// winogradTaps reads kernels as they stand in memory, one output channel after
// another, and brings their taps into vectors over the output channels: four taps
// of all channels at once, as blocks of four by four within each 128 bits.
func winogradTaps(g *gen) {
	name := "winogradTaps" + g.w.name
	g.fn(name, "func(dst, src *float32, n, row, next, step int)",
		name+" gathers the nine taps of n kernels for one vector of output channels that are row floats apart; kernels are next floats apart, taps in dst step.")
	dst := g.arg("dst")
	src := g.arg("src")
	n := g.arg("n")
	row := g.arg("row")
	next := g.arg("next")
	step := g.arg("step")
	for _, r := range []reg.GPVirtual{row, next, step} {
		g.SHLQ(operand.U8(2), r)
	}
	row3 := g.GP64()
	g.LEAQ(operand.Mem{Base: row, Index: row, Scale: 2}, row3)
	bases := []reg.GPVirtual{src}
	for i := 1; i < g.w.lanes/4; i++ {
		b := g.GP64()
		g.LEAQ(operand.Mem{Base: bases[i-1], Index: row, Scale: 4}, b)
		bases = append(bases, b)
	}
	// at is tap t of output channel 4*group+j.
	at := func(group, j, t int) operand.Mem {
		m := operand.Mem{Base: bases[group], Disp: 4 * t}
		switch j {
		case 1, 2:
			m.Index, m.Scale = row, uint8(j)
		case 3:
			m.Index, m.Scale = row3, 1
		}
		return m
	}
	ahead := g.GP64() // kernels are fetched tapsAhead before they are read
	g.MOVQ(next, ahead)
	g.IMUL3Q(operand.I32(tapsAhead), ahead, ahead)
	loop := g.label("taps")
	d := g.GP64()
	g.Label(loop)
	for i := range bases {
		from := g.GP64()
		g.LEAQ(operand.Mem{Base: bases[i], Index: ahead, Scale: 1}, from)
		for j := range 4 {
			m := at(i, j, 0)
			m.Base = from
			g.PREFETCHT0(m)
		}
	}
	g.MOVQ(dst, d)
	for _, t := range []int{0, 4, 5} { // the last four begin early: only the ninth tap is new
		z := func(i int) reg.VecPhysical { return g.vec(i) } // the first load of each writes all of it
		for j := range 4 {
			g.VMOVUPS(at(0, j, t), z(j).AsX())
			for group := 1; group < len(bases); group++ {
				if g.wide() {
					g.VINSERTF32X4(operand.U8(group), at(group, j, t), z(j), z(j))
				} else {
					g.VINSERTF128(operand.U8(group), at(group, j, t), z(j), z(j))
				}
			}
		}
		g.VUNPCKHPS(z(1), z(0), z(6))
		g.VUNPCKHPS(z(3), z(2), z(7))
		taps := []reg.VecPhysical{z(11)}
		if t < 5 {
			g.VUNPCKLPS(z(1), z(0), z(4))
			g.VUNPCKLPS(z(3), z(2), z(5))
			g.VUNPCKLPD(z(5), z(4), z(8))
			g.VUNPCKHPD(z(5), z(4), z(9))
			g.VUNPCKLPD(z(7), z(6), z(10))
			taps = []reg.VecPhysical{z(8), z(9), z(10), z(11)}
		}
		g.VUNPCKHPD(z(7), z(6), z(11))
		for _, v := range taps {
			g.VMOVUPS(v, operand.Mem{Base: d})
			g.ADDQ(step, d)
		}
	}
	for _, b := range bases {
		g.ADDQ(next, b)
	}
	g.ADDQ(operand.I32(18*g.bytes()), dst)
	g.DECQ(n)
	g.JNZ(operand.LabelRef(loop))
	g.ret()
}
