package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// binaryKernels are the functions' kernels.
var binaryKernels = map[spec.BinaryFunc]simd.Binary{
	spec.Add: simd.BinAdd, spec.Sub: simd.BinSub, spec.Mul: simd.BinMul, spec.Div: simd.BinDiv,
	spec.Min: simd.BinMin, spec.Max: simd.BinMax, spec.PReLU: simd.BinPrelu, spec.Pow: simd.BinPow,
}

// splatLength is how many copies of an operand that repeats are laid out at once.
const splatLength = 512

// Binary computes a function of two tensors with broadcasting; see spec.Binary.
// y may be one of them that has its shape, or else overlaps none.
func Binary(y, a, b []float32, g spec.Binary) {
	perElement := 0.5
	if g.Func == spec.Pow {
		if perElement = 2; simd.Active() == simd.Portable {
			perElement = 40
		}
	}
	ns := perElement * float64(len(y))
	row := binaryRow(g.Func, g.Axis[0].A == 0, g.Axis[0].B == 0, streams(len(y)) && &y[0] != &a[0] && &y[0] != &b[0])
	n := g.Axis[0].Size
	if g.Axes <= 1 {
		ParallelRange(n, pointwiseChunk, ns, func(low, high int) {
			row(y[low:high], a[low*g.Axis[0].A:], b[low*g.Axis[0].B:])
		})
		return
	}
	ParallelRange(len(y)/n, 1+pointwiseChunk/n, ns+20*float64(len(y)/n), func(low, high int) {
		for i := low; i < high; i++ {
			atA, atB := g.Offsets(i * n)
			row(y[i*n:][:n], a[atA:], b[atB:])
		}
	})
}

// binaryRow returns what computes one row of y from the operands that begin at
// its first element; one that repeats has but that.
func binaryRow(f spec.BinaryFunc, repeatA, repeatB, stream bool) func(y, a, b []float32) {
	kernel := binaryKernels[f]
	if !repeatA && !repeatB {
		return func(y, a, b []float32) { kernel.Apply(y, a, b, 0, 0, 0, stream) }
	}
	return func(y, a, b []float32) {
		if f == spec.Pow && repeatB && b[0] == 2 && !repeatA {
			simd.BinMul.Apply(y, a[:len(y)], a[:len(y)], 0, 0, 0, stream)
			return
		}
		var splatA, splatB [splatLength]float32
		n := min(len(y), splatLength)
		if repeatA {
			splat(splatA[:n], a[0])
		}
		if repeatB {
			splat(splatB[:n], b[0])
		}
		for i := 0; i < len(y); i += n {
			m := min(n, len(y)-i)
			u, v := splatA[:m], splatB[:m]
			if !repeatA {
				u = a[i:][:m]
			}
			if !repeatB {
				v = b[i:][:m]
			}
			kernel.Apply(y[i:i+m], u, v, 0, 0, 0, stream)
		}
	}
}

func splat(s []float32, v float32) {
	const block = 1024 // floats that are copied over and over
	first := s[:min(len(s), 16)]
	for i := range first {
		first[i] = v
	}
	for n := len(first); n < len(s); {
		n += copy(s[n:], s[:min(n, block)])
	}
}
