package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// PointwiseGrad sets dx = dy*f'(x), element by element; see
// cpuref.PointwiseDerivative64 for the derivatives and
// spec.Activation.GradBudget for their errors. All have the same length and do
// not overlap.
func PointwiseGrad(dx, dy, x []float32, f spec.Activation) {
	n := len(x)
	g, ok := gradOf(f)
	s, product := slopes[f.Func]
	p, partial := partialGrads[f.Func]
	perElement := 1.0
	switch {
	case simd.Active() == simd.Portable || !ok && !product && !partial:
		perElement = 25
	case product:
		perElement = 1.5
	}
	stream := streams(n)
	ParallelRange(n, pointwiseChunk, perElement*float64(n), func(low, high int) {
		dx, dy, x := dx[low:high], dy[low:high], x[low:high]
		if ok && g.kernel.Apply(dx, dy, x, g.a, g.b, g.c, stream) {
			return
		}
		if partial && trigGrad(p, dx, dy, x, f, stream) {
			return
		}
		if product {
			s.multiply(dx, dy, x, stream)
			return
		}
		cpuref.PointwiseGrad(dx, dy, x, f)
	})
}

// partialGrads holds the gradients whose kernels leave large arguments alone.
var partialGrads = map[spec.Pointwise]simd.PartialGrad{
	spec.Sin: simd.GradSin, spec.Cos: simd.GradCos, spec.Tan: simd.GradTan,
}

// trigGrad runs a partial kernel, and the plain loop over what that leaves. It
// reports whether there are kernels.
func trigGrad(p simd.PartialGrad, dx, dy, x []float32, f spec.Activation, stream bool) bool {
	for len(x) > 0 {
		done := p.Apply(dx, dy, x, stream)
		if done < 0 {
			return false
		}
		rest := min(len(x), done+16) // what the kernel cannot do stands within the next vector
		cpuref.PointwiseGrad(dx[done:rest], dy[done:rest], x[done:rest], f)
		dx, dy, x = dx[rest:], dy[rest:], x[rest:]
	}
	return true
}

// slope is a derivative that is a function of its own, times a factor.
type slope struct {
	of     spec.Pointwise
	factor float32
}

var slopes = map[spec.Pointwise]slope{
	spec.Sin: {spec.Cos, 1}, spec.Cos: {spec.Sin, -1}, // in portable Go
	spec.Sinh: {spec.Cosh, 1}, spec.Cosh: {spec.Sinh, 1}, spec.Exp2: {spec.Exp2, math.Ln2},
}

// multiply sets dx = dy times the slope at x, piece by piece within the first cache.
func (s slope) multiply(dx, dy, x []float32, stream bool) {
	var piece [2048]float32
	for len(x) > 0 {
		n := min(len(x), len(piece))
		d := piece[:n]
		pointwise(spec.Activation{Func: s.of}, d, x[:n])
		if s.factor != 1 {
			scale(d, d, s.factor)
		}
		simd.BinMul.Apply(dx[:n], dy[:n], d, 0, 0, 0, stream)
		dx, dy, x = dx[n:], dy[n:], x[n:]
	}
}

// gradKernel is a kernel and its parameters.
type gradKernel struct {
	kernel  simd.Grad
	a, b, c float32
}

// gradOf returns the kernel of a function's gradient.
func gradOf(f spec.Activation) (k gradKernel, ok bool) {
	a, b := f.A, f.B
	constant := func(d float32) gradKernel { return gradKernel{simd.GradStep, 0, d, d} }
	switch f.Func {
	case spec.Identity:
		return constant(1), true
	case spec.ReLU:
		return gradKernel{simd.GradStep, 0, 1, 0}, true
	case spec.LeakyReLU:
		return gradKernel{simd.GradStep, 0, 1, a}, true
	case spec.Threshold:
		return gradKernel{simd.GradStep, a, 1, 0}, true
	case spec.Affine:
		return constant(a), true
	case spec.Neg:
		return constant(-1), true
	case spec.Sign, spec.Floor, spec.Ceil, spec.Round:
		return constant(0), true
	case spec.ReLU6:
		return gradKernel{simd.GradBand, 0, 6, 1}, true
	case spec.HardTanh:
		return gradKernel{simd.GradBand, a, b, 1}, true
	case spec.HardSigmoid:
		// a*x+b < 1 is a*x + (b-1) < 0, of which the sign is certain, where b-1 is.
		return gradKernel{simd.GradLine, a, b, b - 1}, float64(b)-1 == float64(b-1)
	case spec.HardSwish:
		return gradKernel{kernel: simd.GradHardSwish}, true
	case spec.HardShrink, spec.SoftShrink, spec.Shrink:
		return gradKernel{kernel: simd.GradShrink, a: a}, true
	case spec.Abs:
		return gradKernel{kernel: simd.GradAbs}, true
	}
	return smoothGradOf(f)
}

// smoothGradOf is the rest of gradOf.
func smoothGradOf(f spec.Activation) (k gradKernel, ok bool) {
	a, b, inf := f.A, f.B, float32(math.Inf(1))
	switch f.Func {
	case spec.ELU:
		return gradKernel{simd.GradElu, a, 1, 0}, true
	case spec.SELU:
		return gradKernel{simd.GradElu, seluScale * seluAlpha, seluScale, 0}, true
	case spec.CELU:
		return gradKernel{kernel: simd.GradCelu, a: a}, true
	case spec.Sigmoid:
		return gradKernel{simd.GradLogistic, 1, 1, 0}, true
	case spec.Tanh:
		return gradKernel{simd.GradLogistic, 2, 4, 0}, true
	case spec.LogSigmoid:
		return gradKernel{simd.GradSigmoid, -1, inf, 0}, true
	case spec.Softplus:
		return gradKernel{simd.GradSigmoid, a, b, 0}, true
	case spec.SiLU:
		return gradKernel{kernel: simd.GradSwish, a: 1}, true
	case spec.Swish:
		if a == 0 { // 1/2 at infinities too
			return gradKernel{simd.GradStep, 0, 0.5, 0.5}, true
		}
		return gradKernel{kernel: simd.GradSwish, a: a}, true
	case spec.Mish:
		return gradKernel{kernel: simd.GradMish}, true
	case spec.TanhShrink:
		return gradKernel{kernel: simd.GradTanhShrink}, true
	case spec.GELU:
		return gradKernel{kernel: simd.GradGelu}, true
	case spec.GELUTanh:
		return gradKernel{kernel: simd.GradGeluTanh}, true
	case spec.Softsign:
		return gradKernel{kernel: simd.GradSoftsign}, true
	case spec.Erf:
		return gradKernel{kernel: simd.GradErf}, true
	case spec.Square:
		return gradKernel{kernel: simd.GradScale, a: 2}, true
	case spec.Exp, spec.Expm1:
		return gradKernel{kernel: simd.GradExp, a: 1}, true
	case spec.Log:
		return gradKernel{simd.GradOver, 1, float32(math.Copysign(0, -1)), 0}, true // -0 + -0 is -0
	case spec.Log2:
		return gradKernel{simd.GradOver, 1 / math.Ln2, float32(math.Copysign(0, -1)), 0}, true
	case spec.Log1p:
		return gradKernel{simd.GradOver, 1, 1, 0}, true
	case spec.Sqrt:
		return gradKernel{kernel: simd.GradSqrt}, true
	case spec.Rsqrt:
		return gradKernel{kernel: simd.GradRsqrt}, true
	case spec.Reciprocal:
		return gradKernel{kernel: simd.GradReciprocal}, true
	}
	return gradKernel{}, false
}
