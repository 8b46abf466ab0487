package simd

import "unsafe"

// Modes of a Tile: what the sums start from, and whether they are clamped.
const (
	FromZero    = 0 // C is not read
	FromC       = 1 // accumulate
	FromRowBias = 2 // Bias has an element per row
	FromColBias = 3 // Bias has an element per column
	Clamped     = 4 // bit: min(max(sum, Lo), Hi), NaN stays
)

// Tile is one call of a tile kernel: for each of its rows i and columns j < N
//
//	C[i*LDC+j] = start(i, j) + sum over k of A[k*rows+i] * B[off(k)+j]
//
// where off(k) is Offs[k] where Offs is set and k*LDB where not. The kernel
// reads whole vectors of B: Columns(N) floats from each row. The sum is taken
// in the order of k by fused multiply-adds (in portable Go, by separate ones),
// so that a result does not depend on where in a tile it stands; what C held is
// added last in assembly for amd64 and first elsewhere. K may be 0.
//
// Next is what will be read soon, or nil: the kernels may ask for a row of it, or
// RunRows's for a cache line, every four rows of B, the rows Step apart. Nothing is
// read there.
type Tile struct {
	A, B, C *float32
	Bias    *float32
	Offs    *int
	K       int
	LDB     int
	LDC     int
	N       int
	Mode    int
	Lo, Hi  float32
	Next    *float32
	Step    int
}

// tileTable holds kernels by [direct, indirect, in rows][vectors of columns - 1][rows - 1].
type tileTable [3][2][14]func(*Tile)

// Tiles runs tile kernels of one level.
type Tiles struct {
	Rows, Cols int // the largest tile
	Lanes      int // B is read in units of this many columns
	table      *tileTable
	neon       bool
}

// ActiveTiles returns the kernels of the active level.
func ActiveTiles() Tiles { return tilesOf(Active()) }

// Alone reports whether the tiles have vectors and the other inner loops of the
// processor are plain Go.
func (ts *Tiles) Alone() bool { return ts.neon }

// Columns returns how many floats of each row of B a tile of n columns reads.
func (ts *Tiles) Columns(n int) int { return (n + ts.Lanes - 1) / ts.Lanes * ts.Lanes }

// Run computes a tile of the given number of rows, 1 to Rows; t.N is 1 to Cols.
func (ts *Tiles) Run(t *Tile, rows int) {
	access, cols := 0, 0
	if t.Offs != nil {
		access = 1
	}
	if t.N > ts.Lanes {
		cols = 1
	}
	switch {
	case ts.neon:
		tileNEON(t, access, cols, rows)
	case ts.table != nil:
		ts.table[access][cols][rows-1](t)
	default:
		tilePortable(t, rows)
	}
}

// RunRows computes a tile whose A stands in rows LDB apart and whose B is packed,
// 2*Lanes to a row. N is at most 2*Lanes, K at most 256.
func (ts *Tiles) RunRows(t *Tile, rows int) {
	if ts.neon {
		tileNEON(t, 2, 1, rows)
		return
	}
	if ts.table != nil {
		ts.table[2][1][rows-1](t)
		return
	}
	var a [4 * 256]float32 // in the order that tilePortable takes
	transposePortable(&a[0], t.A, rows, t.LDB, t.K, rows, rows)
	p := *t
	p.A, p.LDB = &a[0], 16
	for n := t.N; n > 0; n -= 8 {
		p.N = min(n, 8)
		tilePortable(&p, rows)
		p.B, p.C = at(p.B, 8), at(p.C, 8)
	}
}

// tilePortable is the tile kernel in plain Go, for up to 4 rows and 8 columns.
func tilePortable(t *Tile, rows int) {
	var acc [4][8]float32
	var offs []int
	if t.Offs != nil {
		offs = unsafe.Slice(t.Offs, t.K)
	}
	n := t.N
	for i := range rows {
		switch t.Mode &^ Clamped {
		case FromC:
			copy(acc[i][:n], unsafe.Slice(at(t.C, i*t.LDC), n))
		case FromRowBias:
			for j := range n {
				acc[i][j] = *at(t.Bias, i)
			}
		case FromColBias:
			copy(acc[i][:n], unsafe.Slice(t.Bias, n))
		}
	}
	a := unsafe.Slice(t.A, t.K*rows)
	for k := range t.K {
		off := k * t.LDB
		if offs != nil {
			off = offs[k]
		}
		b := (*[8]float32)(unsafe.Pointer(at(t.B, off)))
		for i, v := range a[k*rows:][:rows] {
			c := &acc[i]
			c[0] += v * b[0]
			c[1] += v * b[1]
			c[2] += v * b[2]
			c[3] += v * b[3]
			c[4] += v * b[4]
			c[5] += v * b[5]
			c[6] += v * b[6]
			c[7] += v * b[7]
		}
	}
	for i := range rows {
		c := unsafe.Slice(at(t.C, i*t.LDC), n)
		copy(c, acc[i][:n])
		if t.Mode&Clamped != 0 {
			clampRow(c, t.Lo, t.Hi)
		}
	}
}

// clampRow limits each element of c to lo and hi; NaN stays.
func clampRow(c []float32, lo, hi float32) {
	for j, v := range c {
		if v < lo {
			v = lo
		}
		if v > hi {
			v = hi
		}
		c[j] = v
	}
}

// at returns the address of element i from p.
func at(p *float32, i int) *float32 {
	return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*i))
}
