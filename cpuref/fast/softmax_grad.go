package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// SoftmaxGrad computes the gradient of a softmax or log softmax; see
// spec.NewSoftmaxGrad. Few columns are made into rows, and back.
func SoftmaxGrad(dx, dy, y []float32, g spec.SoftmaxOf) {
	ns := 0.5 * float64(len(y))
	if simd.Active() == simd.Portable {
		ns *= 30
	}
	if g.Inner == 1 {
		ParallelRange(g.Outer, max(1, 8192/g.N), ns, func(low, high int) {
			for o := low; o < high; o++ {
				softmaxGradRow(dx[o*g.N:][:g.N], dy[o*g.N:][:g.N], y[o*g.N:][:g.N], g.Kind)
			}
		})
		return
	}
	if g.Inner >= wideColumns {
		softmaxGradColumns(dx, dy, y, &g)
		return
	}
	const cols = 16
	strips := (g.Inner + cols - 1) / cols
	ParallelRange(g.Outer*strips, max(1, 8192/(g.N*cols)), 2*ns, func(low, high int) {
		t := getScratch(2 * cols * g.N)
		defer putScratch(t)
		ty, td := t[:cols*g.N], t[cols*g.N:]
		for i := low; i < high; i++ {
			c := i % strips * cols
			n := min(cols, g.Inner-c)
			base := i/strips*g.N*g.Inner + c
			transposeRows(ty, y[base:], g.N, g.Inner, n, g.N, g.N)
			transposeRows(td, dy[base:], g.N, g.Inner, n, g.N, g.N)
			for k := range n {
				row := ty[k*g.N:][:g.N]
				softmaxGradRow(row, td[k*g.N:][:g.N], row, g.Kind)
			}
			transposeRows(dx[base:], ty, g.Inner, g.N, g.N, n, n)
		}
	})
}

// softmaxGradRow handles one slice along the axis; d may be y.
func softmaxGradRow(d, dy, y []float32, kind spec.SoftmaxKind) {
	if kind == spec.LogSoftmax {
		simd.ExpSum(d, y, 0)
		simd.BinAxpy.Apply(d, d, dy, float32(-simd.Sum(dy)), 0, 0, false)
	} else {
		simd.BinCenterMul.Apply(d, dy, y, float32(simd.Dot(dy, y)), 1, 0, false)
	}
}
