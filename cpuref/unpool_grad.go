package cpuref

import "github.com/kansu-dev/kansu/spec"

// UnpoolGrad computes the gradient of a max unpooling with respect to its values:
// what stands in the output at a value's index, if the value stands there too.
func UnpoolGrad[T Float](dx, dy []T, idx []int32, g spec.Unpool) {
	inSize, outSize := g.InSize(), g.OutSize()
	owner := make([]int, outSize)
	clear(dx)
	for plane := range g.Planes() {
		clear(owner)
		for i := range inSize {
			if j := int(idx[plane*inSize+i]); j >= 0 && j < outSize {
				owner[j] = i + 1
			}
		}
		for j, i := range owner {
			if i > 0 {
				dx[plane*inSize+i-1] = dy[plane*outSize+j]
			}
		}
	}
}
