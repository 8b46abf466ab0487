package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// Normalize computes y from x and the mean and variance of each group; see
// spec.Norm. scale and shift are nil where g has none.
func Normalize[T Float](y, x, scale, shift []T, mean, variance []float64, g *spec.Norm) {
	inv := InvStd(variance, g)
	g.Runs(func(first, count, group, groupStep, affine, affineStep int) {
		for i := range count {
			at, a := group+i*groupStep, affine+i*affineStep
			v := (float64(x[first+i]) - mean[at]) * inv[at]
			if scale != nil {
				v *= float64(scale[a])
			}
			if shift != nil {
				v += float64(shift[a])
			}
			y[first+i] = T(Pointwise64(g.Act, v))
		}
	})
}

// InvStd returns 1/sqrt(v+eps) of each variance, or 1/(sqrt(v)+eps) where
// g.EpsOnStd is set.
func InvStd(variance []float64, g *spec.Norm) []float64 {
	inv := make([]float64, len(variance))
	for i, v := range variance {
		if g.EpsOnStd {
			inv[i] = 1 / (math.Sqrt(v) + float64(g.Eps))
		} else {
			inv[i] = 1 / math.Sqrt(v+float64(g.Eps))
		}
	}
	return inv
}

// Running returns the running statistic that follows old when value is new and
// weighs momentum.
func Running(old, value float64, momentum float32) float64 {
	return (1-float64(momentum))*old + float64(momentum)*value
}

// store copies statistics to an output, which may be absent.
func store[T Float](to []T, from []float64) {
	for i := range to {
		to[i] = T(from[i])
	}
}

func widen[T Float](v []T) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		out[i] = float64(v[i])
	}
	return out
}
