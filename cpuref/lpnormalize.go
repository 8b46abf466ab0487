package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// LpNormalize computes an Lp normalization along an axis; see spec.LpNormalize.
func LpNormalize[T Float](y, x []T, g spec.LpNormalize) {
	p := float64(g.P)
	for o := range g.Outer {
		for i := range g.Inner {
			base := o*g.N*g.Inner + i
			most, sum := 0.0, 0.0
			for j := range g.N {
				most = math.Max(most, math.Abs(float64(x[base+j*g.Inner])))
			}
			if most == 0 {
				most = 1
			}
			for j := range g.N {
				sum += math.Pow(math.Abs(float64(x[base+j*g.Inner]))/most, p)
			}
			norm := most * math.Pow(sum, 1/p)
			if math.IsInf(p, 1) || math.IsInf(most, 1) || math.IsNaN(most) {
				norm = most
			}
			if sum == 0 {
				norm = 1 // all zeros stay zeros
			}
			norm = math.Max(norm, float64(g.Eps))
			for j := range g.N {
				y[base+j*g.Inner] = T(Pointwise64(g.Act, float64(x[base+j*g.Inner])/norm))
			}
		}
	}
}
