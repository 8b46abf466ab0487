package cpuref

import "github.com/kansu-dev/kansu/spec"

// UpsampleGrad computes one pass of the gradient of a resampling; see
// spec.UpsampleGrad.
func UpsampleGrad[T Float](dx, dy []T, g spec.UpsampleGrad) {
	for outer := range g.Outer {
		for i := range g.In {
			for inner := range g.Inner {
				sum := 0.0
				for e := g.Start[i]; e < g.Start[i+1]; e++ {
					sum += float64(g.Weight[e]) * float64(dy[(outer*g.Out+int(g.From[e]))*g.Inner+inner])
				}
				dx[(outer*g.In+i)*g.Inner+inner] = T(sum)
			}
		}
	}
}
