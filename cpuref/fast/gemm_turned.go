package fast

import "github.com/kansu-dev/kansu/cpuref/internal/simd"

// A product of some dozens of rows with a large transposed matrix, such as a linear
// layer of a batch, would spend a tenth of its time on packing that matrix, which
// each of its rows uses but once. So the roles are exchanged: the rows of B are the
// rows of tiles, as they stand, A is packed as their columns, and the tiles of the
// transposed result are turned on their way to C.
const (
	turnedRows  = 64      // up to here the method pays
	turnedMin   = 1 << 14 // least size of B
	turnedTask  = 40      // rows of B in one task, about
	turnedAlias = 1024    // rows a multiple of this apart share a set of the first-level cache, which holds 8 of them with ease
)

// turnedPays says whether the product is of this kind. In portable Go a tile of
// rows as they stand costs a copy.
func (p *product) turnedPays() bool {
	w := 2 * p.ts.Lanes
	return p.transB && !p.transA && !p.accumulate && p.m <= turnedRows && p.n >= p.m && p.k >= 64 && p.n*p.k >= turnedMin &&
		10*p.m >= 9*((p.m+w-1)/w*w) && simd.Active() != simd.Portable && !p.ts.Alone()
}

// turned computes the product.
func (p *product) turned() {
	w := 2 * p.ts.Lanes
	strips := (p.m + w - 1) / w
	workers := workersFor(p.ns())
	// What one processor has packed comes slowly to another, so each packs A for
	// itself, if it is small.
	size := strips * w * p.k
	own := workers > 1 && size <= gemmCache
	copies := 1
	if own {
		copies = workers
	}
	packed := getScratch(copies * size)
	blocks := (p.k + gemmK - 1) / gemmK
	pack := func(i int) {
		at, i := i/(blocks*strips)*size, i%(blocks*strips)
		k0, s := i/strips*gemmK, i%strips
		kb := min(gemmK, p.k-k0)
		transposeRows(packed[at+(k0*strips+s*kb)*w:], p.a[s*w*p.lda+k0:], w, p.lda, kb, min(w, p.m-s*w), w)
	}
	if !own {
		parallel(workers, blocks*strips, func(_, i int) { pack(i) })
	}
	ready := make([]bool, copies)
	rows := p.ts.Rows
	if p.ldb%turnedAlias == 0 {
		rows = min(rows, 8)
	}
	np := (p.n + rows - 1) / rows
	tasks := max(1, np*rows/turnedTask)
	if workers > 1 { // as many for each
		tasks = (tasks + workers - 1) / workers * workers
	}
	tasks = min(tasks, np)
	// A worker has the same rows of B in each call, which are in its cache in part.
	parallelShares(workers, tasks, func(worker, i int) {
		if !own {
			worker = 0
		} else if !ready[worker] {
			ready[worker] = true
			for j := range blocks * strips {
				pack(worker*blocks*strips + j)
			}
		}
		next := max(i+1, min(i+2, (i*workers/tasks+1)*tasks/workers)) // in the same share
		p.turnedTask(packed[worker*size:], i*np/tasks, (i+1)*np/tasks, next*np/tasks, np)
	})
	putScratch(packed)
}

// turnedTask computes the columns of C that belong to panels q0 to q1 of B's rows,
// and asks ahead for those to next.
func (p *product) turnedTask(packed []float32, q0, q1, next, np int) {
	w := 2 * p.ts.Lanes
	strips := (p.m + w - 1) / w
	from, to := panelRow(q0, np, p.n), panelRow(q1, np, p.n)
	ct := getScratch((to - from) * p.m)
	t := tiles.Get().(*simd.Tile)
	t.LDB, t.LDC, t.Lo, t.Hi = p.ldb, p.m, p.lo, p.hi
	// The rows that come next are asked for as one stretch, a part with each strip.
	ahead := p.b[min(len(p.b), to*p.ldb):min(len(p.b), panelRow(next, np, p.n)*p.ldb)]
	t.Step = 32 / strips
	for k0 := 0; k0 < p.k; k0 += gemmK {
		t.K = min(gemmK, p.k-k0)
		t.Mode = simd.FromC
		if k0 == 0 {
			switch {
			case p.e.RowBias != nil:
				t.Mode = simd.FromColBias
			case p.e.ColBias != nil:
				t.Mode = simd.FromRowBias
			default:
				t.Mode = simd.FromZero
			}
		}
		if k0+t.K == p.k {
			t.Mode |= p.clamp
		}
		for s := range strips {
			t.B, t.N = &packed[(k0*strips+s*t.K)*w], min(w, p.m-s*w)
			for q := q0; q < q1; q++ {
				a, z := panelRow(q, np, p.n), panelRow(q+1, np, p.n)
				t.A, t.C = &p.b[a*p.ldb+k0], &ct[(a-from)*p.m+s*w]
				if p.e.RowBias != nil {
					t.Bias = &p.e.RowBias[s*w]
				} else if p.e.ColBias != nil {
					t.Bias = &p.e.ColBias[a]
				}
				t.Next = first(ahead)
				p.ts.RunRows(t, z-a)
				ahead = ahead[min(len(ahead), t.K/4*t.Step):]
			}
		}
	}
	*t = simd.Tile{}
	tiles.Put(t)
	transposeRows(p.c[from:], ct, p.ldc, p.m, p.m, to-from, to-from)
	putScratch(ct)
	p.finish(0, p.m, from, to)
}
