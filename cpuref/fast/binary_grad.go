package fast

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// BinaryGrad computes the gradients of a function of two arrays, element by
// element; see cpuref.BinaryGrad.
func BinaryGrad(da, db, dy, a, b []float32, g spec.BinaryGrad) {
	perElement := 2.0
	switch {
	case simd.Active() == simd.Portable:
		perElement = 60
	case g.Func == spec.Pow:
		perElement = 5
	}
	stream := streams(len(dy))
	ParallelRange(len(dy), pointwiseChunk, perElement*float64(len(dy)), func(low, high int) {
		da, db, dy, a, b := da[low:high], db[low:high], dy[low:high], a[low:high], b[low:high]
		if !binaryGradKernels(da, db, dy, a, b, g.Func, stream) {
			cpuref.BinaryGrad(da, db, dy, a, b, spec.BinaryGrad{Func: g.Func, N: len(dy)})
		}
	})
}

// binaryGradKernels reports whether the function has kernels, and has run them.
func binaryGradKernels(da, db, dy, a, b []float32, f spec.BinaryFunc, stream bool) bool {
	switch f {
	case spec.Min:
		return simd.TerGradLesser.Apply(da, dy, a, b, stream) && simd.TerGradLesser.Apply(db, dy, b, a, stream)
	case spec.Max:
		return simd.TerGradLesser.Apply(da, dy, b, a, stream) && simd.TerGradLesser.Apply(db, dy, a, b, stream)
	case spec.Div:
		if simd.Active() == simd.Portable {
			return false
		}
		simd.BinDiv.Apply(da, dy, b, 0, 0, 0, stream)
		return simd.TerGradDivisor.Apply(db, dy, a, b, stream)
	case spec.Pow:
		return simd.TerGradPowBase.Apply(da, dy, a, b, stream) && simd.TerGradPowExponent.Apply(db, dy, a, b, stream)
	case spec.PReLU:
		return simd.TerGradPrelu.Apply(da, dy, a, b, stream) && simd.TerGradPreluSlope.Apply(db, dy, a, b, stream)
	}
	return false
}
