package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// Reduce makes one number of many, over axes of a tensor; see spec.Reduce.
func Reduce[T Float](y, x []T, g spec.Reduce) {
	terms := g.Terms()
	for o := range y {
		base := stepTo(o, &g.Kept)
		acc := 0.0
		switch g.Func {
		case spec.ReduceMax:
			acc = math.Inf(-1)
		case spec.ReduceMin:
			acc = math.Inf(1)
		}
		for i := range terms {
			v := float64(x[base+stepTo(i, &g.Reduced)])
			switch g.Func {
			case spec.ReduceMax:
				acc = max(acc, v)
			case spec.ReduceMin:
				acc = min(acc, v)
			case spec.ReduceSumSquare:
				acc += v * v
			default:
				acc += v
			}
		}
		if g.Func == spec.ReduceMean {
			acc /= float64(terms)
		}
		y[o] = T(acc)
	}
}

// stepTo returns where position i of a loop over axes lies.
func stepTo(i int, axes *[spec.MaxRank]spec.StepAxis) (at int) {
	for _, axis := range axes {
		at += i % axis.Size * axis.Step
		i /= axis.Size
	}
	return at
}
