package fast

import (
	"sync"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// Epilogue is what a matrix product does to each element while its tile is
// still in a register or in the cache: add a bias, then apply an activation.
// The zero value does nothing.
type Epilogue struct {
	RowBias []float32 // m elements, one per row; nil for none
	ColBias []float32 // n elements, one per column; nil for none, and nil where RowBias is set
	Act     spec.Activation
}

// Gemm computes C = act(A·B + bias), or C = act(C + A·B + bias) where
// accumulate is set. A is m x k, B is k x n and C is m x n, in rows lda, ldb and
// ldc floats apart; where transA (transB) is set, a (b) holds the transpose, in
// k (n) rows. C must not overlap A or B, and is not read where accumulate is
// not set. m, n and k may be 0.
//
// The products are summed in blocks of gemmK, each in rising order of k, by
// fused multiply-adds where the processor has them. Narrow products (see
// gemm_narrow.go) have an order of their own, which depends on the shape alone.
func Gemm(m, n, k int, a []float32, lda int, transA bool, b []float32, ldb int, transB bool,
	c []float32, ldc int, accumulate bool, e Epilogue) {
	if m <= 0 || n <= 0 {
		return
	}
	p := newProduct(m, n, k, c, ldc, accumulate, e)
	p.a, p.lda, p.transA = a, lda, transA
	p.b, p.ldb, p.transB = b, ldb, transB
	switch {
	case p.narrow():
	case m <= p.panelRows():
		p.panels()
	default:
		p.blocks()
	}
	p.release()
}

// GemmPack is Gemm with a B that exists only as a rule: pack(dst, k0, kn, j0, nj)
// writes the block of rows k0 to k0+kn and columns j0 to j0+nj of B to dst, as
// kn rows of width floats, and zeros behind the nj columns of a row. It is
// called from several goroutines, for blocks that start at multiples of width.
// ns is a guess at the time that packing all of B takes on one core, in
// nanoseconds.
func GemmPack(m, n, k int, a []float32, lda int, transA bool, pack func(dst []float32, k0, kn, j0, nj, width int),
	c []float32, ldc int, accumulate bool, e Epilogue) {
	if m <= 0 || n <= 0 {
		return
	}
	p := newProduct(m, n, k, c, ldc, accumulate, e)
	p.a, p.lda, p.transA = a, lda, transA
	p.pack = pack
	if m <= p.panelRows() {
		p.panels()
	} else {
		p.blocks()
	}
	p.release()
}

// The block sizes. A panel of B of gemmK rows stays in the first-level cache
// while the panels of A, of which a task takes up to gemmRows rows, stream from
// the second.
const (
	gemmK       = 256     // depth of a block: one pass over a tile of C
	gemmRows    = 336     // rows of A in one task
	gemmCols    = 256     // columns of B in one task
	gemmMaxCols = 4096    // columns of B packed at once
	gemmMaxRows = 4032    // rows of A packed at once
	gemmMaxA    = 4 << 20 // floats of A packed whole
)

// product is a matrix product under way. Products are pooled, with their
// method values, so that a call allocates nothing.
type product struct {
	ts         simd.Tiles
	m, n, k    int
	a, b, c    []float32
	lda, ldb   int
	ldc        int
	transA     bool
	transB     bool
	accumulate bool
	pack       func(dst []float32, k0, kn, j0, nj, width int)
	e          Epilogue
	act        spec.Activation // what remains of the epilogue's after the tiles
	clamp      int             // simd.Clamped where the tiles do it
	lo, hi     float32

	// The block in hand.
	i0, mb, j0, nb, k0, kb int
	packedA, packedB       []float32
	groupsA, groupsB       int
	wholeA                 bool      // packedA holds all blocks of k, not just that in hand
	packedWhole            []float32 // all of B, packed before; nil where it is not
	perTask                int       // strips in one task of panels

	packATask, packBTask, blockTask, panelTask func(worker, i int)
}

var products = sync.Pool{New: func() any {
	p := new(product)
	p.packATask, p.packBTask, p.blockTask, p.panelTask = p.doPackA, p.doPackB, p.doBlock, p.doPanel
	return p
}}

func newProduct(m, n, k int, c []float32, ldc int, accumulate bool, e Epilogue) *product {
	p := products.Get().(*product)
	p.ts = simd.ActiveTiles()
	p.m, p.n, p.k = m, n, k
	p.c, p.ldc, p.accumulate, p.e = c, ldc, accumulate, e
	p.act, p.clamp = e.Act, 0
	p.transA, p.transB, p.wholeA = false, false, false
	if lo, hi, ok := clampOf(e.Act); ok {
		p.lo, p.hi, p.clamp = lo, hi, simd.Clamped
		p.act = spec.Activation{}
	}
	return p
}

func (p *product) release() {
	p.a, p.b, p.c, p.pack, p.e = nil, nil, nil, nil, Epilogue{}
	p.packedA, p.packedWhole, p.wholeA = nil, nil, false
	products.Put(p)
}

// panelRows is up to how many rows A is packed whole, and B by each task for
// itself.
func (p *product) panelRows() int {
	if p.k > 0 && !p.wholeA {
		return min(gemmRows, gemmMaxA/p.k)
	}
	return gemmRows
}

// ns is a guess at the time that a product takes on one core.
func (p *product) ns() float64 {
	rate := 6.0 // operations per ns
	if p.ts.Lanes > 1 {
		rate = float64(p.ts.Lanes) * 8
	}
	return 2*float64(p.m)*float64(p.n)*float64(p.k)/rate + float64(p.m+p.n)*float64(p.k)/4
}

// panelsOf returns into how many panels of nearly equal height rows are cut.
func (p *product) panelsOf(rows int) int { return (rows + p.ts.Rows - 1) / p.ts.Rows }

// stripsOf returns the number of panels of columns.
func (p *product) stripsOf(cols int) int { return (cols + p.ts.Cols - 1) / p.ts.Cols }

// tiles are pooled for the same reason as products: calls through the table
// of kernels would let them escape.
var tiles = sync.Pool{New: func() any { return new(simd.Tile) }}

// blocks computes the product block by block: all threads pack a block of A and
// a block of B, then all compute.
func (p *product) blocks() {
	workers := workersFor(p.ns())
	kb0 := min(p.k, gemmK)
	pre := p.wholeA
	if !pre {
		p.packedA = getScratch(min(p.m, gemmMaxRows) * kb0)
	}
	if p.packedWhole == nil {
		p.packedB = getScratch(p.stripsOf(min(p.n, gemmMaxCols)) * p.ts.Cols * kb0)
	}
	for p.j0 = 0; p.j0 < p.n; p.j0 += p.nb {
		p.nb = min(p.n-p.j0, gemmMaxCols)
		for p.i0 = 0; p.i0 < p.m; p.i0 += p.mb {
			p.mb = min(p.m-p.i0, gemmMaxRows)
			p.groupsA = (p.mb + gemmRows - 1) / gemmRows
			p.groupsB = (p.nb + gemmCols - 1) / gemmCols
			for p.k0 = 0; p.k0 < p.k || p.k0 == 0; p.k0 += gemmK {
				p.kb = min(p.k-p.k0, gemmK)
				if !p.wholeA {
					parallel(workers, p.panelsOf(p.mb), p.packATask)
				}
				if p.packedWhole == nil {
					parallel(workers, p.stripsOf(p.nb), p.packBTask)
				}
				parallel(workers, p.groupsA*p.groupsB, p.blockTask)
			}
		}
	}
	if !pre {
		putScratch(p.packedA)
	}
	if p.packedWhole == nil {
		putScratch(p.packedB)
		p.packedB = nil
	}
}

// panelRow returns the first row, within the block, of panel i of np.
func panelRow(i, np, rows int) int { return i * rows / np }

// doPackA packs panel i of the block of A: for each k, the rows of the panel.
func (p *product) doPackA(_, i int) {
	np := p.panelsOf(p.mb)
	r0 := panelRow(i, np, p.mb)
	r1 := panelRow(i+1, np, p.mb)
	packRows(p.packedA[r0*p.kb:r1*p.kb], p.a, p.lda, p.transA, p.i0+r0, r1-r0, p.k0, p.kb)
}

// packRows packs rows r0 to r0+n and columns k0 to k0+kn of a, or of its
// transpose, column by column.
func packRows(dst, a []float32, lda int, trans bool, r0, n, k0, kn int) {
	if kn == 0 {
		return
	}
	if trans {
		simd.CopyRows(&dst[0], &a[k0*lda+r0], n, lda, kn, n, n)
	} else {
		transposeRows(dst, a[r0*lda+k0:], n, lda, kn, n, n)
	}
}

// transposeRows is simd.Transpose for any number of rows n and width w >= n.
func transposeRows(dst, src []float32, dstStride, srcStride, cols, n, w int) {
	lanes := max(simd.Active().Lanes(), 4)
	for i := 0; i < w; i += lanes {
		wi := min(w-i, lanes)
		if ni := min(n-i, wi); ni > 0 {
			simd.Transpose(&dst[i], &src[i*srcStride], dstStride, srcStride, cols, ni, wi)
		} else {
			simd.CopyRows(&dst[i], &dst[i], dstStride, dstStride, cols, 0, wi)
		}
	}
}

// doPackB packs strip i of the block of B.
func (p *product) doPackB(_, i int) {
	w := p.ts.Cols
	p.packStrip(p.packedB[i*w*p.kb:(i+1)*w*p.kb], p.k0, p.kb, p.j0+i*w, min(w, p.nb-i*w))
}

// packStrip packs rows k0 to k0+kn and columns j0 to j0+nj of B, nj at most the
// width of a tile.
func (p *product) packStrip(dst []float32, k0, kn, j0, nj int) {
	w := p.ts.Cols
	switch {
	case kn == 0:
	case p.pack != nil:
		p.pack(dst, k0, kn, j0, nj, w)
	case p.transB:
		transposeRows(dst, p.b[j0*p.ldb+k0:], w, p.ldb, kn, nj, w)
	default:
		simd.CopyRows(&dst[0], &p.b[k0*p.ldb+j0], w, p.ldb, kn, nj, w)
	}
}

// doBlock computes the part of the block that group i/groupsB of rows and
// i%groupsB of columns give.
func (p *product) doBlock(_, i int) {
	np := p.panelsOf(p.mb)
	ga, gb := i/p.groupsB, i%p.groupsB
	p0, p1 := ga*np/p.groupsA, (ga+1)*np/p.groupsA
	w := p.ts.Cols
	s0, s1 := gb*gemmCols/w, min((gb+1)*gemmCols/w, p.stripsOf(p.nb))
	t := tiles.Get().(*simd.Tile)
	t.Offs = nil
	for s := s0; s < s1; s++ {
		b := p.packedB[s*w*p.kb:]
		if p.packedWhole != nil {
			b = p.packedStrip(p.k0, p.kb, p.j0/w+s)
		}
		p.strip(t, b, w, p.k0, p.kb, p.j0+s*w, min(w, p.nb-s*w), p0, p1)
	}
	*t = simd.Tile{}
	tiles.Put(t)
	r0, r1 := panelRow(p0, np, p.mb), panelRow(p1, np, p.mb)
	p.finish(p.i0+r0, p.i0+r1, p.j0+s0*w, p.j0+min(s1*w, p.nb), p.k0+p.kb == p.k)
}

// strip computes, for the columns j0 to j0+nj and the panels p0 to p1 of the
// packed A, one block of k. b holds the block's rows, ldb apart.
func (p *product) strip(t *simd.Tile, b []float32, ldb, k0, kb, j0, nj, p0, p1 int) {
	np := p.panelsOf(p.mb)
	t.B, t.LDB, t.K, t.N, t.LDC = first(b), ldb, kb, nj, p.ldc
	p.setMode(t, k0, kb, j0)
	a := p.packedA
	if p.wholeA {
		a = a[k0*p.m+p.i0*kb:]
	}
	for i := p0; i < p1; i++ {
		r0, r1 := panelRow(i, np, p.mb), panelRow(i+1, np, p.mb)
		t.A = first(a[r0*kb : r1*kb])
		t.C = &p.c[(p.i0+r0)*p.ldc+j0]
		if t.Mode&^simd.Clamped == simd.FromRowBias {
			t.Bias = &p.e.RowBias[p.i0+r0]
		}
		p.ts.Run(t, r1-r0)
	}
}

// setMode sets what the sums of a block of k start from and end with. A bias per
// row is left to the caller.
func (p *product) setMode(t *simd.Tile, k0, kb, j0 int) {
	t.Mode, t.Lo, t.Hi = simd.FromC, p.lo, p.hi
	if k0 == 0 && !p.accumulate {
		switch {
		case p.e.RowBias != nil:
			t.Mode = simd.FromRowBias
		case p.e.ColBias != nil:
			t.Mode, t.Bias = simd.FromColBias, &p.e.ColBias[j0]
		default:
			t.Mode = simd.FromZero
		}
	}
	if k0+kb == p.k && !(p.accumulate && p.hasBias()) {
		t.Mode |= p.clamp
	}
}

func (p *product) hasBias() bool { return p.e.RowBias != nil || p.e.ColBias != nil }

// nothing is where pointers to empty slices point.
var nothing [1]float32

// first returns the address of the first element, or of something where s is empty.
func first(s []float32) *float32 {
	if len(s) == 0 {
		return &nothing[0]
	}
	return &s[0]
}

// finish applies what the tiles did not to rows i0 to i1, columns j0 to j1.
func (p *product) finish(i0, i1, j0, j1 int, last bool) {
	late := p.accumulate && p.hasBias()
	if !last || !late && p.act.Func == spec.Identity {
		return
	}
	for i := i0; i < i1; i++ {
		row := p.c[i*p.ldc:][j0:j1]
		if late {
			addBias(row, p.e, i, j0)
			if p.clamp != 0 {
				pointwise(p.e.Act, row, row)
				continue
			}
		}
		if p.act.Func != spec.Identity {
			pointwise(p.act, row, row)
		}
	}
}

// addBias adds the biases of row i from column j0 on.
func addBias(row []float32, e Epilogue, i, j0 int) {
	if e.RowBias != nil {
		for j := range row {
			row[j] += e.RowBias[i]
		}
		return
	}
	for j, v := range e.ColBias[j0:][:len(row)] {
		row[j] += v
	}
}

// packedStrip returns the part of the packed whole of B that holds strip i of
// the block of k that starts at k0.
func (p *product) packedStrip(k0, kb, i int) []float32 {
	w := p.ts.Cols
	return p.packedWhole[k0*p.stripsOf(p.n)*w+i*w*kb:]
}

// panels computes a product of few rows: A is packed whole, and each task packs
// the strips of B that it needs, one at a time, and uses them at once.
func (p *product) panels() {
	workers := workersFor(p.ns())
	p.i0, p.mb = 0, p.m
	p.j0, p.nb = 0, p.n
	pre := p.wholeA
	if !pre {
		all := getScratch(p.m * p.k)
		for p.k0 = 0; p.k0 < p.k; p.k0 += gemmK {
			p.kb = min(p.k-p.k0, gemmK)
			p.packedA = all[p.k0*p.m:]
			parallel(workers, p.panelsOf(p.m), p.packATask)
		}
		p.packedA, p.wholeA = all, true
	}
	// A task is some microseconds long, and wide enough for the epilogue.
	strip := 2 * p.m * (p.k + 1) * p.ts.Cols
	p.perTask = max(1, 1000000/strip)
	if p.act.Func != spec.Identity {
		p.perTask = max(p.perTask, min(8, p.stripsOf(p.n)/(4*workers)))
	}
	parallel(workers, (p.stripsOf(p.n)+p.perTask-1)/p.perTask, p.panelTask)
	if !pre {
		putScratch(p.packedA)
	}
}

// doPanel computes the strips of task i.
func (p *product) doPanel(_, i int) {
	w, np := p.ts.Cols, p.panelsOf(p.m)
	t := tiles.Get().(*simd.Tile)
	t.Offs = nil
	var buf []float32
	if p.packedWhole == nil {
		buf = getScratch(min(p.k, gemmK) * w)
	}
	s0, s1 := i*p.perTask, min((i+1)*p.perTask, p.stripsOf(p.n))
	for s := s0; s < s1; s++ {
		j0, nj := s*w, min(w, p.n-s*w)
		for k0 := 0; k0 < p.k || k0 == 0; k0 += gemmK {
			kb := min(p.k-k0, gemmK)
			b := buf
			if p.packedWhole != nil {
				b = p.packedStrip(k0, kb, s)
			} else {
				p.packStrip(b[:kb*w], k0, kb, j0, nj)
			}
			p.strip(t, b, w, k0, kb, j0, nj, 0, np)
		}
	}
	if p.packedWhole == nil {
		putScratch(buf)
	}
	*t = simd.Tile{}
	tiles.Put(t)
	p.finish(0, p.m, s0*w, min(s1*w, p.n), true)
}
