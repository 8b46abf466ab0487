package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// Binary64 computes a function of two numbers; see spec.BinaryFunc.
func Binary64(f spec.BinaryFunc, a, b float64) float64 {
	switch f {
	case spec.Add:
		return a + b
	case spec.Sub:
		return a - b
	case spec.Mul:
		return a * b
	case spec.Div:
		return a / b
	case spec.Min:
		return min(a, b)
	case spec.Max:
		return max(a, b)
	case spec.Pow:
		return math.Pow(a, b)
	case spec.PReLU:
		if a >= 0 {
			return a
		}
		return a * b
	}
	return math.NaN()
}

// Binary computes a function of two tensors with broadcasting; see spec.Binary.
func Binary[T Float](y, a, b []T, g spec.Binary) {
	for i := range y {
		at, bt := g.Offsets(i)
		y[i] = T(Binary64(g.Func, float64(a[at]), float64(b[bt])))
	}
}
