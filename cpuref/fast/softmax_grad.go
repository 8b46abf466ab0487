package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// SoftmaxGrad computes the gradient of a softmax or log softmax along the last
// axis; see spec.NewSoftmaxGrad. ok is false along another axis.
func SoftmaxGrad(dx, dy, y []float32, g spec.SoftmaxOf) (ok bool) {
	if g.Inner != 1 {
		return false
	}
	ParallelRange(g.Outer, max(1, 8192/g.N), 0.5*float64(len(y)), func(low, high int) {
		for o := low; o < high; o++ {
			d, dy, y := dx[o*g.N:][:g.N], dy[o*g.N:][:g.N], y[o*g.N:][:g.N]
			if g.Kind == spec.LogSoftmax {
				simd.ExpSum(d, y, 0)
				simd.BinAxpy.Apply(d, d, dy, float32(-simd.Sum(dy)), 0, 0, false)
			} else {
				simd.BinCenterMul.Apply(d, dy, y, float32(simd.Dot(dy, y)), 1, 0, false)
			}
		}
	})
	return true
}
