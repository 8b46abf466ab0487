package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
)

// clampOf returns the bounds of an activation that is nothing but a clamp.
func clampOf(a spec.Activation) (lo, hi float32, ok bool) {
	inf := float32(math.Inf(1))
	switch a.Func {
	case spec.ReLU:
		return 0, inf, true
	case spec.ReLU6:
		return 0, 6, true
	case spec.HardTanh:
		lo, hi = a.A, a.B
		if lo != lo {
			lo = -inf
		}
		if hi != hi {
			hi = inf
		}
		return lo, hi, true
	}
	return 0, 0, false
}

// pointwise applies an activation to a piece that one goroutine handles; dst
// may be src.
func pointwise(a spec.Activation, dst, src []float32) {
	for i, v := range src {
		dst[i] = float32(cpuref.Pointwise64(a, float64(v)))
	}
}
