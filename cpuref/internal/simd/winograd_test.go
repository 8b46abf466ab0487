package simd

import (
	"math"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func TestWinogradLayout(t *testing.T) {
	var w WinogradTile
	require.Equal(t, []uintptr{0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 76}, []uintptr{
		unsafe.Offsetof(w.Dst), unsafe.Offsetof(w.Src), unsafe.Offsetof(w.Tmp), unsafe.Offsetof(w.Bias), unsafe.Offsetof(w.Flags),
		unsafe.Offsetof(w.N), unsafe.Offsetof(w.Pos), unsafe.Offsetof(w.DstRow), unsafe.Offsetof(w.DstHalf),
		unsafe.Offsetof(w.Lo), unsafe.Offsetof(w.Hi)})
}

// TestWinogradWhole runs one channel's tile through all transforms: the result
// is the correlation of a 6x6 tile with a 3x3 kernel.
func TestWinogradWhole(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		L := WinogradLanes()
		const tiles = 3
		width := 4*tiles + 2
		src := random(r, 6*width*L)
		rows := newGuarded(6 * width * L)
		WinogradRows(&rows.s[0], &src[0], width, width*L, width*L)
		rows.check(t)
		v := newGuarded(36 * tiles * L)
		WinogradCols(&v.s[0], &rows.s[0], tiles, tiles*L, L, width*L)
		v.check(t)
		taps := random(r, 9*2*L)
		tmp := make([]float32, 24*L)
		u := newGuarded(36 * 2 * L)
		WinogradWeights(&u.s[0], &taps[0], &tmp[0], 1, 2*L)
		u.check(t)
		// The product lane by lane, the two vectors of weights with one of input.
		m := make([]float32, 36*tiles*2*L)
		for p := range 36 {
			for i := range tiles {
				for l := range 2 * L {
					m[(p*tiles+i)*2*L+l] = u.s[p*2*L+l] * v.s[(p*tiles+i)*L+l%L]
				}
			}
		}
		bias := random(r, 2*L)
		flags := make([]float32, L)
		out := newGuarded(2 * 4 * 4 * tiles * L)
		w := &WinogradTile{Dst: &out.s[0], Src: &m[0], Tmp: &tmp[0], Bias: &bias[0], Flags: &flags[0],
			N: tiles, Pos: tiles * 2 * L, DstRow: 4 * tiles * L, DstHalf: 16 * tiles * L, Lo: -1, Hi: 1.5}
		w.Run()
		out.check(t)
		for half := range 2 {
			for l := range L {
				require.Zero(t, flags[l])
				for y := range 4 {
					for x := range 4 * tiles {
						want := float64(bias[half*L+l])
						for i := range 3 {
							for j := range 3 {
								want += float64(taps[(3*i+j)*2*L+half*L+l]) * float64(src[((y+i)*width+x+j)*L+l])
							}
						}
						require.InDelta(t, min(max(want, -1), 1.5), float64(out.s[half*w.DstHalf+y*w.DstRow+x*L+l]), 2e-5)
					}
				}
			}
		}
		m[5*2*L+3] = float32(math.Inf(1))
		w.Run()
		bad := 0
		for _, f := range flags {
			if f != f {
				bad++
			}
		}
		require.Equal(t, 1, bad)
	})
}

func TestTransposeTall(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		L := WinogradLanes()
		for rows := 1; rows < 40; rows++ {
			for n := 1; n <= L; n++ {
				ds := rows + r.IntN(3)
				src := random(r, rows*L)
				dst := newGuarded((n-1)*ds + rows)
				TransposeTall(&dst.s[0], &src[0], ds, L, rows, n)
				dst.check(t, rows, n)
				for i, v := range dst.s {
					want := float32(guardValue)
					if i%ds < rows {
						want = src[i%ds*L+i/ds]
					}
					require.Equal(t, want, v, "rows %d n %d at %d", rows, n, i)
				}
			}
		}
	})
}

func TestAbsSquares(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for n := range 70 {
			rows, stride := r.IntN(10), n+r.IntN(3)
			x, before := random(r, rows*stride+n), random(r, n)
			sums, squares := newGuarded(n), newGuarded(n)
			copy(sums.s, before)
			copy(squares.s, before)
			AbsSquares(sums.s, squares.s, x, rows, stride)
			sums.check(t, n)
			squares.check(t, n)
			for i := range n {
				s, q := float64(before[i]), float64(before[i])
				for k := range rows {
					v := math.Abs(float64(x[k*stride+i]))
					s, q = s+v, q+v*v
				}
				require.InDelta(t, s, float64(sums.s[i]), 1e-5)
				require.InDelta(t, q, float64(squares.s[i]), 1e-5)
			}
		}
	})
}

func TestWinogradDeficits(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		L := WinogradLanes()
		for n := 1; n < 9; n++ {
			step := 3 * L
			src, limits := random(r, n*step), random(r, 2*L)
			sums := newGuarded(3 * L)
			before := random(r, 3*L)
			copy(sums.s, before)
			WinogradDeficits(&sums.s[0], &src[0], &limits[0], n, step)
			sums.check(t, n)
			for i, got := range sums.s {
				want := float64(before[i])
				for k := range n {
					v := math.Abs(float64(src[k*step+i%L]))
					if i < 2*L {
						v = math.Max(float64(limits[i])-v, 0)
					}
					want += v * v
				}
				require.InDelta(t, want, float64(got), 1e-5)
			}
		}
	})
}
