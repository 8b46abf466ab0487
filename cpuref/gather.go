package cpuref

import "github.com/kansu-dev/kansu/spec"

// Gather copies elements in another order; see spec.Gather.
func Gather[T Float](y, x []T, g spec.Gather) {
	for i := range y {
		y[i] = x[g.Offset(i)]
	}
}
