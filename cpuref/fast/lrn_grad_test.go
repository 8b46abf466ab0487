package fast

import (
	"fmt"
	"math"
	"testing"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// sameGradient compares with the plain loops: to 1e-5 of the largest gradient
// that is finite, since terms cancel.
func sameGradient(t *testing.T, what string, want, got []float32) {
	t.Helper()
	most := 0.0
	for _, v := range want {
		if a := math.Abs(float64(v)); !math.IsInf(a, 1) {
			most = max(most, a)
		}
	}
	for i, v := range want {
		if v != v || math.IsInf(float64(v), 0) {
			require.Equal(t, v != v, got[i] != got[i], "%s: element %d is %v, not %v", what, i, got[i], v)
			continue
		}
		require.InDelta(t, v, got[i], 1e-5*max(most, 1e-30), "%s: element %d", what, i)
	}
}

// TestLRNGrad has moderate values, a large one, and one that is not a number.
func TestLRNGrad(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, s := range [][]int{{2, 7, 5, 5}, {1, 20, 1300}, {2, 1, 40}, {3, 4}} {
			for _, odd := range []float32{0, 1e25, float32(math.NaN())} {
				for _, beta := range []float32{0.75, 0.5} {
					g, err := spec.NewLRNGrad(s, s, spec.LRNParams{Size: 4, Alpha: 0.5, Beta: beta})
					require.NoError(t, err)
					x, dy := random(r, spec.Count(s)), random(r, spec.Count(s))
					if odd != 0 {
						x[len(x)/2], dy[len(dy)/3] = odd, odd
					}
					what := fmt.Sprintf("%v odd %v beta %v", s, odd, beta)
					want := make([]float32, len(x))
					cpuref.LRNGrad(want, dy, x, g)
					got := repeatable(t, what, func() []float32 {
						dx := newGuarded(len(x))
						LRNGrad(dx.s, dy, x, g)
						dx.check(t, what)
						return dx.s
					})
					if odd == 0 {
						sameGradient(t, what, want, got)
						continue
					}
					for i, v := range want { // what the plain loops have computed as well
						require.Equal(t, v != v, got[i] != got[i], "%s: element %d is %v, not %v", what, i, got[i], v)
					}
				}
			}
		}
	})
}

// TestLpNormalizeGrad has rows of zeros, tiny and large ones, and such as hold
// something infinite.
func TestLpNormalizeGrad(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, s := range [][]int{{40, 5}, {3, 1000}, {200, 33}, {4, 7, 9}, {2, 30, 300}} {
			for axis := range s {
				for _, eps := range []float32{0, -1, 2} {
					for _, factor := range []float32{0, 1e-30, 1, 1e15, float32(math.Inf(1))} {
						g, err := spec.NewLpNormalizeGrad(s, s, axis, spec.LpNormalizeParams{Eps: eps})
						require.NoError(t, err)
						x, dy := random(r, spec.Count(s)), random(r, spec.Count(s))
						for i := range x {
							if factor < 1e30 {
								x[i] *= factor
							}
						}
						if factor > 1e30 {
							x[len(x)/2] = factor
						}
						what := fmt.Sprintf("%v axis %d eps %v factor %v", s, axis, eps, factor)
						want := make([]float32, len(x))
						cpuref.LpNormalizeGrad(want, dy, x, g)
						sameGradient(t, what, want, repeatable(t, what, func() []float32 {
							dx := newGuarded(len(x))
							LpNormalizeGrad(dx.s, dy, x, g)
							dx.check(t, what)
							return dx.s
						}))
					}
				}
			}
		}
	})
}
