package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// SoftmaxGrad computes the gradient of a softmax or log softmax with respect to
// its input from that of its output y; see spec.NewSoftmaxGrad.
func SoftmaxGrad[T Float](dx, dy, y []T, g spec.SoftmaxOf) {
	for o := range g.Outer {
		for i := range g.Inner {
			base := o*g.N*g.Inner + i
			sum := 0.0
			for j := range g.N {
				at := base + j*g.Inner
				if g.Kind == spec.LogSoftmax {
					sum += float64(dy[at])
				} else {
					sum += float64(dy[at]) * float64(y[at])
				}
			}
			for j := range g.N {
				at := base + j*g.Inner
				if g.Kind == spec.LogSoftmax {
					dx[at] = T(float64(dy[at]) - math.Exp(float64(y[at]))*sum)
				} else {
					dx[at] = T(float64(y[at]) * (float64(dy[at]) - sum))
				}
			}
		}
	}
}
