package fast

import (
	"fmt"
	"testing"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// TestLRN compares with the plain loops, beside large values and with none.
func TestLRN(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, s := range [][]int{{2, 7, 5, 5}, {1, 20, 1300}, {3, 4}} {
			for _, large := range []bool{false, true} {
				for _, beta := range []float32{0.75, 0.5} {
					g, err := spec.NewLRN(s, spec.LRNParams{Size: 5, Alpha: 0.5, Beta: beta, Act: spec.Activation{Func: spec.ReLU}})
					require.NoError(t, err)
					x := random(r, spec.Count(s))
					if large {
						x[len(x)/2] = 1e25
					}
					what := fmt.Sprintf("%v large %v beta %v", s, large, beta)
					want := make([]float32, len(x))
					cpuref.LRN(want, x, g)
					nearly(t, what, want, repeatable(t, what, func() []float32 {
						y := newGuarded(len(x))
						LRN(y.s, x, g)
						y.check(t, what)
						return y.s
					}))
				}
			}
		}
	})
}

// TestLpNormalize compares with the plain loops, zeros and tiny rows among them.
func TestLpNormalize(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, s := range [][]int{{40, 5}, {3, 1000}, {2000, 33}, {4, 7, 9}, {2, 30, 1100}} {
			for axis := range s {
				g, err := spec.NewLpNormalize(s, axis, spec.LpNormalizeParams{})
				require.NoError(t, err)
				x := random(r, spec.Count(s))
				clear(x[:s[len(s)-1]])
				for i := range s[len(s)-1] {
					x[len(x)-1-i] *= 1e-30
				}
				what := fmt.Sprintf("%v axis %d", s, axis)
				want := make([]float32, len(x))
				cpuref.LpNormalize(want, x, g)
				nearly(t, what, want, repeatable(t, what, func() []float32 {
					y := newGuarded(len(x))
					LpNormalize(y.s, x, g)
					y.check(t, what)
					return y.s
				}))
			}
		}
	})
}

// TestDropout requires the bits of the plain loops.
func TestDropout(t *testing.T) {
	r := newRand(t)
	for _, n := range []int{1, 6, 40001} {
		g, err := spec.NewDropout([]int{n}, 0.3, 7, false)
		require.NoError(t, err)
		x := random(r, n)
		want := make([]float32, 2*n)
		cpuref.Dropout(want[:n], want[n:], x, g)
		require.Equal(t, want, repeatable(t, "dropout", func() []float32 {
			y := make([]float32, 2*n)
			Dropout(y[:n], y[n:], x, g)
			return y
		}))
	}
}
