package cpuref

import "github.com/kansu-dev/kansu/spec"

// LayerNorm computes a layer normalization and, where they are not nil, the
// mean and the inverse standard deviation of each group; see spec.LayerNorm.
// scale and shift may be nil.
func LayerNorm[T Float](y, mean, invStd, x, scale, shift []T, g spec.LayerNorm) {
	m, v := Moments(x, &g.Norm)
	Normalize(y, x, scale, shift, m, v, &g.Norm)
	store(mean, m)
	store(invStd, InvStd(v, &g.Norm))
}
