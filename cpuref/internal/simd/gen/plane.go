package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// planes writes copies of rectangles and the depthwise convolutions.
func planes(g *gen) {
	copyPlane(g, 1)
	copyPlane(g, 2)
	spreadPlane(g)
	depthwise(g)
	if g.wide() {
		for v := 1; v <= 4; v++ {
			depthwise3x3(g, v)
		}
	}
}

// copyPlane copies n floats, step apart, from each of rows rows.
func copyPlane(g *gen, step int) {
	name := map[int]string{1: "copyPlane1", 2: "copyPlane2"}[step] + g.w.name
	g.fn(name, "func(dst, src *float32, dstStride, srcStride, rows, n int)",
		name+" sets dst[r*dstStride+i] = src[r*srcStride+i*step] for r < rows, i < n; rows and n are positive.")
	dst := g.arg("dst")
	src := g.arg("src")
	ds := g.arg("dstStride")
	ss := g.arg("srcStride")
	rows := g.arg("rows")
	n := g.arg("n")
	g.SHLQ(operand.U8(2), ds)
	g.SHLQ(operand.U8(2), ss)
	L := g.w.lanes
	// The rest of a row, after whole vectors.
	rest := g.GP64()
	g.MOVQ(n, rest)
	g.ANDQ(operand.I8(int8(L-1)), rest)
	out := vecMask(g, rest, 1, []reg.OpmaskPhysical{reg.K1}, []reg.VecPhysical{g.vec(13)})[0]
	in := []operand.Op{out}
	if step == 2 {
		twice := g.GP64()
		g.LEAQ(operand.Mem{Base: rest, Index: rest, Scale: 1, Disp: -1}, twice)
		zero := g.GP64()
		g.XORQ(zero, zero)
		g.TESTQ(rest, rest)
		g.CMOVQEQ(zero, twice)
		in = vecMask(g, twice, 2, []reg.OpmaskPhysical{reg.K2, reg.K3}, []reg.VecPhysical{g.vec(14), g.vec(15)})
	}
	var even V
	if step == 2 && g.wide() {
		even = g.new()
		g.VMOVDQU32(g.evens(), even)
	}
	merge := func(a, b V) V {
		if g.wide() {
			g.VPERMT2PS(b, even, a)
			return a
		}
		g.VSHUFPS(operand.U8(0x88), b, a, a)
		g.VPERMPD(operand.U8(0xd8), a, a)
		return a
	}
	row, loop, tail, next := g.label("row"), g.label("copy"), g.label("tail"), g.label("next")
	d, s, left := g.GP64(), g.GP64(), g.GP64()
	g.Label(row)
	g.MOVQ(dst, d)
	g.MOVQ(src, s)
	g.MOVQ(n, left)
	g.SUBQ(operand.I8(int8(L)), left)
	g.JLT(operand.LabelRef(tail))
	g.Label(loop)
	a := g.new()
	g.VMOVUPS(operand.Mem{Base: s}, a)
	if step == 2 {
		// The second half ends one float early: the last one is not used, and
		// may lie behind the source.
		b := g.new()
		if g.wide() {
			g.VMOVUPS(operand.Mem{Base: s, Disp: g.bytes() - 4}, b)
			g.VPERMT2PS(b, even, a)
		} else {
			g.VMOVUPS(operand.Mem{Base: s, Disp: g.bytes() - 4}, b)
			g.VSHUFPS(operand.U8(0xd8), b, a, a)
			g.VPERMPD(operand.U8(0xd8), a, a)
		}
	}
	g.VMOVUPS(a, operand.Mem{Base: d})
	g.ADDQ(operand.I8(int8(4*L)), d)
	g.ADDQ(operand.I32(4*L*step), s)
	g.SUBQ(operand.I8(int8(L)), left)
	g.JGE(operand.LabelRef(loop))
	g.Label(tail)
	g.TESTQ(rest, rest)
	g.JZ(operand.LabelRef(next))
	a = g.new()
	g.maskedLoad(operand.Mem{Base: s}, in[0], a)
	if step == 2 {
		b := g.new()
		g.maskedLoad(operand.Mem{Base: s, Disp: g.bytes()}, in[1], b)
		if g.wide() {
			full := g.new()
			g.VMOVDQU32(g.evensWhole(), full)
			g.VPERMT2PS(b, full, a)
		} else {
			a = merge(a, b)
		}
	}
	g.maskedStore(a, out, operand.Mem{Base: d})
	g.Label(next)
	g.ADDQ(ds, dst)
	g.ADDQ(ss, src)
	g.DECQ(rows)
	g.JNZ(operand.LabelRef(row))
	g.ret()
}

// evensWhole are the indices of the even elements of two vectors, and evens the
// same where the second vector starts one element early.
func (g *gen) evensWhole() operand.Mem {
	return g.table("evensWhole", func(i int) int { return 2 * i })
}

func (g *gen) evens() operand.Mem {
	return g.table("evens", func(i int) int {
		if i >= 8 {
			return 2*i + 1
		}
		return 2 * i
	})
}

func (g *gen) table(name string, f func(i int) int) operand.Mem {
	m, ok := g.consts[name]
	if !ok {
		m = g.StaticGlobal(name)
		g.DataAttributes(rodata)
		for i := range 16 {
			g.AppendDatum(operand.U32(f(i)))
		}
		g.consts[name] = m
	}
	return m
}

// Offsets of the fields of simd.Depthwise.
const (
	dwDst       = 0
	dwSrc       = 8
	dwW         = 16
	dwOffs      = 24
	dwTaps      = 32
	dwRows      = 40
	dwN         = 48
	dwDstStride = 56
	dwSrcStride = 64
	dwBias      = 72
	dwLo        = 76
	dwHi        = 80
	dwFirst     = 84 // 3 masks
	dwLast      = 96 // 3 masks
	dwStore     = 108
	dwZero      = 112
	dwHeight    = 120
	dwTop       = 128
	dwSrcOff    = 136
)

// depthwise writes the convolution of one plane for any kernel: for each row,
// up to four vectors of outputs at a time, tap by tap.
func depthwise(g *gen) {
	name := "depthwise" + g.w.name
	g.fn(name, "func(d *byte)", name+" convolves rows of one plane; see Depthwise.")
	p := g.arg("d")
	field := func(off int) operand.Mem { return operand.Mem{Base: p, Disp: off} }
	L := g.w.lanes
	dst, src, rows := g.GP64(), g.GP64(), g.GP64()
	g.MOVQ(field(dwDst), dst)
	g.MOVQ(field(dwSrc), src)
	g.MOVQ(field(dwRows), rows)
	lo, hi := g.new(), g.new()
	g.VBROADCASTSS(field(dwLo), lo)
	g.VBROADCASTSS(field(dwHi), hi)
	d, s, left := g.GP64(), g.GP64(), g.GP64()
	row, more, next := g.label("row"), g.label("more"), g.label("nextrow")
	g.Label(row)
	g.MOVQ(dst, d)
	g.MOVQ(src, s)
	g.MOVQ(field(dwN), left)
	g.Label(more)
	// Blocks of four vectors, then one of as many as are left.
	labels := make([]string, 4)
	for v := 1; v <= 3; v++ {
		labels[v] = g.label("block")
		g.CMPQ(left, operand.I32(v*L))
		g.JLE(operand.LabelRef(labels[v]))
	}
	for v := 4; v >= 1; v-- {
		if v < 4 {
			g.Label(labels[v])
		}
		acc := make([]V, v)
		for i := range acc {
			acc[i] = g.new()
			g.VBROADCASTSS(field(dwBias), acc[i])
		}
		w, offs, taps := g.GP64(), g.GP64(), g.GP64()
		g.MOVQ(field(dwW), w)
		g.MOVQ(field(dwOffs), offs)
		g.MOVQ(field(dwTaps), taps)
		tap := g.label("tap")
		g.Label(tap)
		off, wv := g.GP64(), g.new()
		g.MOVQ(operand.Mem{Base: offs}, off)
		g.VBROADCASTSS(operand.Mem{Base: w}, wv)
		for i := range acc {
			g.VFMADD231PS(operand.Mem{Base: s, Index: off, Scale: 4, Disp: i * g.bytes()}, wv, acc[i])
		}
		g.ADDQ(operand.I8(8), offs)
		g.ADDQ(operand.I8(4), w)
		g.DECQ(taps)
		g.JNZ(operand.LabelRef(tap))
		for i := range acc {
			acc[i] = g.min(hi, g.max(lo, acc[i]))
		}
		for i := range v - 1 {
			g.VMOVUPS(acc[i], operand.Mem{Base: d, Disp: i * g.bytes()})
		}
		last := operand.Mem{Base: d, Disp: (v - 1) * g.bytes()}
		whole := g.label("whole")
		g.SUBQ(operand.I32((v-1)*L), left)
		g.CMPQ(left, operand.I8(int8(L)))
		g.JGE(operand.LabelRef(whole))
		g.tailStoreN(acc[v-1], left, last)
		g.JMP(operand.LabelRef(next))
		g.Label(whole)
		g.VMOVUPS(acc[v-1], last)
		g.SUBQ(operand.I8(int8(L)), left)
		g.JZ(operand.LabelRef(next))
		g.ADDQ(operand.I32(v*g.bytes()), d)
		g.ADDQ(operand.I32(v*g.bytes()), s)
		g.JMP(operand.LabelRef(more))
	}
	g.Label(next)
	step := g.GP64()
	g.MOVQ(field(dwDstStride), step)
	g.LEAQ(operand.Mem{Base: dst, Index: step, Scale: 4}, dst)
	g.MOVQ(field(dwSrcStride), step)
	g.LEAQ(operand.Mem{Base: src, Index: step, Scale: 4}, src)
	g.DECQ(rows)
	g.JNZ(operand.LabelRef(row))
	g.ret()
}

// tailStoreN stores the first n lanes.
func (g *gen) tailStoreN(v V, n reg.GPVirtual, dst operand.Mem) {
	if g.wide() {
		m := vecMask(g, n, 1, []reg.OpmaskPhysical{reg.K7}, nil)[0]
		g.maskedStore(v, m, dst)
		return
	}
	m := g.new()
	g.loadMask(n, m)
	g.maskedStore(v, m, dst)
}

// depthwise3x3 writes the 3x3 convolution of stride 1 of a strip of vecs
// vectors of one plane, two rows at a time, straight from the input: rows above
// and below it are read from a row of zeros, and columns beside it are masked
// out of the strip's first and last vector. AVX-512 only: weights and sums fill
// the registers.
func depthwise3x3(g *gen, vecs int) {
	name := "depthwise3x3x" + map[int]string{1: "1", 2: "2", 3: "3", 4: "4"}[vecs] + g.w.name
	g.fn(name, "func(d *byte)", name+" convolves a strip of "+map[int]string{1: "1 vector", 2: "2 vectors", 3: "3 vectors", 4: "4 vectors"}[vecs]+" of one plane with a 3x3 kernel; see Depthwise.")
	p := g.arg("d")
	field := func(off int) operand.Mem { return operand.Mem{Base: p, Disp: off} }
	dst, src, zero, rows, height, top, ss := g.GP64(), g.GP64(), g.GP64(), g.GP64(), g.GP64(), g.GP64(), g.GP64()
	g.MOVQ(field(dwDst), dst)
	g.MOVQ(field(dwSrc), src)
	off := g.GP64()
	g.MOVQ(field(dwSrcOff), off) // column of the first output's left tap
	g.LEAQ(operand.Mem{Base: src, Index: off, Scale: 4}, src)
	g.MOVQ(field(dwZero), zero)
	g.MOVQ(field(dwRows), rows)
	g.MOVQ(field(dwHeight), height)
	g.MOVQ(field(dwTop), top) // row of the first output's upper tap
	g.MOVQ(field(dwSrcStride), ss)
	g.SHLQ(operand.U8(2), ss)
	first := []reg.OpmaskPhysical{reg.K1, reg.K2, reg.K3}
	last := []reg.OpmaskPhysical{reg.K4, reg.K5, reg.K6}
	m := g.GP32()
	for i := range 3 {
		g.MOVL(field(dwFirst+4*i), m)
		g.KMOVW(m, first[i])
		g.MOVL(field(dwLast+4*i), m)
		g.KMOVW(m, last[i])
	}
	g.MOVL(field(dwStore), m)
	g.KMOVW(m, reg.K7)
	w := make([]V, 9)
	wp := g.GP64()
	g.MOVQ(field(dwW), wp)
	for i := range w {
		w[i] = g.new()
		g.VBROADCASTSS(operand.Mem{Base: wp, Disp: 4 * i}, w[i])
	}
	loop, one, end := g.label("rows"), g.label("onerow"), g.label("done")
	body := func(n int) { // n output rows
		acc := make([]V, n*vecs)
		for i := range acc {
			acc[i] = g.new()
			g.VBROADCASTSS(field(dwBias), acc[i])
		}
		for r := range n + 2 {
			// Input row top+r, or zeros where there is none.
			at, ptr := g.GP64(), g.GP64()
			g.LEAQ(operand.Mem{Base: top, Disp: r}, at)
			g.MOVQ(at, ptr)
			g.IMULQ(ss, ptr)
			g.ADDQ(src, ptr)
			g.CMPQ(at, height)
			g.CMOVQCC(zero, ptr)
			for v := range vecs {
				for c := range 3 {
					x := g.new()
					mem := operand.Mem{Base: ptr, Disp: v*g.bytes() + 4*c}
					switch v {
					case vecs - 1:
						g.maskedLoad(mem, last[c], x)
					case 0:
						g.maskedLoad(mem, first[c], x)
					default:
						g.VMOVUPS(mem, x)
					}
					for o := range n {
						if k := r - o; k >= 0 && k < 3 {
							g.VFMADD231PS(x, w[3*k+c], acc[o*vecs+v])
						}
					}
				}
			}
		}
		lo, hi := g.new(), g.new()
		g.VBROADCASTSS(field(dwLo), lo)
		g.VBROADCASTSS(field(dwHi), hi)
		step := g.GP64()
		g.MOVQ(field(dwDstStride), step)
		for o := range n {
			for v := range vecs {
				y := g.min(hi, g.max(lo, acc[o*vecs+v]))
				mem := operand.Mem{Base: dst, Disp: v * g.bytes()}
				if v == vecs-1 {
					g.maskedStore(y, reg.K7, mem)
				} else {
					g.VMOVUPS(y, mem)
				}
			}
			g.LEAQ(operand.Mem{Base: dst, Index: step, Scale: 4}, dst)
		}
		g.ADDQ(operand.I8(int8(n)), top)
	}
	g.SUBQ(operand.I8(2), rows)
	g.JLT(operand.LabelRef(one))
	g.Label(loop)
	body(2)
	g.SUBQ(operand.I8(2), rows)
	g.JGE(operand.LabelRef(loop))
	g.Label(one)
	g.ADDQ(operand.I8(2), rows)
	g.JZ(operand.LabelRef(end))
	body(1)
	g.Label(end)
	g.ret()
}

// spreadPlane writes rows to every second place: dst[r*dstStride+2*i] =
// src[r*srcStride+i]. What lies between stays.
func spreadPlane(g *gen) {
	name := "spreadPlane" + g.w.name
	g.fn(name, "func(dst, src *float32, dstStride, srcStride, rows, n int)",
		name+" sets dst[r*dstStride+2*i] = src[r*srcStride+i] for r < rows, i < n; rows and n are positive.")
	dst := g.arg("dst")
	src := g.arg("src")
	ds := g.arg("dstStride")
	ss := g.arg("srcStride")
	rows := g.arg("rows")
	n := g.arg("n")
	g.SHLQ(operand.U8(2), ds)
	g.SHLQ(operand.U8(2), ss)
	L := g.w.lanes
	twice := g.table("twice", func(i int) int { return i / 2 })
	low, high := g.new(), g.new()
	var mask operand.Op
	if g.wide() {
		g.VMOVDQU32(twice, low)
		g.VPADDD_BCST(g.constant(konst(8)), low, high)
		m := g.GP32()
		g.MOVL(operand.U32(0x5555), m)
		g.KMOVW(m, reg.K1)
		mask = reg.K1
	} else {
		g.VMOVDQU(twice, low)
		g.VPADDD(g.constant(konst(4)), low, high)
		m := g.new()
		g.VPCMPEQD(m, m, m)
		g.VPSRLQ(operand.U8(32), m, m)
		mask = m
	}
	row, loop, tail, one, next := g.label("row"), g.label("spread"), g.label("tail"), g.label("one"), g.label("next")
	d, s, left := g.GP64(), g.GP64(), g.GP64()
	g.Label(row)
	g.MOVQ(dst, d)
	g.MOVQ(src, s)
	g.MOVQ(n, left)
	g.SUBQ(operand.I8(int8(L)), left)
	g.JLT(operand.LabelRef(tail))
	g.Label(loop)
	v, a, b := g.new(), g.new(), g.new()
	g.VMOVUPS(operand.Mem{Base: s}, v)
	g.VPERMPS(v, low, a)
	g.VPERMPS(v, high, b)
	g.maskedStore(a, mask, operand.Mem{Base: d})
	g.maskedStore(b, mask, operand.Mem{Base: d, Disp: g.bytes()})
	g.ADDQ(operand.I8(int8(4*L)), s)
	g.ADDQ(operand.I32(8*L), d)
	g.SUBQ(operand.I8(int8(L)), left)
	g.JGE(operand.LabelRef(loop))
	g.Label(tail)
	g.ADDQ(operand.I8(int8(L)), left)
	g.JZ(operand.LabelRef(next))
	g.Label(one)
	x := g.GP32()
	g.MOVL(operand.Mem{Base: s}, x)
	g.MOVL(x, operand.Mem{Base: d})
	g.ADDQ(operand.I8(4), s)
	g.ADDQ(operand.I8(8), d)
	g.DECQ(left)
	g.JNZ(operand.LabelRef(one))
	g.Label(next)
	g.ADDQ(ds, dst)
	g.ADDQ(ss, src)
	g.DECQ(rows)
	g.JNZ(operand.LabelRef(row))
	g.ret()
}
