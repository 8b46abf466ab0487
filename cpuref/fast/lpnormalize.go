package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// LpNormalize computes an Lp normalization along an axis; see spec.LpNormalize.
// With p = 2 it is vectorised but for few columns; otherwise the plain loops run
// on all cores.
func LpNormalize(y, x []float32, g spec.LpNormalize) {
	if g.P == 2 && g.Inner >= wideColumns && simd.Active() != simd.Portable {
		lpColumns(y, x, &g)
		return
	}
	if g.Inner != 1 || g.P != 2 {
		lpOuter(g, func(o, each int, one spec.LpNormalize) {
			cpuref.LpNormalize(y[o*each:][:each], x[o*each:][:each], one)
		})
		return
	}
	ns := 0.3 * float64(len(x))
	if simd.Active() == simd.Portable {
		ns *= 10
	}
	ParallelRange(g.Outer, max(1, elementTask/g.N), ns, func(low, high int) {
		for o := low; o < high; o++ {
			from, to := x[o*g.N:][:g.N], y[o*g.N:][:g.N]
			norm := math.Sqrt(simd.SumSquares(from, 0))
			if norm == 0 {
				norm = 1 // all zeros stay zeros
			}
			norm = math.Max(norm, float64(g.Eps))
			if f := float32(norm); f < 0x1p-126 || simd.Active() == simd.Portable {
				for i, v := range from {
					to[i] = float32(float64(v) / norm)
				}
			} else {
				simd.DivBy.Apply(to, from, f, 0, 0, false)
			}
			if g.Act.Func != spec.Identity {
				pointwise(g.Act, to, to)
			}
		}
	})
}

// lpOuter calls f for each index of the axes before the one that is normalized.
func lpOuter(g spec.LpNormalize, f func(o, each int, one spec.LpNormalize)) {
	one := g
	one.Outer = 1
	each := g.N * g.Inner
	Parallel(g.Outer, 50*float64(g.Outer*each), func(o int) { f(o, each, one) })
}
