package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// Pointwise64 is replaced when the pointwise functions land.
func Pointwise64(a spec.Activation, x float64) float64 {
	switch a.Func {
	case spec.ReLU:
		return math.Max(0, x)
	case spec.Sigmoid:
		return 1 / (1 + math.Exp(-x))
	case spec.Tanh:
		return math.Tanh(x)
	}
	return x
}
