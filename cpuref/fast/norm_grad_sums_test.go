package fast

import (
	"math"
	"testing"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// The sums keep their digits, as a share of the sum of the magnitudes, where float32
// cannot hold the terms, where they vanish, and where the mean is off.
func TestNormGradSums(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, n := range []int{1, 63, 64, 100, 1024, 5000} {
			for _, c := range []struct{ dy, x, offset, mean float64 }{
				{1, 1, 0, 0}, {1, 1, 0, 0.1}, {1, 1, 5, 5}, {1, 1, 0, 300}, {1, 1e-3, 3000, 0}, {1, 1, 1 << 20, 1<<20 + 0.25},
				{1e-25, 1e-20, 0, 0}, {1e-38, 1, 0, 0}, {0, 1, 0, 0}, {1e30, 1e30, 0, 0}, {1, 1e-25, 0, 0}, {1, 0, 2, 2},
				{1e-30, 1e25, 0, 0}, {3e38, 1e-3, 0, 0},
			} {
				dy, x := random(r, n), random(r, n)
				var want, size simd.GradSums
				for i := range x {
					dy[i] = float32(c.dy * float64(dy[i]))
					x[i] = float32(c.x*float64(x[i]) + c.offset)
					d, z := float64(dy[i]), float64(x[i])-c.mean
					want.Add(simd.GradSums{D: d, Product: d * z, Off: z, Squares: z * z})
					size.Add(simd.GradSums{D: math.Abs(d), Product: math.Abs(d * z), Off: math.Abs(z), Squares: z * z})
				}
				p := &normGradient{normalization: &normalization{g: &spec.Norm{}}}
				got := p.sums(dy, x, nil, c.mean)
				const u = 0x1p-24
				require.InDelta(t, want.D, got.D, 6*u*size.D, "%d %v", n, c)
				require.InDelta(t, want.Product, got.Product, 8*u*size.Product, "%d %v", n, c)
				require.InDelta(t, want.Off, got.Off, 6*u*size.Off, "%d %v", n, c)
				// What the variance is computed from keeps its digits as well.
				count := float64(n)
				spread := func(s simd.GradSums) float64 { return s.Squares - s.Off*s.Off/count }
				require.InDelta(t, spread(want), spread(got), 30*u*spread(want)+count*0x1p-52*want.Squares, "%d %v", n, c)
			}
		}
	})
}
