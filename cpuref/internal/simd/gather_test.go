package simd

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGathering(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		src := random(r, 70)
		src[69] = float32(math.NaN()) // no tap with a weight names it
		for _, n := range []int{1, 7, 8, 9, 15, 16, 17, 33, 100, 4096 + 17} {
			for taps := range 6 {
				g := NewGathering(n, taps)
				want := make([]float64, n)
				for i := range n {
					for tap := range taps {
						if r.IntN(3) == 0 {
							g.Set(i, tap, 69, 0)
							continue
						}
						from, w := r.IntN(69), r.Float32()
						g.Set(i, tap, from, w)
						want[i] += float64(w) * float64(src[from])
					}
				}
				dst := newGuarded(n)
				g.Apply(dst.s, src)
				dst.check(t, n, taps)
				for i, v := range dst.s {
					close(t, want[i], v, 1e-6, "n", n, "taps", taps, "at", i)
				}
			}
		}
		NewGathering(0, 2).Apply(nil, src)
		one := []float32{5}
		NewGathering(1, 2).Apply(one, nil)
		require.Zero(t, one[0])
	})
}
