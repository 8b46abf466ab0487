package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// Moments returns the mean and the population variance of each group of x, in
// two passes; see spec.Norm. Under g.RMS the mean is 0 and the variance the
// mean of the squares. The moments of a group that holds an infinity are NaN.
func Moments[T Float](x []T, g *spec.Norm) (mean, variance []float64) {
	mean, variance = make([]float64, g.Groups), make([]float64, g.Groups)
	n := float64(g.Count)
	if !g.RMS {
		g.Runs(func(first, count, group, groupStep, _, _ int) {
			for i := range count {
				mean[group+i*groupStep] += float64(x[first+i])
			}
		})
		for i := range mean {
			mean[i] /= n
			if math.IsInf(mean[i], 0) {
				mean[i] = math.NaN() // as the deviations from it are
			}
		}
	}
	g.Runs(func(first, count, group, groupStep, _, _ int) {
		for i := range count {
			d := float64(x[first+i]) - mean[group+i*groupStep]
			variance[group+i*groupStep] += d * d
		}
	})
	for i := range variance {
		variance[i] /= n
	}
	return mean, variance
}

// MeanVariances stores the moments of x; see spec.Moments.
func MeanVariances[T Float](mean, variance, x []T, g spec.Moments) {
	m, v := Moments(x, &g.Norm)
	store(mean, m)
	store(variance, v)
}
