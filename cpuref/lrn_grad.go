package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// LRNGrad computes the gradient of a local response normalization with respect
// to its input; see spec.NewLRNGrad.
func LRNGrad[T Float](dx, dy, x []T, g spec.LRN) {
	alpha, beta := float64(g.Alpha)/float64(g.Size), float64(g.Beta)
	power, term := make([]float64, g.N), make([]float64, g.N) // d^-beta, dy*x*d^(-beta-1)
	for o := range g.Outer {
		for i := range g.Inner {
			at := func(c int) int { return (o*g.N+c)*g.Inner + i }
			for c := range g.N {
				sum := 0.0
				for j := max(0, c-g.Before); j <= min(g.N-1, c+g.After); j++ {
					v := float64(x[at(j)])
					sum += v * v
				}
				d := float64(g.K) + alpha*sum
				power[c] = math.Pow(d, -beta)
				term[c] = float64(dy[at(c)]) * float64(x[at(c)]) / d * power[c]
			}
			for j := range g.N {
				sum := 0.0
				for c := max(0, j-g.After); c <= min(g.N-1, j+g.Before); c++ {
					sum += term[c]
				}
				dx[at(j)] = T(float64(dy[at(j)])*power[j] - 2*alpha*beta*float64(x[at(j)])*sum)
			}
		}
	}
}
