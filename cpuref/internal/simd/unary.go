package simd

import "unsafe"

// Unary is a function of one float32 that has a kernel. Some have parameters,
// a and b; the formulas stand at the kernels' declarations.
type Unary uint8

// The functions with kernels that handle every argument. Errors are below 4
// ULP for Exp, Exp2, Sigmoid, Tanh, Silu, Swish, Softplus, SoftplusA, Log and
// Log2, below 8 ULP for the other transcendental ones, at most 1 for the rest.
const (
	Exp Unary = iota
	Exp2
	Expm1
	Elu  // slope a
	Selu // a*x above 0, b*(e^x-1) below
	Celu // a
	Log
	Log2
	Log1p
	Sigmoid
	Silu
	Swish // x*sigmoid(a*x)
	Mish
	Tanh
	TanhShrink
	Softplus  // threshold a
	SoftplusA // threshold a, slope b
	LogSigmoid
	Gelu
	GeluTanh
	Erf
	Clamp       // to [a, b]; NaN stays
	Leaky       // slope a
	Affine      // a*x + b
	HardSigmoid // clamps a*x + b
	HardSwish
	HardShrink // threshold a
	Shrink     // threshold a, bias b
	Threshold  // threshold a, value b
	Softsign
	Abs
	Neg
	Square
	Sqrt
	Rsqrt
	Reciprocal
	Sign
	Floor
	Ceil
	Round
	Equals  // x = a ? b : 0
	Center  // (x-a)*b + c
	DivBy   // x/a
	DivInto // a/x
	Maximum // max(x, a), NaN where either is
	Minimum // min(x, a), likewise
)

// Partial is a function whose kernel stops before arguments that it cannot
// handle: |x| > 2^17, infinities among them.
type Partial uint8

// The functions with partial kernels.
const (
	Sin Partial = iota
	Cos
	Tan
)

type (
	unaryFunc   = func(dst, src *float32, n int, a, b, c float32, nt bool)
	binaryFunc  = func(dst, x, y *float32, n int, a, b, c float32, nt bool)
	ternaryFunc = func(dst, x, y, z *float32, n int, a, b, c float32, nt bool)
	partialFunc = func(dst, src *float32, n int, a, b, c float32, nt bool) int

	partialGradFunc = func(dst, x, dy *float32, n int, a, b, c float32, nt bool) int
)

// maxCall bounds how many elements one call of a kernel handles: assembly
// cannot be preempted, and the collector should not wait for it.
const maxCall = 1 << 15

// Apply sets dst = f(src), which have the same length and are the same or do not
// overlap, and reports whether the active level has kernels at all. stream asks
// for stores that bypass the cache, for destinations larger than it.
func (f Unary) Apply(dst, src []float32, a, b, c float32, stream bool) bool {
	kernel := unaryKernel(f)
	if kernel == nil {
		return false
	}
	n := len(src)
	if n == 0 {
		return true
	}
	dst = dst[:n]
	for i := 0; i < n; {
		m, nt := piece(dst[i:], stream)
		kernel(&dst[i], &src[i], m, a, b, c, nt)
		i += m
	}
	return true
}

// piece returns how many elements the next call of a kernel handles, and
// whether it bypasses the cache.
func piece(dst []float32, stream bool) (n int, nt bool) {
	n = min(len(dst), maxCall)
	if stream {
		return streamable(&dst[0], n)
	}
	return n, false
}

// streamable returns how many of n elements at dst to handle next, and whether
// to bypass the cache: whole vectors once dst is aligned to a cache line, after
// the few elements before that.
func streamable(dst *float32, n int) (int, bool) {
	if off := int(uintptr(unsafe.Pointer(dst)) & 63); off != 0 {
		return min(n, (64-off)/4), false
	}
	if n < 16 {
		return n, false
	}
	return n &^ 15, true
}

// Apply is Unary.Apply for partial kernels: it returns how many elements it has
// done before one, within the next Lanes, that it cannot handle; -1 where the
// level has no kernels.
func (f Partial) Apply(dst, src []float32) int {
	kernel := partialKernel(f)
	if kernel == nil {
		return -1
	}
	n := len(src)
	dst = dst[:n]
	for i := 0; i < n; {
		c := min(n-i, maxCall)
		if done := kernel(&dst[i], &src[i], c, 0, 0, 0, false); done < c {
			return i + done
		}
		i += c
	}
	return n
}
