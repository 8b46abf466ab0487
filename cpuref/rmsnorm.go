package cpuref

import "github.com/kansu-dev/kansu/spec"

// RMSNorm computes a root-mean-square normalization; see spec.RMSNorm. scale
// and shift may be nil.
func RMSNorm[T Float](y, x, scale, shift []T, g spec.RMSNorm) {
	m, v := Moments(x, &g.Norm)
	Normalize(y, x, scale, shift, m, v, &g.Norm)
}
