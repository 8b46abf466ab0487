package fast

import (
	"sync"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// Products of few rows or few columns read the large matrix once and do little
// with it, so it is not packed:
//
//	few rows, B transposed        dot products of rows with rows
//	few rows, B not transposed    tiles read B in place, narrowK rows at a time
//	few columns                   the same with the roles exchanged: C' = B'·A'
//	some dozens, B transposed     tiles read B's rows in place; see gemm_turned.go
//	one column times one row      the row, scaled, past the cache
const (
	narrowDotRows  = 16  // up to here dot products beat packing
	narrowTileRows = 8   // up to here tiles read B in place
	narrowCols     = 8   // up to here the roles are exchanged
	narrowMinDot   = 32  // shortest dot product of the kind
	narrowK        = 16  // rows of B that are streamed side by side
	narrowWidth    = 512 // columns of B in one task
)

// narrow computes the product if it is narrow and says whether it was.
func (p *product) narrow() bool {
	if p.k == 0 {
		return false
	}
	if p.k == 1 && p.outer() {
		return true
	}
	if p.n <= narrowCols && p.m > p.n {
		return p.exchanged()
	}
	switch {
	case p.transB && p.m <= narrowDotRows && p.k >= narrowMinDot:
		x := p.a
		if p.transA { // the few rows are made to lie along k
			x = getScratch(p.m * p.k)
			defer putScratch(x)
			transposeRows(x, p.a, p.k, p.lda, p.m, p.k, p.k)
			dotProducts(p, x, p.k, p.b, p.ldb, false)
			return true
		}
		dotProducts(p, x, p.lda, p.b, p.ldb, false)
		return true
	case !p.transB && p.m <= min(narrowTileRows, p.ts.Rows):
		p.direct()
		return true
	case p.turnedPays():
		p.turned()
		return true
	}
	return false
}

// outer computes the product of a column and a row where it does nothing else, as
// the gradient of a weight does for a single sample: all its time goes by writing.
func (p *product) outer() bool {
	if p.n < narrowMinDot || p.accumulate || p.e.RowBias != nil || p.e.ColBias != nil || p.e.Act.Func != spec.Identity || p.e.Tail != nil {
		return false
	}
	row, step := p.b, p.lda
	if p.transB && p.ldb != 1 {
		row = getScratch(p.n)
		defer putScratch(row)
		for j := range row {
			row[j] = p.b[j*p.ldb]
		}
	}
	if p.transA {
		step = 1
	}
	stream := streams(p.m * p.n)
	ParallelRange(p.m, 1+pointwiseChunk/p.n, 0.3*float64(p.m)*float64(p.n), func(low, high int) {
		for i := low; i < high; i++ {
			scaleStream(p.c[i*p.ldc:][:p.n], row[:p.n], p.a[i*step], stream)
		}
	})
	return true
}

// exchanged computes a product of few columns.
func (p *product) exchanged() bool {
	if !p.transA && p.k >= narrowMinDot {
		if p.transB {
			dotProducts(p, p.b, p.ldb, p.a, p.lda, true)
			return true
		}
		x := getScratch(p.n * p.k)
		defer putScratch(x)
		transposeRows(x, p.b, p.k, p.ldb, p.n, p.k, p.k)
		dotProducts(p, x, p.k, p.a, p.lda, true)
		return true
	}
	if !p.transA || p.n > p.ts.Rows {
		return false
	}
	// C' (n x m) = B' (n x k) · A', and a holds A' in rows.
	ct := getScratch(p.n * p.m)
	defer putScratch(ct)
	if p.accumulate {
		transposeRows(ct, p.c, p.m, p.ldc, p.n, p.m, p.m)
	}
	q := newProduct(p.n, p.m, p.k, ct, p.m, p.accumulate, Epilogue{RowBias: p.e.ColBias, ColBias: p.e.RowBias, Act: p.e.Act})
	q.a, q.lda, q.transA = p.b, p.ldb, !p.transB
	q.b, q.ldb = p.a, p.lda
	q.direct()
	q.release()
	transposeRows(p.c, ct, p.ldc, p.m, p.m, p.n, p.n)
	p.e.Tail.rows(p.e.At, p.ldc, p.m, p.n)
	return true
}

// direct computes a product of at most one panel of rows, whose B is in rows,
// without packing B. narrowK rows of B are read side by side along the columns,
// which is how memory likes to be read.
func (p *product) direct() {
	workers := workersFor(p.ns())
	p.packedA = getScratch(p.m * p.k)
	packRows(p.packedA, p.a, p.lda, p.transA, 0, p.m, 0, p.k)
	width := narrowWidth
	pieces := (p.n + width - 1) / width
	if workers <= 1 || pieces == 1 {
		p.directRange(0, p.n)
	} else {
		parallel(workers, pieces, func(_, i int) { p.directRange(i*width, min(p.n, (i+1)*width)) })
	}
	putScratch(p.packedA)
}

// directRange computes columns j0 to j1.
func (p *product) directRange(j0, j1 int) {
	w := p.ts.Cols
	// A last strip may not read vectors past the end of a row of B; it is
	// copied. Strips before it end within the matrix.
	whole := p.n / w * w
	t := tiles.Get().(*simd.Tile)
	t.Offs = nil
	for k0 := 0; k0 < p.k; k0 += narrowK {
		kb := min(p.k-k0, narrowK)
		for j := j0; j < min(j1, whole); j += w {
			p.directTile(t, p.b[k0*p.ldb+j:], p.ldb, k0, kb, j, w)
		}
		if j1 > whole {
			var edge [narrowK * 32]float32
			simd.CopyRows(&edge[0], &p.b[k0*p.ldb+whole], w, p.ldb, kb, j1-whole, w)
			p.directTile(t, edge[:], w, k0, kb, whole, j1-whole)
		}
	}
	*t = simd.Tile{}
	tiles.Put(t)
	p.finish(0, p.m, j0, j1)
}

// directTile computes one tile for one block of k.
func (p *product) directTile(t *simd.Tile, b []float32, ldb, k0, kb, j0, nj int) {
	t.A, t.B, t.C = &p.packedA[k0*p.m], &b[0], &p.c[j0]
	t.LDB, t.K, t.N, t.LDC = ldb, kb, nj, p.ldc
	p.setMode(t, k0, kb, j0)
	if t.Mode&^simd.Clamped == simd.FromRowBias {
		t.Bias = &p.e.RowBias[0]
	}
	p.ts.Run(t, p.m)
}

// dotTask is a set of dot products under way; see dotProducts.
type dotTask struct{ out [16]float32 }

var dotTasks = sync.Pool{New: func() any { return new(dotTask) }}

// dotProducts computes C[i][j] = x_i · w_j for few rows x_i, ldx apart, and many
// rows w_j, ldw apart; where swap is set, it is C[j][i].
func dotProducts(p *product, x []float32, ldx int, w []float32, ldw int, swap bool) {
	rows, n := p.m, p.n
	if swap {
		rows, n = n, rows
	}
	workers := workersFor(2 * p.ns())
	// Four rows of w are read at a time; a task has some tens of kilobytes.
	per := max(4, 16384/p.k/4*4)
	pieces := (n + per - 1) / per
	body := func(_, i int) { p.dotRange(x, ldx, w, ldw, rows, i*per, min(n, (i+1)*per), swap) }
	if workers <= 1 || pieces == 1 {
		p.dotRange(x, ldx, w, ldw, rows, 0, n, swap)
	} else {
		parallel(workers, pieces, body)
	}
}

func (p *product) dotRange(x []float32, ldx int, w []float32, ldw, rows, j0, j1 int, swap bool) {
	d := dotTasks.Get().(*dotTask)
	step := simd.DotRows()
	for j := j0; j < j1; {
		cols := 4
		if j1-j < 4 {
			cols = 1
		}
		for i := 0; i < rows; i += step {
			r := min(step, rows-i)
			simd.Dots(&d.out, &x[i*ldx], &w[j*ldw], ldx, ldw, p.k, r, cols)
			for a := range r {
				for b := range cols {
					if swap {
						p.put(j+b, i+a, d.out[4*a+b])
					} else {
						p.put(i+a, j+b, d.out[4*a+b])
					}
				}
			}
		}
		j += cols
	}
	dotTasks.Put(d)
	i0, i1 := 0, rows
	if swap {
		i0, i1, j0, j1 = j0, j1, 0, rows
	}
	if act := p.e.Act; act.Func != spec.Identity {
		for i := i0; i < i1; i++ {
			row := p.c[i*p.ldc:][j0:j1]
			pointwise(act, row, row)
		}
	}
	p.e.Tail.rows(p.e.At+i0*p.ldc+j0, p.ldc, i1-i0, j1-j0)
}

// put stores a sum, with its bias.
func (p *product) put(i, j int, v float32) {
	c := &p.c[i*p.ldc+j]
	if p.accumulate {
		v += *c
	}
	if p.e.RowBias != nil {
		v += p.e.RowBias[i]
	} else if p.e.ColBias != nil {
		v += p.e.ColBias[j]
	}
	*c = v
}
