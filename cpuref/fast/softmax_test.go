package fast

import (
	"fmt"
	"math"
	"testing"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// widen copies to float64, for the oracle.
func widen(x []float32) []float64 {
	w := make([]float64, len(x))
	for i, v := range x {
		w[i] = float64(v)
	}
	return w
}

func TestSoftmax(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, c := range []struct {
			shape []int
			axis  int
		}{{[]int{1}, 0}, {[]int{3, 1}, 1}, {[]int{5, 10}, 1}, {[]int{300, 33}, -1}, {[]int{3, 1000}, 1}, {[]int{2, 21, 5, 7}, 1}, {[]int{2, 3, 40}, 0}, {[]int{2, 40, 33}, 1}, {[]int{5, 1030}, 0}, {[]int{3, 7, 9, 31}, 1}, {[]int{1, 50000}, 1}, {[]int{2, 1500, 3}, 1}} {
			for _, kind := range []spec.SoftmaxKind{spec.Softmax, spec.LogSoftmax, spec.Hardmax} {
				g, err := spec.NewSoftmax(c.shape, c.axis, kind)
				require.NoError(t, err)
				for _, spread := range []float32{1, 30, 300} {
					x := random(r, spec.Count(c.shape))
					for i := range x {
						x[i] *= spread
					}
					if spread == 30 { // special values in some rows
						x[r.IntN(len(x))] = float32(math.Inf(-1))
						x[len(x)/2] = float32(math.NaN())
						x[len(x)/3] = float32(math.Inf(1))
					}
					what := fmt.Sprintf("%v axis %d %v spread %v", c.shape, c.axis, kind, spread)
					got := repeatable(t, what, func() []float32 {
						y := newGuarded(len(x))
						Softmax(y.s, x, g)
						y.check(t, what)
						return y.s
					})
					want := make([]float64, len(x))
					cpuref.Softmax(want, widen(x), g)
					b := g.Budget()
					for i, v := range got {
						if !b.Allows(v, want[i], 0) {
							require.Fail(t, "outside of the budget", "%s: y[%d] is %v, not %v", what, i, v, want[i])
						}
					}
				}
			}
		}
	})
}

// TestLogSoftmaxPeak: one element far above the others.
func TestLogSoftmaxPeak(t *testing.T) {
	onEach(t, func(t *testing.T) {
		for _, gap := range []float32{5, 10, 17, 30, 80, 110} {
			for _, shape := range [][]int{{100}, {100, 40}} {
				n := spec.Count(shape)
				x := make([]float32, n)
				for i := 37 * n / 100; i < 38*n/100; i++ {
					x[i] = gap
				}
				g, err := spec.NewSoftmax(shape, 0, spec.LogSoftmax)
				require.NoError(t, err)
				y, want := make([]float32, n), make([]float64, n)
				Softmax(y, x, g)
				cpuref.Softmax(want, widen(x), g)
				b := g.Budget()
				for i := range y {
					require.True(t, b.Allows(y[i], want[i], 0), "gap %v: y[%d] is %v, not %v", gap, i, y[i], want[i])
				}
			}
		}
	})
}

func BenchmarkSoftmax(b *testing.B) {
	for _, shape := range [][]int{{4096, 1024}, {64, 10}, {64, 1000}} {
		b.Run(fmt.Sprint(shape), func(b *testing.B) {
			onThreads(b, func(b *testing.B) {
				g, _ := spec.NewSoftmax(shape, -1, spec.Softmax)
				x, y := make([]float32, spec.Count(shape)), make([]float32, spec.Count(shape))
				timed(b, float64(8*len(x)), "GB/s", func() { Softmax(y, x, g) })
			})
		})
	}
}
