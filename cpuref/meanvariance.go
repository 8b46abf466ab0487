package cpuref

import "github.com/kansu-dev/kansu/spec"

// MeanVariance computes a mean-variance normalization; see spec.MeanVariance.
func MeanVariance[T Float](y, x []T, g spec.MeanVariance) {
	m, v := Moments(x, &g.Norm)
	Normalize(y, x, nil, nil, m, v, &g.Norm)
}
