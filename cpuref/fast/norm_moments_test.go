package fast

import (
	"math"
	"testing"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// Moments of long groups, whose pieces are read once around a guess at their mean:
// where that is far off, where squares leave float32, and where there is no spread.
func TestMomentsOfLongGroups(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	kinds := map[string]func(i, n int, v float32) float32{
		"normal":     func(_, _ int, v float32) float32 { return v },
		"zeros":      func(_, _ int, _ float32) float32 { return 0 },
		"constant":   func(_, _ int, _ float32) float32 { return 0.1 },
		"far mean":   func(_, _ int, v float32) float32 { return v + 20000 },
		"two values": func(i, _ int, _ float32) float32 { return []float32{1e-3, 1 + 1e-3}[i%2] },
		"trend":      func(i, n int, v float32) float32 { return v + 100*float32(i)/float32(n) },
		"ends stand out": func(i, n int, v float32) float32 {
			if i%512 < 40 || i > n-600 {
				return v + 1000
			}
			return v
		},
		"one spike": func(i, n int, v float32) float32 {
			if i == n/3 {
				return 1e6
			}
			return v
		},
		"relu":      func(_, _ int, v float32) float32 { return max(v, 0) },
		"huge":      func(_, _ int, v float32) float32 { return v * 1e25 },
		"tiny":      func(_, _ int, v float32) float32 { return v * 1e-25 },
		"subnormal": func(_, _ int, v float32) float32 { return v * 1e-40 },
		"large":     func(_, _ int, v float32) float32 { return v * 1e17 },
		"one huge": func(i, n int, v float32) float32 {
			if i == n/2 {
				return 3e38
			}
			return v
		},
		"Inf": func(i, n int, v float32) float32 {
			if i == n-2 {
				return inf
			}
			return v
		},
		"NaN": func(i, _ int, v float32) float32 {
			if i == 1 {
				return nan
			}
			return v
		},
	}
	onEach(t, func(t *testing.T) {
		for name, f := range kinds {
			for _, shape := range [][]int{{1, 1, 5000}, {20, 1, 4099}, {2, 9, 33000}, {1, 2, 100, 200}} {
				g, err := spec.NewInstanceNorm(shape, nil, nil, spec.InstanceNormParams{})
				require.NoError(t, err)
				x := random(newRand(t), spec.Count(shape))
				for i := range x {
					x[i] = f(i%g.Count, g.Count, x[i])
				}
				for _, rms := range []bool{false, true} {
					g.Norm.RMS = rms
					mean, variance := cpuref.Moments(widen(x), &g.Norm)
					m, v := Moments(x, &g.Norm)
					for i := range mean {
						if variance[i]-variance[i] != 0 { // NaN or infinite
							require.Equal(t, math.IsNaN(variance[i]), math.IsNaN(v[i]), "%s %v", name, shape)
							continue
						}
						// A small part of the budgets of outputs.
						require.InDelta(t, mean[i], m[i], 0x1p-24*math.Sqrt(variance[i])+1e-14*math.Abs(mean[i]), "%s %v", name, shape)
						require.InDelta(t, variance[i], v[i], 2e-7*variance[i], "%s %v", name, shape)
					}
				}
			}
		}
	})
}
