package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// LpNormalizeGrad computes the gradient of an Lp normalization with respect to
// its input; see spec.NewLpNormalizeGrad.
func LpNormalizeGrad[T Float](dx, dy, x []T, g spec.LpNormalize) {
	p, eps := float64(g.P), float64(g.Eps)
	for o := range g.Outer {
		for i := range g.Inner {
			at := func(j int) int { return (o*g.N+j)*g.Inner + i }
			most, sum, ties := 0.0, 0.0, 0.0
			for j := range g.N {
				most = math.Max(most, math.Abs(float64(x[at(j)])))
			}
			for j := range g.N {
				v := math.Abs(float64(x[at(j)]))
				if v == most {
					ties++
				}
				sum += math.Pow(v/most, p)
			}
			norm := most
			if most != 0 && !math.IsInf(p, 1) && !math.IsInf(most, 1) {
				norm = most * math.Pow(sum, 1/p)
			}
			along := 0.0 // sum of dy*y
			for j := range g.N {
				along += float64(dy[at(j)]) * (float64(x[at(j)]) / norm)
			}
			for j := range g.N {
				v, d := float64(x[at(j)]), float64(dy[at(j)])
				switch {
				case norm < eps:
					d /= eps
				case norm == 0:
					d = 0
				default:
					slope := 0.0
					switch {
					case math.IsNaN(v):
						slope = v
					case v == 0:
					case !math.IsInf(p, 1):
						slope = math.Copysign(math.Pow(math.Abs(v)/norm, p-1), v)
					case math.Abs(v) == most:
						slope = math.Copysign(1/ties, v)
					}
					d = (d - slope*along) / norm
				}
				dx[at(j)] = T(d)
			}
		}
	}
}
