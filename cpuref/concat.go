package cpuref

import "github.com/kansu-dev/kansu/spec"

// Concat joins tensors along an axis; see spec.Concat.
func Concat[T Float](y []T, in [][]T, g spec.Concat) {
	for o := range g.Outer {
		at := o * g.Row
		for i, part := range g.Part {
			at += copy(y[at:], in[i][o*part:][:part])
		}
	}
}
