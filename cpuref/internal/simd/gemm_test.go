package simd

import (
	"fmt"
	"math"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// TestTileLayout holds the struct to the offsets that the generator knows.
func TestTileLayout(t *testing.T) {
	var x Tile
	require.Equal(t, []uintptr{0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 84, 88, 96}, []uintptr{
		unsafe.Offsetof(x.A), unsafe.Offsetof(x.B), unsafe.Offsetof(x.C), unsafe.Offsetof(x.Bias),
		unsafe.Offsetof(x.Offs), unsafe.Offsetof(x.K), unsafe.Offsetof(x.LDB), unsafe.Offsetof(x.LDC),
		unsafe.Offsetof(x.N), unsafe.Offsetof(x.Mode), unsafe.Offsetof(x.Lo), unsafe.Offsetof(x.Hi), unsafe.Offsetof(x.Next), unsafe.Offsetof(x.Step)})
}

func TestTiles(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		ts := ActiveTiles()
		for rows := 1; rows <= ts.Rows; rows++ {
			for n := 1; n <= ts.Cols; n++ {
				for _, k := range []int{0, 1, 3, 4, 5, 11} {
					mode := r.IntN(8)
					indirect := r.IntN(2) == 1
					ldb, ldc := ts.Cols+r.IntN(3), n+r.IntN(5)
					a, b := random(r, k*rows+1), random(r, (k+1)*ldb+ts.Cols)
					bias := random(r, max(rows, n))
					c := newGuarded((rows-1)*ldc + n)
					copy(c.s, random(r, len(c.s)))
					was := append([]float32{}, c.s...)
					tile := &Tile{A: &a[0], B: &b[0], C: &c.s[0], Bias: &bias[0], K: k, LDB: ldb, LDC: ldc, N: n, Mode: mode, Lo: -0.5, Hi: 0.75}
					offs := make([]int, k+1)
					for i := range offs {
						offs[i] = r.IntN(k+1) * ldb
					}
					if indirect {
						tile.Offs = &offs[0]
					}
					ts.Run(tile, rows)
					what := fmt.Sprintf("rows %d n %d k %d mode %d indirect %v", rows, n, k, mode, indirect)
					c.check(t, what)
					for i := range c.s {
						row, j := i/ldc, i%ldc
						if j >= n {
							require.Equal(t, was[i], c.s[i], what)
							continue
						}
						want := 0.0
						switch mode &^ Clamped {
						case FromC:
							want = float64(was[i])
						case FromRowBias:
							want = float64(bias[row])
						case FromColBias:
							want = float64(bias[j])
						}
						for kk := range k {
							off := kk * ldb
							if indirect {
								off = offs[kk]
							}
							want += float64(a[kk*rows+row]) * float64(b[off+j])
						}
						if mode&Clamped != 0 {
							want = min(max(want, -0.5), 0.75)
						}
						require.InDelta(t, want, float64(c.s[i]), 2e-6, what)
					}
				}
			}
		}
	})
}

func TestTilesInRows(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		ts := ActiveTiles()
		width := 2 * ts.Lanes
		for rows := 1; rows <= ts.Rows; rows++ {
			for _, k := range []int{0, 1, 3, 4, 5, 11} {
				n, lda := 1+r.IntN(width), k+r.IntN(4)
				a, b := random(r, rows*lda+1), random(r, (k+1)*width)
				c := newGuarded(rows * n)
				tile := &Tile{A: &a[0], B: &b[0], C: &c.s[0], K: k, LDB: lda, LDC: n, N: n}
				ts.RunRows(tile, rows)
				c.check(t, rows, n, k)
				for i, v := range c.s {
					want := 0.0
					for kk := range k {
						want += float64(a[i/n*lda+kk]) * float64(b[kk*width+i%n])
					}
					require.InDelta(t, want, float64(v), 2e-6, "rows %d n %d k %d", rows, n, k)
				}
			}
		}
	})
}

// TestTilesNaN: a zero multiplicand does not hide NaN or infinity, and the clamp keeps NaN.
func TestTilesNaN(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	onEach(t, func(t *testing.T) {
		ts := ActiveTiles()
		for rows := 1; rows <= ts.Rows; rows++ {
			a := make([]float32, 2*rows)
			b := make([]float32, 2*ts.Cols)
			b[0], b[ts.Cols+1] = nan, inf
			c := make([]float32, rows*ts.Cols)
			ts.Run(&Tile{A: &a[0], B: &b[0], C: &c[0], K: 2, LDB: ts.Cols, LDC: ts.Cols, N: ts.Cols, Mode: Clamped, Lo: 0, Hi: 1}, rows)
			for i := range rows {
				require.True(t, c[i*ts.Cols] != c[i*ts.Cols], "0 * NaN")
				require.True(t, c[i*ts.Cols+1] != c[i*ts.Cols+1], "0 * Inf")
				require.Zero(t, c[i*ts.Cols+2])
			}
		}
	})
}

func TestCopyRowsAndTranspose(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		ts := ActiveTiles()
		for w := 1; w <= ts.Cols; w++ {
			for _, n := range []int{0, 1, w / 2, w - 1, w} {
				if n > w {
					continue
				}
				rows, ds, ss := 1+r.IntN(9), w+r.IntN(4), n+r.IntN(7)
				src := random(r, rows*ss+1)
				dst := newGuarded((rows-1)*ds + w)
				CopyRows(ptr(dst.s), ptr(src), ds, ss, rows, n, w)
				dst.check(t, "copy", n, w)
				for i, v := range dst.s {
					want := float32(0)
					switch row, j := i/ds, i%ds; {
					case j >= w:
						want = guardValue
					case j < n:
						want = src[row*ss+j]
					}
					require.Equal(t, want, v, "copy n %d w %d at %d", n, w, i)
				}
			}
		}
		for w := 1; w <= ts.Lanes; w++ {
			for n := 1; n <= w; n++ {
				for _, cols := range []int{1, ts.Lanes - 1, ts.Lanes, ts.Lanes + 1, 3*ts.Lanes + 5} {
					ds, ss := w+r.IntN(4), cols+r.IntN(7)
					src := random(r, (n-1)*ss+cols)
					dst := newGuarded((cols-1)*ds + w)
					Transpose(ptr(dst.s), ptr(src), ds, ss, cols, n, w)
					dst.check(t, "transpose", n, w, cols)
					for i, v := range dst.s {
						want := float32(0)
						switch c, j := i/ds, i%ds; {
						case j >= w:
							want = guardValue
						case j < n:
							want = src[j*ss+c]
						}
						require.Equal(t, want, v, "transpose n %d w %d cols %d at %d", n, w, cols, i)
					}
				}
			}
		}
	})
}
