package simd

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func TestWinogradOuterLayout(t *testing.T) {
	var o WinogradOuter
	require.Equal(t, []uintptr{0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80}, []uintptr{
		unsafe.Offsetof(o.M), unsafe.Offsetof(o.A), unsafe.Offsetof(o.B), unsafe.Offsetof(o.aPos), unsafe.Offsetof(o.bPos),
		unsafe.Offsetof(o.aTile), unsafe.Offsetof(o.mGap), unsafe.Offsetof(o.Panels), unsafe.Offsetof(o.Tiles), unsafe.Offsetof(o.Add), unsafe.Offsetof(o.points)})
}

// TestWinogradGradWhole runs rows of tiles of some channels through all transforms:
// the result is the correlation of the inputs with the outputs' gradients.
func TestWinogradGradWhole(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		L := WinogradLanes()
		const tiles = 3
		width := 4*tiles + 2
		x, dy := random(r, 6*width*2*L), random(r, 4*4*tiles*L)
		rows := newGuarded(6 * width * L)
		bPos, aPos := tiles*2*L+16, tiles*L+16
		b, a := newGuarded(36*bPos), newGuarded(36*aPos)
		for half := range 2 {
			WinogradRows(&rows.s[0], &x[half*6*width*L], width, width*L, width*L)
			WinogradCols(&b.s[half*L], &rows.s[0], tiles, bPos, 2*L, width*L)
		}
		gradRows := newGuarded(6 * 4 * tiles * L)
		WinogradGradRows(&gradRows.s[0], &dy[0], 4*tiles, 4*tiles*L, 4*tiles*L)
		gradRows.check(t)
		WinogradGradCols(&a.s[0], &gradRows.s[0], tiles, aPos, L, 4*tiles*L)
		a.check(t)
		mPos := 2*L*L + 5
		m := newGuarded(36*mPos - 5)
		o := &WinogradOuter{M: &m.s[0], A: &a.s[0], B: &b.s[0], Panels: L / WinogradOuterRows(), Tiles: tiles, Points: 36}
		o.Run(aPos, bPos, mPos, L)
		m.check(t)
		o.Add = 1 // twice the sums
		o.Run(aPos, bPos, mPos, L)
		out, tmp := newGuarded(L*9*L), make([]float32, 18*L)
		for half := range 2 {
			WinogradGradOutput(&out.s[0], &m.s[half*L], &tmp[0], L, mPos, 2*L)
			out.check(t)
			for k := range L {
				for c := range L {
					for tap := range 9 {
						want := 0.0
						for h := range 4 {
							for w := range 4 * tiles {
								want += float64(dy[(h*4*tiles+w)*L+k]) * float64(x[half*6*width*L+((h+tap/3)*width+w+tap%3)*L+c])
							}
						}
						require.InDelta(t, 2*want, float64(out.s[(9*k+tap)*L+c]), 1e-4)
					}
				}
			}
		}
	})
}

func TestShortfall(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for n := range 200 {
			x := random(r, n+1)[:n]
			want := 0.0
			for _, v := range x {
				if d := 0.6 - float64(abs32(v)); d > 0 {
					want += d * d
				}
			}
			require.InDelta(t, want, float64(Shortfall(x, 0.6)), 1e-5)
		}
	})
}
