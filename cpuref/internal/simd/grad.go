package simd

// Grad is the gradient dst = dy*d of a function of one float32; the derivatives d
// stand at the kernels' declarations, and here those with parameters. Where x is
// NaN, so is d.
type Grad uint8

// The gradients that have kernels. Errors of d are a few units of 2^-24, or ULP
// where d is above 1.
const (
	GradStep       Grad = iota // x > a ? b : c
	GradBand                   // a < x < b ? c : 0; a NaN bound holds nothing back
	GradLine                   // a*x+b > 0 and a*x+c < 0 ? a : 0
	GradHardSwish              // that of HardSwish
	GradShrink                 // |x| > a ? 1 : 0
	GradAbs                    // the sign of x
	GradElu                    // x > 0 ? b : a*e^x
	GradCelu                   // x > 0 ? 1 : e^(x/a)
	GradLogistic               // b times the derivative of the sigmoid at a*x
	GradSigmoid                // a*x > b ? 1 : the sigmoid of a*x
	GradSwish                  // that of z*sigmoid(z) at z = a*x
	GradMish                   // that of Mish
	GradTanhShrink             // tanh(x)^2
	GradGelu                   // that of Gelu
	GradGeluTanh               // that of GeluTanh
	GradSoftsign               // 1/(1+|x|)^2
	GradErf                    // that of Erf
	GradScale                  // a*x
	GradExp                    // a*e^x
	GradOver                   // a/(x+b), NaN below -b
	GradSqrt                   // that of Sqrt
	GradRsqrt                  // that of Rsqrt
	GradReciprocal             // that of Reciprocal
)

// Apply sets dst = dy*d(x) and reports whether the active level has kernels at
// all. All have the length of dst, which is not x or dy unless it is the whole of
// it. For stream see Unary.Apply.
func (f Grad) Apply(dst, dy, x []float32, a, b, c float32, stream bool) bool {
	kernel := gradKernel(f)
	if kernel == nil {
		return false
	}
	n := len(dst)
	dy, x = dy[:n], x[:n]
	for i := 0; i < n; {
		m, nt := piece(dst[i:], stream)
		kernel(&dst[i], &dy[i], &x[i], m, a, b, c, nt)
		i += m
	}
	return true
}

// PartialGrad is a gradient whose kernel stops before arguments that it cannot
// handle: |x| > 2^17, infinities among them.
type PartialGrad uint8

// The gradients with partial kernels.
const (
	GradSin PartialGrad = iota
	GradCos
	GradTan
)

// Apply is Grad.Apply for partial kernels: it returns how many elements it has done
// before one, within the next 16, that it cannot handle; -1 where the level has no
// kernels.
func (f PartialGrad) Apply(dst, dy, x []float32, stream bool) int {
	kernel := partialGradKernel(f)
	if kernel == nil {
		return -1
	}
	n := len(dst)
	dy, x = dy[:n], x[:n]
	for i := 0; i < n; {
		m, nt := piece(dst[i:], stream)
		if done := kernel(&dst[i], &x[i], &dy[i], m, 0, 0, 0, nt); done < m {
			return i + done
		}
		i += m
	}
	return n
}

// GradTernary is a part of the gradient of a function of two arrays.
type GradTernary uint8

// The parts of gradients of functions of two arrays.
const (
	TerGradLesser      GradTernary = iota // x < y ? dy : x = y ? dy/2 : dy*0
	TerGradEqual                          // x = y ? dy : 0
	TerGradPrelu                          // x > 0 ? dy : dy*y
	TerGradPreluSlope                     // x > 0 ? dy*0 : dy*x
	TerGradPowBase                        // y = 0 ? dy*0 : dy*y*x^(y-1)
	TerGradPowExponent                    // x = 0 and y >= 0 ? dy*0 : dy*x^y*ln(x)
	TerGradDivisor                        // -dy*x/y^2
)

// Apply sets dst = f(dy, x, y) and reports whether the active level has kernels at
// all. All have the length of dst and do not overlap it.
func (f GradTernary) Apply(dst, dy, x, y []float32, stream bool) bool {
	kernel := gradTernaryKernel(f)
	if kernel == nil {
		return false
	}
	n := len(dst)
	dy, x, y = dy[:n], x[:n], y[:n]
	for i := 0; i < n; {
		m, nt := piece(dst[i:], stream)
		kernel(&dst[i], &dy[i], &x[i], &y[i], m, 0, 0, 0, nt)
		i += m
	}
	return true
}

// RepeatPairs sets dst[2*i] and dst[2*i+1] to a*src[i]; dst has twice the length of
// src and does not overlap it.
func RepeatPairs(dst, src []float32, a float32) {
	if len(src) == 0 {
		return
	}
	dst = dst[:2*len(src)]
	done := repeatPairs(&dst[0], &src[0], len(src), a)
	for i, v := range src[done:] {
		dst[2*(done+i)], dst[2*(done+i)+1] = a*v, a*v
	}
}
