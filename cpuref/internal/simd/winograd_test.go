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
		const kernels = 3
		taps := random(r, kernels*9*2*L)
		tmp := make([]float32, 24*L)
		pos := (kernels + 1) * 2 * L
		u := newGuarded(36*pos - 2*L)
		for i := range 6 {
			WinogradWeights(&u.s[6*i*pos], &taps[0], i, kernels, pos)
		}
		u.check(t)
		// The product lane by lane, the two vectors of weights with one of input.
		m := make([]float32, 36*tiles*2*L)
		for p := range 36 {
			for i := range tiles {
				for l := range 2 * L {
					m[(p*tiles+i)*2*L+l] = u.s[p*pos+l] * v.s[(p*tiles+i)*L+l%L]
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
			src, limits := random(r, n*18*L), random(r, L)
			for i, v := range limits {
				limits[i] = abs32(v)
			}
			sums := newGuarded(9*4*L - 2*L)
			before := random(r, len(sums.s))
			copy(sums.s, before)
			WinogradDeficits(&sums.s[0], &src[0], &limits[0], n)
			sums.check(t, n)
			for i, got := range sums.s {
				want := float64(before[i])
				tap, j := i/(4*L), i%(4*L)/L
				for k := 0; k < n && j < 2; k++ {
					v := math.Abs(float64(src[(9*k+tap)*2*L+i%L]))
					if j == 0 {
						v = math.Max(float64(limits[i%L])-v, 0)
					}
					want += v * v
				}
				require.InDelta(t, want, float64(got), 1e-5)
			}
		}
	})
}

func TestWinogradTaps(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		L := WinogradLanes()
		for n := 1; n < 6; n++ {
			for _, flip := range []bool{false, true} {
				next := 9 + r.IntN(30)
				row := n*next + r.IntN(5)
				if flip {
					row, next = 9, 9*L+r.IntN(5)
				}
				src := random(r, (L-1)*row+(n-1)*next+9) // nothing is read behind
				dst := newGuarded(n*18*L - L)
				WinogradTaps(&dst.s[0], &src[0], n, row, next, flip)
				dst.check(t, n)
				for i, v := range dst.s {
					want := float32(guardValue)
					if tap := i / (2 * L) % 9; i%(2*L) < L {
						if flip {
							tap = 8 - tap
						}
						want = src[i%L*row+i/(18*L)*next+tap]
					}
					require.Equal(t, want, v)
				}
			}
		}
	})
}

func TestWinogradProduct(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		L := WinogradLanes()
		for n := 1; n < 33; n++ {
			groups, chain, all, points := 1+r.IntN(4), 1+r.IntN(3), n+r.IntN(3), 1+r.IntN(36)
			pos := groups*2*L*L + r.IntN(20)
			v, u := random(r, groups*36*all*L), random(r, points*pos)
			m := newGuarded(points * all * 2 * L)
			before := random(r, len(m.s))
			copy(m.s, before)
			p := WinogradProduct{M: &m.s[0], V: &v[0], U: &u[0], Groups: groups, Chain: chain, Add: r.IntN(2), Points: points, UPoint: pos}
			p.Run(n, all)
			m.check(t, n)
			for i, got := range m.s {
				point, tile, k := i/(2*L*all), i/(2*L)%all, i%(2*L)
				if tile >= n {
					require.Equal(t, before[i], got)
					continue
				}
				want := float64(0)
				if p.Add != 0 {
					want = float64(before[i])
				}
				for c := range groups * L {
					want += float64(v[((c/L*36+point)*all+tile)*L+c%L]) * float64(u[point*pos+c*2*L+k])
				}
				require.InDelta(t, want, float64(got), 3e-5)
			}
			// Each result has the same bits wherever its tile stands.
			if n > 1 {
				first := append([]float32{}, m.s...)
				copy(m.s, before)
				for tile := range n {
					one := p
					one.M, one.V = at(p.M, tile*2*L), at(p.V, tile*L)
					one.Run(1, all)
				}
				require.Equal(t, first, m.s)
			}
		}
	})
}

func TestWinogradProductLayout(t *testing.T) {
	var p WinogradProduct
	require.Equal(t, []uintptr{0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104}, []uintptr{
		unsafe.Offsetof(p.M), unsafe.Offsetof(p.V), unsafe.Offsetof(p.U), unsafe.Offsetof(p.vGroup), unsafe.Offsetof(p.vPos), unsafe.Offsetof(p.uPos),
		unsafe.Offsetof(p.Groups), unsafe.Offsetof(p.Chain), unsafe.Offsetof(p.panels), unsafe.Offsetof(p.Add), unsafe.Offsetof(p.left),
		unsafe.Offsetof(p.ahead), unsafe.Offsetof(p.apart), unsafe.Offsetof(p.step)})
}
