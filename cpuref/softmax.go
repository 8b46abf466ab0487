package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// Softmax computes softmax, log softmax or hardmax along an axis; see
// spec.SoftmaxOf.
func Softmax[T Float](y, x []T, g spec.SoftmaxOf) {
	for o := range g.Outer {
		for i := range g.Inner {
			base := o*g.N*g.Inner + i
			top := 0 // the first maximum; a NaN is above everything
			for j := 1; j < g.N; j++ {
				v, most := float64(x[base+j*g.Inner]), float64(x[base+top*g.Inner])
				if v > most || v != v && most == most {
					top = j
				}
			}
			most := float64(x[base+top*g.Inner])
			if g.Kind == spec.Hardmax {
				for j := range g.N {
					y[base+j*g.Inner] = 0
				}
				y[base+top*g.Inner] = 1
				continue
			}
			rest := 0.0 // the sum without its largest term, which is 1
			for j := range g.N {
				if j != top {
					rest += math.Exp(float64(x[base+j*g.Inner]) - most)
				}
			}
			if math.IsInf(most, 0) {
				rest = math.NaN()
			}
			for j := range g.N {
				d := float64(x[base+j*g.Inner]) - most
				if g.Kind == spec.LogSoftmax {
					y[base+j*g.Inner] = T(d - math.Log1p(rest))
				} else {
					y[base+j*g.Inner] = T(math.Exp(d) / (1 + rest))
				}
			}
		}
	}
}
