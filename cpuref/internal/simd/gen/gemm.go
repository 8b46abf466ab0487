package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets of the fields of simd.Tile, which the tests compare with the struct.
const (
	tileA    = 0
	tileB    = 8
	tileC    = 16
	tileBias = 24
	tileOffs = 32
	tileK    = 40
	tileLDB  = 48
	tileLDC  = 56
	tileN    = 64
	tileMode = 72
	tileLo   = 80
	tileHi   = 84
	tileNext = 88
	tileStep = 96
)

// gemmRows is the largest tile height: with it, the accumulators, two vectors
// of B and two broadcast elements of A fill the registers.
func gemmRows(w width) int { return (w.regs - 4) / 2 }

// gemm writes the tile kernels of the matrix product.
func gemm(g *gen) {
	for _, kind := range []string{"tile", "tileAt"} {
		for cols := 1; cols <= 2; cols++ {
			for rows := 1; rows <= gemmRows(g.w); rows++ {
				gemmTile(g, kind, rows, cols)
			}
		}
	}
	for rows := 1; rows <= gemmRows(g.w); rows++ {
		gemmTile(g, "tileRows", rows, 2)
	}
}

// gemmTile writes one kernel: "tile" takes A packed and the rows of B LDB apart,
// "tileAt" takes the rows of B from Offs, and "tileRows" takes A as it stands, in
// rows LDB apart, and B packed. Registers: accumulator (i, j) is i*cols+j, then
// two (cols) vectors of B, then two for broadcast elements of A.
//
// Multiply-adds fill two of the ports that additions to addresses may take as
// well, so there are few of these: four rows of B are reached from one address.
func gemmTile(g *gen, kind string, rows, cols int) {
	indirect, inRows := kind == "tileAt", kind == "tileRows"
	access := map[string]string{"tile": "with the rows of B LDB apart", "tileAt": "with the rows of B at the offsets Offs",
		"tileRows": "with the rows of A LDB apart"}[kind]
	name := fmt.Sprintf("%s%dx%d%s", kind, rows, cols, g.w.name)
	g.fn(name, "func(t *byte)", fmt.Sprintf("%s computes a tile of %d rows and up to %d columns, %s.",
		name, rows, cols*g.w.lanes, access))

	acc := func(i, j int) reg.VecPhysical { return g.vec(i*cols + j) }
	bv := func(j int) reg.VecPhysical { return g.vec(rows*cols + j) }
	av := func(i int) reg.VecPhysical { return g.vec(rows*cols + cols + i&1) }

	t := g.arg("t")
	field := func(off int) operand.Mem { return operand.Mem{Base: t, Disp: off} }
	a, b, c, k, ldb, ldc, mode := g.GP64(), g.GP64(), g.GP64(), g.GP64(), g.GP64(), g.GP64(), g.GP64()
	g.MOVQ(field(tileA), a)
	g.MOVQ(field(tileB), b)
	g.MOVQ(field(tileC), c)
	g.MOVQ(field(tileK), k)
	g.MOVQ(field(tileLDC), ldc)
	g.SHLQ(operand.U8(2), ldc)
	g.MOVQ(field(tileMode), mode)
	if indirect {
		g.MOVQ(field(tileOffs), ldb)
	} else {
		g.MOVQ(field(tileLDB), ldb)
		g.SHLQ(operand.U8(2), ldb)
	}
	tileInit(g, field, rows, cols, c, ldc, mode, acc, bv)

	elem := func(i, s int) operand.Mem { return operand.Mem{Base: a, Disp: 4 * (s*rows + i)} }
	bases := []reg.GPVirtual{a}
	var ldb3 reg.GPVirtual
	switch {
	case inRows:
		elem, bases = rowAddresses(g, a, ldb, rows)
	case !indirect:
		ldb3 = g.GP64()
		g.LEAQ(operand.Mem{Base: ldb, Index: ldb, Scale: 2}, ldb3)
	}
	next, nextStep := tileNextOf(g, field, b)

	// The sum over k, four steps at a time.
	step := func(s int) {
		row := operand.Mem{Base: b}
		switch {
		case indirect:
			row.Index, row.Scale = g.GP64(), 4
			g.MOVQ(operand.Mem{Base: ldb, Disp: 8 * s}, row.Index)
		case inRows:
			row.Disp = s * cols * g.bytes()
		case s == 3:
			row.Index, row.Scale = ldb3, 1
		case s > 0:
			row.Index, row.Scale = ldb, uint8(s)
		}
		for j := range cols {
			g.VMOVUPS(row, bv(j))
			row.Disp += g.bytes()
		}
		for i := range rows {
			g.VBROADCASTSS(elem(i, s), av(i))
			for j := range cols {
				g.VFMADD231PS(bv(j), av(i), acc(i, j))
			}
		}
	}
	advance := func(n int) {
		step := 4 * n * rows
		if inRows {
			step = 4 * n
		}
		for _, r := range bases {
			g.ADDQ(operand.I32(step), r)
		}
		switch {
		case indirect:
			g.ADDQ(operand.I32(8*n), ldb)
		case inRows:
			g.ADDQ(operand.I32(n*cols*g.bytes()), b)
		case n == 1:
			g.ADDQ(ldb, b)
		default:
			g.LEAQ(operand.Mem{Base: b, Index: ldb, Scale: 4}, b)
		}
	}
	ahead := max(1, cols*g.bytes()/64) // lines of a row of B
	if inRows {
		ahead = 1 // a line of A serves several tiles
	}
	loop4, rest, loop1, done := g.label("loop4_"), g.label("rest"), g.label("loop1_"), g.label("done")
	g.SUBQ(operand.I8(4), k)
	g.JLT(operand.LabelRef(rest))
	g.Label(loop4)
	for s := range 4 {
		step(s)
		if s < ahead {
			g.PREFETCHT1(operand.Mem{Base: next, Disp: 64 * s})
		}
	}
	g.ADDQ(nextStep, next)
	advance(4)
	g.SUBQ(operand.I8(4), k)
	g.JGE(operand.LabelRef(loop4))
	g.Label(rest)
	g.ADDQ(operand.I8(4), k)
	g.JZ(operand.LabelRef(done))
	g.Label(loop1)
	step(0)
	advance(1)
	g.DECQ(k)
	g.JNZ(operand.LabelRef(loop1))
	g.Label(done)

	tileStore(g, field, rows, cols, ldc, mode, acc, av, bv)
}

// tileNextOf loads where the kernel is to prefetch, and the bytes from one place
// to the next: those of B in hand, which cost nothing, where the tile says nothing.
func tileNextOf(g *gen, field func(int) operand.Mem, b reg.GPVirtual) (next, step reg.GPVirtual) {
	next, step = g.GP64(), g.GP64()
	g.MOVQ(field(tileStep), step)
	g.SHLQ(operand.U8(2), step)
	g.MOVQ(field(tileNext), next)
	g.TESTQ(next, next)
	g.CMOVQEQ(b, next)
	return next, step
}

// rowAddresses returns how to address element k+s of row i of A, whose rows are
// ld bytes apart, from few registers: a base and 0, 1, 2, 3, 4, 6, 8 or 12 rows.
func rowAddresses(g *gen, a, ld reg.GPVirtual, rows int) (func(i, s int) operand.Mem, []reg.GPVirtual) {
	bases := []reg.GPVirtual{a}
	ld3 := g.GP64()
	g.LEAQ(operand.Mem{Base: ld, Index: ld, Scale: 2}, ld3)
	addBase := func(rows int) {
		b := g.GP64()
		g.IMUL3Q(operand.I32(rows), ld, b)
		g.ADDQ(a, b)
		bases = append(bases, b)
	}
	if rows > 5 {
		addBase(5)
	}
	if rows > 10 {
		addBase(10)
	}
	from := func(base, n, s int) operand.Mem {
		m := operand.Mem{Base: bases[base], Disp: 4 * s}
		switch {
		case n == 0:
		case n%3 == 0:
			m.Index, m.Scale = ld3, uint8(n/3)
		default:
			m.Index, m.Scale = ld, uint8(n)
		}
		return m
	}
	return func(i, s int) operand.Mem {
		switch i {
		case 0, 1, 2, 3, 4, 6, 8, 12:
			return from(0, i, s)
		case 10:
			return from(2, 0, s)
		}
		return from(1, i-5, s)
	}, bases
}

// tileMasks loads the column masks into opmask registers (AVX-512) or vector
// registers mv (AVX2), and compares N with the full width; the flags are then
// kept in register full: zero when all columns are there.
func tileMasks(g *gen, field func(int) operand.Mem, cols int, mv func(int) reg.VecPhysical) (reg.GPVirtual, []operand.Op) {
	full := g.GP64()
	g.MOVQ(field(tileN), full)
	masks := make([]operand.Op, cols)
	if g.w.lanes == 16 {
		m := g.GP64()
		g.MOVQ(operand.I64(-1), m)
		g.BZHIQ(full, m, m)
		k := []reg.OpmaskPhysical{reg.K1, reg.K2}
		for j := range cols {
			g.KMOVW(m.As32(), k[j])
			g.SHRQ(operand.U8(16), m)
			masks[j] = k[j]
		}
	} else {
		table, at := g.GP64(), g.GP64()
		g.LEAQ(g.maskTable(), table)
		g.MOVQ(operand.I32(16), at)
		g.SUBQ(full, at) // table[16-N:] has N ones, then zeros
		for j := range cols {
			g.VMOVDQU(operand.Mem{Base: table, Index: at, Scale: 4, Disp: j * g.bytes()}, mv(j))
			masks[j] = mv(j)
		}
	}
	g.SUBQ(operand.I32(cols*g.w.lanes), full)
	return full, masks
}

// maskTable is 16 words of ones and 16 of zeros.
func (g *gen) maskTable() operand.Mem {
	m, ok := g.consts["masks"]
	if !ok {
		m = g.StaticGlobal("laneMasks")
		g.DataAttributes(rodata)
		for i := range 32 {
			v := operand.U32(0)
			if i < 16 {
				v = operand.U32(0xffffffff)
			}
			g.AppendDatum(v)
		}
		g.consts["masks"] = m
	}
	return m
}

// rowWalk calls visit for each row of C with its address.
func rowWalk(g *gen, rows int, c, ldc reg.GPVirtual, visit func(i int, row reg.GPVirtual)) {
	row := g.GP64()
	g.MOVQ(c, row)
	for i := range rows {
		visit(i, row)
		if i < rows-1 {
			g.ADDQ(ldc, row)
		}
	}
}

// tileInit sets the accumulators by the mode: zeros, a bias per row or a bias
// per column. What stands in C is added at the end, when it has arrived.
func tileInit(g *gen, field func(int) operand.Mem, rows, cols int, c, ldc, mode reg.GPVirtual,
	acc func(i, j int) reg.VecPhysical, bv func(int) reg.VecPhysical) {
	zero, rowBias, colBias, ready := g.label("zero"), g.label("rowbias"), g.label("colbias"), g.label("ready")
	m := g.GP64()
	g.MOVQ(mode, m)
	g.ANDQ(operand.I8(3), m)
	g.CMPQ(m, operand.I8(2))
	g.JLT(operand.LabelRef(zero))
	g.JEQ(operand.LabelRef(rowBias))
	g.JMP(operand.LabelRef(colBias))

	bias := g.GP64()
	g.Label(rowBias)
	g.MOVQ(field(tileBias), bias)
	for i := range rows {
		for j := range cols {
			g.VBROADCASTSS(operand.Mem{Base: bias, Disp: 4 * i}, acc(i, j))
		}
	}
	g.JMP(operand.LabelRef(ready))

	g.Label(colBias)
	g.MOVQ(field(tileBias), bias)
	_, masks := tileMasks(g, field, cols, bv)
	for j := range cols {
		g.maskedLoad(operand.Mem{Base: bias, Disp: j * g.bytes()}, masks[j], acc(0, j))
		for i := 1; i < rows; i++ {
			g.VMOVAPS(acc(0, j), acc(i, j))
		}
	}
	g.JMP(operand.LabelRef(ready))

	g.Label(zero)
	for i := range rows {
		for j := range cols {
			g.zero(acc(i, j))
		}
	}
	g.Label(ready)
	// The tile of C is wanted at the end of the sum; fetch it meanwhile.
	rowWalk(g, rows, c, ldc, func(i int, row reg.GPVirtual) {
		for j := range (cols*g.bytes() + 63) / 64 {
			g.PREFETCHT0(operand.Mem{Base: row, Disp: 64 * j})
		}
	})
}

// tileStore adds C and clamps the tile where the mode says so, and stores it. max(lo, x)
// and min(hi, x) return x when it is NaN: x is the second source.
func tileStore(g *gen, field func(int) operand.Mem, rows, cols int, ldc, mode reg.GPVirtual,
	acc func(i, j int) reg.VecPhysical, av, bv func(int) reg.VecPhysical) {
	store, part, end := g.label("store"), g.label("part"), g.label("end")
	added, addPart := g.label("added"), g.label("addpart")
	c, m := g.GP64(), g.GP64()
	g.MOVQ(field(tileC), c)
	full, masks := tileMasks(g, field, cols, bv)
	g.MOVQ(mode, m)
	g.ANDQ(operand.I8(3), m)
	g.CMPQ(m, operand.I8(1))
	g.JNE(operand.LabelRef(added))
	g.CMPQ(full, operand.I8(0))
	g.JNE(operand.LabelRef(addPart))
	rowWalk(g, rows, c, ldc, func(i int, row reg.GPVirtual) {
		for j := range cols {
			g.VADDPS(operand.Mem{Base: row, Disp: j * g.bytes()}, acc(i, j), acc(i, j))
		}
	})
	g.JMP(operand.LabelRef(added))
	g.Label(addPart)
	rowWalk(g, rows, c, ldc, func(i int, row reg.GPVirtual) {
		for j := range cols {
			g.maskedLoad(operand.Mem{Base: row, Disp: j * g.bytes()}, masks[j], av(j))
			g.VADDPS(av(j), acc(i, j), acc(i, j))
		}
	})
	g.Label(added)
	g.TESTQ(operand.I32(4), mode)
	g.JZ(operand.LabelRef(store))
	g.VBROADCASTSS(field(tileLo), av(0))
	g.VBROADCASTSS(field(tileHi), av(1))
	for i := range rows {
		for j := range cols {
			g.VMAXPS(acc(i, j), av(0), acc(i, j))
			g.VMINPS(acc(i, j), av(1), acc(i, j))
		}
	}
	g.Label(store)
	g.CMPQ(full, operand.I8(0))
	g.JNE(operand.LabelRef(part))
	rowWalk(g, rows, c, ldc, func(i int, row reg.GPVirtual) {
		for j := range cols {
			g.VMOVUPS(acc(i, j), operand.Mem{Base: row, Disp: j * g.bytes()})
		}
	})
	g.JMP(operand.LabelRef(end))
	g.Label(part)
	rowWalk(g, rows, c, ldc, func(i int, row reg.GPVirtual) {
		for j := range cols {
			g.maskedStore(acc(i, j), masks[j], operand.Mem{Base: row, Disp: j * g.bytes()})
		}
	})
	g.Label(end)
	g.ret()
}

// maskedLoad loads the lanes of the mask, and zeros elsewhere.
func (g *gen) maskedLoad(src, mask, dst operand.Op) {
	if g.w.lanes == 16 {
		g.VMOVUPS_Z(src, mask, dst)
	} else {
		g.VMASKMOVPS(src, mask, dst)
	}
}

// maskedStore stores the lanes of the mask and leaves the others alone.
func (g *gen) maskedStore(src, mask, dst operand.Op) {
	if g.w.lanes == 16 {
		g.VMOVUPS(src, mask, dst)
	} else {
		g.VMASKMOVPS(src, mask, dst)
	}
}

// zero clears a vector register.
func (g *gen) zero(v reg.VecPhysical) { g.VXORPS(v, v, v) }
