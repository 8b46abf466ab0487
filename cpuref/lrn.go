package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// LRN computes a local response normalization across channels; see spec.LRN.
func LRN[T Float](y, x []T, g spec.LRN) {
	alpha, beta, k := float64(g.Alpha)/float64(g.Size), float64(g.Beta), float64(g.K)
	for o := range g.Outer {
		for c := range g.N {
			for i := range g.Inner {
				sum := 0.0
				for j := max(0, c-g.Before); j <= min(g.N-1, c+g.After); j++ {
					v := float64(x[(o*g.N+j)*g.Inner+i])
					sum += v * v
				}
				at := (o*g.N+c)*g.Inner + i
				y[at] = T(Pointwise64(g.Act, float64(x[at])/math.Pow(k+alpha*sum, beta)))
			}
		}
	}
}
