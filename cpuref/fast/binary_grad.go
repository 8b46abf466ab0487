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

// PReLUGrad computes the gradients of PReLU with a slope for each row; see
// cpuref.PReLUGrad.
func PReLUGrad(dx, dslope, dy, x, slope []float32, rows spec.Along) {
	if simd.Active() == simd.Portable {
		cpuref.PReLUGrad(dx, dslope, dy, x, slope, rows)
		return
	}
	const piece = 2048
	n, stream := rows.Inner, streams(len(x))
	sums := make([]float64, rows.Outer*rows.N)
	ParallelRange(len(sums), 1+pointwiseChunk/n, 0.8*float64(len(x)), func(low, high int) {
		var same, terms [piece]float32
		for r := low; r < high; r++ {
			splat(same[:min(n, piece)], slope[r%rows.N])
			for i := 0; i < n; i += piece {
				at, m := r*n+i, min(piece, n-i)
				d, v := dy[at:][:m], x[at:][:m]
				simd.TerGradPrelu.Apply(dx[at:][:m], d, v, same[:m], stream)
				simd.TerGradPreluSlope.Apply(terms[:m], d, v, same[:m], false)
				sums[r] += simd.Sum(terms[:m])
			}
		}
	})
	for i := range dslope {
		sum := 0.0
		for outer := range rows.Outer {
			sum += sums[outer*rows.N+i]
		}
		dslope[i] = float32(sum)
	}
}
