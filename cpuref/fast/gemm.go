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
	Tail    *Tail // follows the activation
	At      int   // where the first element of C stands in the tail's outputs
}

// Gemm computes C = act(A·B + bias), or C = act(C + A·B + bias) where
// accumulate is set. A is m x k, B is k x n and C is m x n, in rows lda, ldb and
// ldc floats apart; where transA (transB) is set, a (b) holds the transpose, in
// k (n) rows. C must not overlap A or B, and is not read where accumulate is
// not set. m, n and k may be 0.
//
// The products are summed in blocks of gemmDepth, each in rising order of k, by
// fused multiply-adds where the processor has them, and the blocks one after the
// other. Narrow products (see gemm_narrow.go) have an order of their own, which
// depends on the shape alone.
func Gemm(m, n, k int, a []float32, lda int, transA bool, b []float32, ldb int, transB bool,
	c []float32, ldc int, accumulate bool, e Epilogue) {
	if m <= 0 || n <= 0 {
		return
	}
	p := newProduct(m, n, k, c, ldc, accumulate, e)
	p.a, p.lda, p.transA = a, lda, transA
	p.b, p.ldb, p.transB = b, ldb, transB
	if !p.narrow() {
		p.compute()
	}
	p.release()
}

// GemmPack is Gemm with a B that exists only as a rule: pack(dst, k0, kn, j0, nj)
// writes the block of rows k0 to k0+kn and columns j0 to j0+nj of B to dst, as
// kn rows of width floats, and zeros behind the nj columns of a row. It is
// called from several goroutines, for blocks that start at multiples of width.
func GemmPack(m, n, k int, a []float32, lda int, transA bool, pack func(dst []float32, k0, kn, j0, nj, width int),
	c []float32, ldc int, accumulate bool, e Epilogue) {
	if m <= 0 || n <= 0 {
		return
	}
	p := newProduct(m, n, k, c, ldc, accumulate, e)
	p.a, p.lda, p.transA = a, lda, transA
	p.pack = pack
	p.compute()
	p.release()
}

// The block sizes. A panel of A of gemmDepth columns and a strip of B of as many
// rows pass through the second-level cache, which holds the panels of A of a task.
const (
	gemmDepth   = 512       // depth of a block: one pass over a tile of C
	gemmRows    = 336       // rows of A in one task
	gemmMaxCols = 4096      // columns of B packed at once, where not all are
	gemmMaxA    = 4 << 20   // floats of A packed whole
	gemmCache   = 256 << 10 // floats that stay in the second-level cache beside others
	gemmFinish  = 8         // strips that are finished at once
	gemmPart    = 192       // columns that a worker has at least where it has some of them to itself

	packRowsAtOnce = 16 // rows of B, of a divisor of gemmDepth in number, that are packed side by side
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

	// The block in hand: columns j0 to j0+nb and rows k0 to k0+kb of B.
	j0, nb, k0, kb int
	packedA        []float32 // all of it, in panels, for each worker where has is set
	has            []bool    // the workers that have packed it for themselves
	packedB        []float32
	np             int   // panels of A
	parts          int   // of the block's columns
	groups         []int // the first panel of each task's rows, and their number
	tallest        int   // panels of the largest task
	perTask        int   // strips in one task of panels
	wide           int   // of them that are packed at once
	single         bool  // tasks of rows take one panel after the other through all of k

	packATask, packBTask, rowsTask, panelTask func(worker, i int)
}

var products = sync.Pool{New: func() any {
	p := new(product)
	p.packATask, p.packBTask, p.rowsTask, p.panelTask = p.doPackA, p.doPackB, p.doRows, p.doPanel
	return p
}}

func newProduct(m, n, k int, c []float32, ldc int, accumulate bool, e Epilogue) *product {
	p := products.Get().(*product)
	p.ts = simd.ActiveTiles()
	p.m, p.n, p.k = m, n, k
	p.np, p.parts = p.panelsOf(m), 1
	p.c, p.ldc, p.accumulate, p.e = c, ldc, accumulate, e
	p.act, p.clamp = e.Act, 0
	p.transA, p.transB = false, false
	if lo, hi, ok := clampOf(e.Act); ok {
		p.lo, p.hi, p.clamp = lo, hi, simd.Clamped
		p.act = spec.Activation{}
	}
	return p
}

func (p *product) release() {
	p.a, p.b, p.c, p.pack, p.e = nil, nil, nil, nil, Epilogue{}
	p.packedA, p.packedB = nil, nil
	products.Put(p)
}

// compute packs the smaller matrix first, and the other by the tasks.
func (p *product) compute() {
	if p.m <= gemmRows && p.m*p.k <= gemmMaxA && p.m <= p.n {
		p.panels()
	} else {
		p.blocks()
	}
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

// blocks computes a product of many rows: all threads pack B, or a block of it,
// and then each task packs its rows of A for itself and takes them through all
// of the block's columns, or a part of them.
func (p *product) blocks() {
	workers := workersFor(p.ns())
	kb, nb := p.k, p.n
	// B is packed whole where the copy is small beside the tensors.
	if whole := p.k * p.n; whole > gemmCache && whole > (p.m*p.k+whole+p.m*p.n)*3/8 {
		kb, nb = min(p.k, gemmDepth), min(p.n, gemmMaxCols)
	}
	p.single = kb*nb <= gemmCache
	p.cutColumns(workers)
	p.cutRows(workers)
	buf := getScratch(p.stripsOf(nb) * p.ts.Cols * kb)
	p.packedB = buf
	for p.j0 = 0; p.j0 < p.n; p.j0 += p.nb {
		p.nb = min(p.n-p.j0, nb)
		for p.k0 = 0; p.k0 < p.k || p.k0 == 0; p.k0 += max(p.kb, 1) {
			p.kb = min(p.k-p.k0, kb)
			parallelShares(workers, p.packTasks(), p.packBTask)
			parallelShares(workers, p.parts*(len(p.groups)-1), p.rowsTask)
		}
	}
	putScratch(buf)
}

// depthsOf returns into how many blocks of gemmDepth k is cut.
func depthsOf(k int) int { return (k + gemmDepth - 1) / gemmDepth }

// cutColumns decides into how many parts the block's columns are cut. What one
// processor has packed comes slowly to another, so where B stays in the cache each
// worker has a part of the columns to itself, if packing all of A costs it less
// than that.
func (p *product) cutColumns(workers int) {
	strips := p.stripsOf(p.n)
	each := (strips + workers - 1) / workers
	if p.single && 2*p.m*(workers-1) <= 3*p.n && each*p.ts.Cols >= gemmPart && 16*each*workers <= 17*strips {
		p.parts = workers
	}
}

// cutRows cuts the panels of A into tasks: where the columns are not in parts, as
// many for each worker. They become smaller towards the end, so that no worker
// waits long for the last one, but not so small that bringing B to the core costs
// more than the arithmetic.
func (p *product) cutRows(workers int) {
	least, most := 1, gemmRows/p.ts.Rows
	if !p.single {
		least = min(4, most)
	}
	shares := workers / p.parts
	if even := (p.np + shares - 1) / shares * shares; 8*(even-p.np) <= p.np {
		p.np = even
	}
	share := (p.np + shares - 1) / shares
	p.groups = append(p.groups[:0], 0)
	for at := 0; at < share; {
		size := most
		if workers > 1 {
			size = min(most, max(least, (share-at+1)/2))
		}
		if at += size; share-at < least {
			at = share
		}
		p.groups = append(p.groups, at)
	}
	each := len(p.groups) - 1
	for w := 1; w < shares; w++ {
		for _, at := range p.groups[1:][:each] {
			p.groups = append(p.groups, at+w*share)
		}
	}
	if share*shares != p.np { // the last task of a worker
		for i, at := range p.groups {
			p.groups[i] = at * p.np / (share * shares)
		}
	}
	p.tallest = 0
	for i, at := range p.groups[1:] {
		p.tallest = max(p.tallest, at-p.groups[i])
	}
}

// doRows computes a group of rows for the block of B, or a part of its columns:
// block by block of k, or, where B stays in the cache, panel by panel.
func (p *product) doRows(_, i int) {
	groups := len(p.groups) - 1
	s0, s1 := p.partStrips(i / groups)
	p0, p1 := p.groups[i%groups], p.groups[i%groups+1]
	step, most := p1-p0, p.tallest // a buffer of a size serves one task after the other
	if p.single {
		step, most = 1, 1
	}
	np, w := p.np, p.ts.Cols
	t := tiles.Get().(*simd.Tile)
	buf := getScratch(most * p.ts.Rows * min(p.kb, gemmDepth))
	for ; p0 < p1; p0 += step {
		for k := 0; k < p.kb || k == 0; k += gemmDepth {
			p.rowsBlock(t, buf, k, p0, p0+step, s0, s1)
		}
		if p.single && p.k0+p.kb == p.k {
			p.finish(panelRow(p0, np, p.m), panelRow(p0+1, np, p.m), p.j0+s0*w, p.j0+min(p.nb, s1*w))
		}
	}
	putScratch(buf)
	*t = simd.Tile{}
	tiles.Put(t)
}

// rowsBlock packs panels p0 to p1 of A for the block of k that starts at k in the
// block of B, and takes them through the strips s0 to s1.
func (p *product) rowsBlock(t *simd.Tile, buf []float32, k, p0, p1, s0, s1 int) {
	np, w := p.np, p.ts.Cols
	kb := min(p.kb-k, gemmDepth)
	from, to := panelRow(p0, np, p.m), panelRow(p1, np, p.m)
	for q := p0; q < p1; q++ {
		r0, r1 := panelRow(q, np, p.m), panelRow(q+1, np, p.m)
		packRows(buf[(r0-from)*kb:(r1-from)*kb], p.a, p.lda, p.transA, r0, r1-r0, p.k0+k, kb)
	}
	var rows []float32 // of A that come next, as if they were one stretch
	if p.single && !p.transA && p1 < np && kb > 0 {
		rows = p.a[min(len(p.a), to*p.lda+p.k0+k*(to-from)):]
		rows = rows[:min(len(rows), kb*(to-from))]
	}
	for s := s0; s < s1; s++ {
		var ahead []float32
		t.Step = w
		if p.single {
			if at := (s - s0) * (kb / 4) * w; at < len(rows) {
				ahead = rows[at:]
			}
		} else if s+1 < s1 {
			ahead = p.packedStrip(k, kb, s+1)
		}
		p.strip(t, buf, p.packedStrip(k, kb, s), ahead, p.k0+k, kb, p.j0+s*w, min(w, p.nb-s*w), p0, p1)
		if !p.single && p.k0+k+kb == p.k && ((s+1)%gemmFinish == 0 || s+1 == s1) {
			p.finish(from, to, p.j0+s/gemmFinish*gemmFinish*w, p.j0+min(p.nb, (s+1)*w))
		}
	}
}

// strip computes, for the columns j0 to j0+nj and the panels p0 to p1, which a
// holds packed, one block of k. b holds the block's rows. ahead is what will be
// read next, in rows t.Step apart, or nil.
func (p *product) strip(t *simd.Tile, a, b, ahead []float32, k0, kb, j0, nj, p0, p1 int) {
	np := p.np
	t.B, t.LDB, t.K, t.N, t.LDC = first(b), p.ts.Cols, kb, nj, p.ldc
	p.setMode(t, k0, kb, j0)
	base := panelRow(p0, np, p.m)
	for i := p0; i < p1; i++ {
		r0, r1 := panelRow(i, np, p.m), panelRow(i+1, np, p.m)
		t.A = first(a[(r0-base)*kb : (r1-base)*kb])
		t.C = &p.c[r0*p.ldc+j0]
		if t.Mode&^simd.Clamped == simd.FromRowBias {
			t.Bias = &p.e.RowBias[r0]
		}
		t.Next = nil
		if at := (i - p0) * (kb / 4) * t.Step; at < len(ahead) {
			t.Next = &ahead[at]
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
func (p *product) finish(i0, i1, j0, j1 int) {
	late := p.accumulate && p.hasBias()
	if !late && p.act.Func == spec.Identity && p.e.Tail == nil {
		return
	}
	act := p.act
	if late {
		act = p.e.Act // the tiles could not clamp
	}
	for i := i0; i < i1; i++ {
		row := p.c[i*p.ldc:][j0:j1]
		if late {
			addBias(row, p.e, i, j0)
		}
		if act.Func != spec.Identity {
			pointwise(act, row, row)
		}
	}
	p.e.Tail.rows(p.e.At+i0*p.ldc+j0, p.ldc, i1-i0, j1-j0)
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
