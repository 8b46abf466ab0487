package fast

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// Loss computes the loss of every element; see cpuref.Loss.
func Loss(y, x, t []float32, g spec.Elementwise) {
	pieces(len(y), 1, func(low, high int) {
		y, x, t := y[low:high], x[low:high], t[low:high]
		if simd.Active() == simd.Portable {
			cpuref.Loss(y, x, t, g)
			return
		}
		if g.Loss == spec.BCEWithLogits { // softplus(x) - x*t
			buf := getScratch(elementPiece)
			defer putScratch(buf)
			m := buf[:len(y)]
			simd.BinMul.Apply(m, x, t, 0, 0, 0, false)
			pointwise(spec.Softplus.Default(), y, x)
			simd.BinSub.Apply(y, y, m, 0, 0, 0, false)
			return
		}
		simd.BinSub.Apply(y, x, t, 0, 0, 0, false)
		switch g.Loss {
		case spec.MSE:
			simd.Square.Apply(y, y, 0, 0, 0, false)
		case spec.L1:
			simd.Abs.Apply(y, y, 0, 0, 0, false)
		case spec.SmoothL1: // with d = |x-t| and m = min(d, beta): m/beta * (d - m/2)
			buf := getScratch(elementPiece)
			defer putScratch(buf)
			m := buf[:len(y)]
			simd.Abs.Apply(y, y, 0, 0, 0, false)
			simd.Minimum.Apply(m, y, g.Beta, 0, 0, false)
			simd.BinAxpy.Apply(y, m, y, -0.5, 0, 0, false)
			simd.DivBy.Apply(m, m, g.Beta, 0, 0, false)
			simd.BinMul.Apply(y, y, m, 0, 0, 0, false)
		}
	})
}

// LossGrad computes the gradient of a loss; see cpuref.LossGrad.
func LossGrad(dx, dy, x, t []float32, g spec.Elementwise) {
	each := len(dy) > 1
	factor := float64(g.Scale())
	if !each {
		factor *= float64(dy[0])
	}
	if g.Loss == spec.MSE {
		factor *= 2
	}
	f := float32(factor)
	// A product of factors that is no ordinary number may have an ordinary one
	// with the slope.
	ordinary := f == 0 || f >= 0x1p-100 && f <= 0x1p100 || f <= -0x1p-100 && f >= -0x1p100
	pieces(len(dx), 1, func(low, high int) {
		dx, x, t, d := dx[low:high], x[low:high], t[low:high], dy
		if each {
			d = dy[low:high]
		}
		if simd.Active() == simd.Portable || !ordinary {
			if each && len(d) == 1 {
				d = []float32{d[0], d[0]} // one for each, not one in all
			}
			cpuref.LossGrad(dx, d, x, t, g)
			return
		}
		if g.Loss == spec.BCEWithLogits {
			pointwise(spec.Sigmoid.Default(), dx, x)
			simd.BinSub.Apply(dx, dx, t, 0, 0, 0, false)
		} else {
			simd.BinSub.Apply(dx, x, t, 0, 0, 0, false)
		}
		switch g.Loss {
		case spec.L1:
			simd.Sign.Apply(dx, dx, 0, 0, 0, false)
		case spec.SmoothL1:
			simd.DivBy.Apply(dx, dx, g.Beta, 0, 0, false)
			simd.Clamp.Apply(dx, dx, -1, 1, 0, false)
		}
		if each {
			simd.BinMul.Apply(dx, dx, d, 0, 0, 0, false)
		}
		simd.Affine.Apply(dx, dx, f, 0, 0, false)
	})
}
