package cpuref

import "github.com/kansu-dev/kansu/spec"

// ReduceGrad is the gradient of a greatest or least value y of x over axes: that
// of each output is shared evenly among the elements that equal it, and goes as
// NaN to all of them where it is NaN, which equals nothing. That is PyTorch's
// gradient of amax and amin.
func ReduceGrad[T Float](dx, dy, x, y []T, g spec.Reduce) {
	terms := g.Terms()
	for o, v := range y {
		base := stepTo(o, &g.Kept)
		count := 0
		for i := range terms {
			if x[base+stepTo(i, &g.Reduced)] == v {
				count++
			}
		}
		share := T(float64(dy[o]) / float64(count))
		if count == 0 {
			share = v // NaN
		}
		for i := range terms {
			at := base + stepTo(i, &g.Reduced)
			if dx[at] = 0; x[at] == v || count == 0 {
				dx[at] = share
			}
		}
	}
}
