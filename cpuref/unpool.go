package cpuref

import "github.com/kansu-dev/kansu/spec"

// Unpool puts each value at its index within the output's plane and zeros
// elsewhere; see spec.Unpool. Of several values with one index the last stays;
// a value whose index is outside of the plane is left out.
func Unpool[T Float](y, x []T, idx []int32, g spec.Unpool) {
	inSize, outSize := g.InSize(), g.OutSize()
	clear(y)
	for plane := range g.Planes() {
		yp := y[plane*outSize:][:outSize]
		for i := plane * inSize; i < (plane+1)*inSize; i++ {
			if j := int(idx[i]); j >= 0 && j < outSize {
				yp[j] = x[i]
			}
		}
	}
}
