package cpuref

import "github.com/kansu-dev/kansu/spec"

// GroupNorm computes a group normalization; see spec.GroupNorm. scale and shift
// may be nil.
func GroupNorm[T Float](y, x, scale, shift []T, g spec.GroupNorm) {
	m, v := Moments(x, &g.Norm)
	Normalize(y, x, scale, shift, m, v, &g.Norm)
}
