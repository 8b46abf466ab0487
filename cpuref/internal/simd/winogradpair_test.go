package simd

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWinogradPair takes lines of inputs and gradients through all three transforms:
// the taps are their correlation. Nothing but the results is written.
func TestWinogradPair(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		L := WinogradLanes()
		const n = 5
		x, d := random(r, 4*n*L), random(r, 2*n*L)
		u, v, w := newGuarded((4*n+1)*(L+3)), newGuarded((4*n+1)*(L+3)), newGuarded(3*n*(L+2))
		clear(u.s)
		clear(v.s)
		clear(w.s)
		step := L + 3
		pairInput(&v.s[0], &x[0], n, step, L, 4*step, 4*L)
		pairGrad(&u.s[0], &d[0], n, n*step, L, step, 2*L) // points first
		m := make([]float32, 4*n*L)
		for p := range 4 {
			for i := range n {
				for l := range L {
					m[(p*n+i)*L+l] = u.s[(p*n+i)*step+l] * v.s[(4*i+p)*step+l]
				}
			}
		}
		pairTaps(&w.s[0], &m[0], n, L+2, n*L, 3*(L+2), L)
		for _, g := range []*guarded{&u, &v, &w} {
			g.check(t)
		}
		for i := range n {
			for l := range L {
				at := func(s []float32, j int) float64 { return float64(s[j*L+l]) }
				for tap := range 3 {
					want := at(d, 2*i)*at(x, 4*i+tap) + at(d, 2*i+1)*at(x, 4*i+tap+1)
					require.InDelta(t, want, float64(w.s[(3*i+tap)*(L+2)+l]), 1e-5, "item %d lane %d tap %d", i, l, tap)
				}
			}
			for tap := range 3 {
				require.Zero(t, w.s[(3*i+tap)*(L+2)+L], "item %d behind tap %d", i, tap)
			}
		}
	})
}
