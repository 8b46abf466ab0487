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
}

// panelRow returns the first row, within the block, of panel i of np.
func panelRow(i, np, rows int) int { return i * rows / np }

func (p *product) doPackA(_, i int) { p.packPanel(p.packedA, i) }

// packPanel packs a panel of A for one block of k: the blocks lie one after the
// other, and the panels of a block likewise.
func (p *product) packPanel(dst []float32, i int) {
	np := p.np
	k0 := i / np * gemmDepth
	kb := min(p.k-k0, gemmDepth)
	r0, r1 := panelRow(i%np, np, p.m), panelRow(i%np+1, np, p.m)
	packRows(dst[k0*p.m+r0*kb:k0*p.m+r1*kb], p.a, p.lda, p.transA, r0, r1-r0, k0, kb)
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

// packTasks returns the number of tasks that pack the block of B.
func (p *product) packTasks() int {
	if p.byRows() {
		return p.parts * p.rowTasks()
	}
	return p.stripsOf(p.nb) * depthsOf(p.kb)
}

// rowTasks returns the number of tasks that pack a part of the block by rows.
func (p *product) rowTasks() int { return (p.kb + packRowsAtOnce - 1) / packRowsAtOnce }

// byRows reports whether B is packed some rows at a time over many columns, as
// memory likes to be read, rather than strip by strip.
func (p *product) byRows() bool { return p.pack == nil && !p.transB }

// partStrips returns the strips of a part of the block's columns.
func (p *product) partStrips(part int) (from, to int) {
	strips := p.stripsOf(p.nb)
	return part * strips / p.parts, (part + 1) * strips / p.parts
}

// doPackB packs a strip of the block of B for one block of k, or some rows of a
// part.
func (p *product) doPackB(_, i int) {
	w := p.ts.Cols
	if !p.byRows() {
		depths := depthsOf(p.kb)
		s, k := i/depths, i%depths*gemmDepth
		kb := min(p.kb-k, gemmDepth)
		p.packStrip(p.packedStrip(k, kb, s), p.k0+k, kb, p.j0+s*w, min(w, p.nb-s*w))
		return
	}
	from, to := p.partStrips(i / p.rowTasks())
	r := i % p.rowTasks() * packRowsAtOnce
	k, n := r/gemmDepth*gemmDepth, min(packRowsAtOnce, p.kb-r)
	kb := min(p.kb-k, gemmDepth)
	for s := from; s < to; s++ {
		p.packStrip(p.packedStrip(k, kb, s)[(r-k)*w:], p.k0+r, n, p.j0+s*w, min(w, p.nb-s*w))
	}
}

// packedStrip returns the part of the packed block of B that holds strip i of
// the block of k that starts at k0 in it.
func (p *product) packedStrip(k0, kb, i int) []float32 {
	w := p.ts.Cols
	return p.packedB[k0*p.stripsOf(p.nb)*w+i*w*kb:][:w*kb]
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

// doRows computes a group of rows for the block of B, or a part of its columns:
// block by block of k, or, where B stays in the cache, panel by panel.
func (p *product) doRows(_, i int) {
	groups := len(p.groups) - 1
	s0, s1 := p.partStrips(i / groups)
	p0, p1 := p.groups[i%groups], p.groups[i%groups+1]
	step := p1 - p0
	if p.single {
		step = 1
	}
	np, w := p.np, p.ts.Cols
	t := tiles.Get().(*simd.Tile)
	buf := getScratch(step * p.ts.Rows * min(p.kb, gemmDepth))
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

// panels computes a product of few rows: A is packed whole, by each worker for
// itself if it is small, and each task packs the strips of B that it needs, one at a
// time, and uses them at once.
func (p *product) panels() {
	workers := workersFor(p.ns())
	p.j0, p.nb = 0, p.n
	p.has = p.has[:0]
	if p.m*p.k <= gemmCache/4 {
		for range workers {
			p.has = append(p.has, false)
		}
	}
	p.packedA = getScratch(max(1, len(p.has)) * p.m * p.k)
	if len(p.has) == 0 {
		parallel(workers, p.np*depthsOf(p.k), p.packATask)
	}
	// A task is some microseconds long, and wide enough for the epilogue and for B
	// and C to be read and written in stretches; each worker has a few.
	strip := 2 * p.m * (p.k + 1) * p.ts.Cols
	strips := p.stripsOf(p.n)
	rounds := max(4, (strips+gemmFinish*workers-1)/(gemmFinish*workers))
	p.perTask = max(1, 1000000/strip, (strips+rounds*workers-1)/(rounds*workers))
	p.wide = 1
	if p.byRows() {
		p.wide = min(p.perTask, gemmFinish)
	}
	parallelShares(workers, (strips+p.perTask-1)/p.perTask, p.panelTask)
	putScratch(p.packedA)
}

// doPanel computes the strips of task i, p.wide of them at a time: through all
// of k, or, where A does not stay in the cache, block by block of k.
func (p *product) doPanel(worker, i int) {
	w := p.ts.Cols
	a := p.packedA
	if len(p.has) > 0 {
		a = a[worker*p.m*p.k:][:p.m*p.k]
		if !p.has[worker] {
			p.has[worker] = true
			for j := range p.np * depthsOf(p.k) {
				p.packPanel(a, j)
			}
		}
	}
	t := tiles.Get().(*simd.Tile)
	buf := getScratch(p.wide * min(p.k, gemmDepth) * w)
	s0, s1 := i*p.perTask, min((i+1)*p.perTask, p.stripsOf(p.n))
	if p.m*p.k > gemmCache {
		for k0 := 0; k0 < p.k; k0 += gemmDepth {
			for s := s0; s < s1; s += p.wide {
				p.panelStrips(t, a, buf, s, min(s+p.wide, s1), k0)
			}
		}
	} else {
		for s := s0; s < s1; s += p.wide {
			for k0 := 0; k0 < p.k || k0 == 0; k0 += gemmDepth {
				p.panelStrips(t, a, buf, s, min(s+p.wide, s1), k0)
			}
		}
	}
	putScratch(buf)
	*t = simd.Tile{}
	tiles.Put(t)
	p.finish(0, p.m, s0*w, min(s1*w, p.n))
}

// panelStrips packs strips s to end of B for the block of k that starts at k0, and
// computes with them.
func (p *product) panelStrips(t *simd.Tile, packedA, buf []float32, s, end, k0 int) {
	w, np := p.ts.Cols, p.np
	kb := min(p.k-k0, gemmDepth)
	a := packedA[k0*p.m:]
	if end-s == 1 {
		p.packStrip(buf[:kb*w], k0, kb, s*w, min(w, p.n-s*w))
		var ahead []float32
		if next := (s + 1) * w; p.transB && next < p.n && kb > 0 && p.m*p.k <= gemmCache {
			// All of the next strip is one stretch, more or less.
			t.Step = w
			ahead = p.b[min(len(p.b), next*p.ldb+k0*w):min(len(p.b), (next+w)*p.ldb)]
		}
		p.strip(t, a, buf, ahead, k0, kb, s*w, min(w, p.n-s*w), 0, np)
		return
	}
	for k := 0; k < kb; k += packRowsAtOnce {
		for i := s; i < end; i++ {
			n := min(packRowsAtOnce, kb-k)
			p.packStrip(buf[((i-s)*kb+k)*w:][:n*w], k0+k, n, i*w, min(w, p.n-i*w))
		}
	}
	for q := range np {
		for i := s; i < end; i++ {
			p.strip(t, a[panelRow(q, np, p.m)*kb:], buf[(i-s)*kb*w:], nil, k0, kb, i*w, min(w, p.n-i*w), q, q+1)
		}
	}
}
