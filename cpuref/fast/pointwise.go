package fast

import (
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// Pointwise sets dst = f(src), element by element; see spec.Pointwise for the
// functions and spec.Activation.Budget for their errors. dst and src have the
// same length; dst may be src, or else does not overlap it.
func Pointwise(f spec.Activation, dst, src []float32) {
	n := len(src)
	perElement := 1.0
	if simd.Active() == simd.Portable {
		perElement = 15
	}
	stream := streamsOne(n) && &dst[0] != &src[0]
	ParallelRange(n, pointwiseChunk, perElement*float64(n), func(low, high int) {
		pointwiseRange(f, dst[low:high], src[low:high], stream)
	})
}

// pointwiseChunk is how many elements one task of a parallel loop over elements
// handles. It is a multiple of a page, so that chunks stay as aligned as the
// whole.
const pointwiseChunk = 1 << 15

// From streamFrom floats on a destination that is written beside two sources will
// not stay in the cache until it is read again, so that stores had better bypass
// it. Beside one source that may be so only from streamOneFrom on: measured where the
// cache is huge, and bounded by a quarter of a smaller one.
const streamFrom = 4 << 20

var streamOneFrom = max(streamFrom, min(2*streamFrom, lastCache()/16))

func streams(n int) bool { return n >= streamFrom }

// streamsOne is streams for a pass over one source.
func streamsOne(n int) bool { return n >= streamOneFrom }

// lastCache returns the size of the last cache before memory, in bytes, 0 where the
// system does not say.
func lastCache() int {
	text, err := os.ReadFile("/sys/devices/system/cpu/cpu0/cache/index3/size") // Linux: "32768K"
	if err != nil {
		return 0
	}
	kib, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(string(text)), "K"))
	if err != nil {
		return 0
	}
	return kib << 10
}

// pointwise applies an activation on the calling goroutine; dst may be src.
func pointwise(f spec.Activation, dst, src []float32) { pointwiseRange(f, dst, src, false) }

func pointwiseRange(f spec.Activation, dst, src []float32, stream bool) {
	dst = dst[:len(src)]
	if f.Func == spec.Identity {
		copy(dst, src)
		return
	}
	if p, ok := partialOf(f.Func); ok {
		for len(src) > 0 {
			done := p.Apply(dst, src)
			if done < 0 {
				break
			}
			// What the kernel cannot do stands within the next vector.
			rest := min(len(src), done+16)
			cpuref.Pointwise32(f, dst[done:rest], src[done:rest])
			dst, src = dst[rest:], src[rest:]
		}
	} else if u, a, b, ok := unaryOf(f); ok && u.Apply(dst, src, a, b, 0, stream) {
		return
	}
	cpuref.Pointwise32(f, dst, src)
}

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

// clampOrAll returns the bounds of an activation that is a clamp, or infinite
// ones, and what remains to be applied after clamping.
func clampOrAll(a spec.Activation) (lo, hi float32, rest spec.Activation) {
	if lo, hi, ok := clampOf(a); ok {
		return lo, hi, spec.Activation{}
	}
	return float32(math.Inf(-1)), float32(math.Inf(1)), a
}

// The constants of SELU (Klambauer et al., 2017).
const (
	seluScale = 1.0507009873554804934193349852946
	seluAlpha = 1.6732632423543772848170429916717
)

// unaryOf returns the kernel of a function and its parameters.
func unaryOf(f spec.Activation) (u simd.Unary, a, b float32, ok bool) {
	if lo, hi, ok := clampOf(f); ok {
		return simd.Clamp, lo, hi, true
	}
	a, b = f.A, f.B
	switch f.Func {
	case spec.LeakyReLU:
		u = simd.Leaky
	case spec.ELU:
		u = simd.Elu
	case spec.SELU:
		return simd.Selu, seluScale, seluScale * seluAlpha, true
	case spec.CELU:
		u = simd.Celu
	case spec.GELU:
		u = simd.Gelu
	case spec.GELUTanh:
		u = simd.GeluTanh
	case spec.SiLU:
		u = simd.Silu
	case spec.Swish:
		switch u = simd.Swish; a {
		case 0: // x/2 for infinite x too, which the kernel's 0*x would not give
			return simd.Affine, 0.5, 0, true
		case 1:
			u = simd.Silu
		}
	case spec.Mish:
		u = simd.Mish
	case spec.Sigmoid:
		u = simd.Sigmoid
	case spec.LogSigmoid:
		u = simd.LogSigmoid
	case spec.Tanh:
		u = simd.Tanh
	case spec.TanhShrink:
		u = simd.TanhShrink
	case spec.Softplus:
		if a == 1 {
			return simd.Softplus, b, 0, true
		}
		return simd.SoftplusA, b, a, true
	case spec.Softsign:
		u = simd.Softsign
	case spec.HardSigmoid:
		u = simd.HardSigmoid
	case spec.HardSwish:
		u = simd.HardSwish
	case spec.HardShrink:
		u = simd.HardShrink
	case spec.SoftShrink:
		return simd.Shrink, a, a, true
	case spec.Shrink:
		u = simd.Shrink
	case spec.Threshold:
		u = simd.Threshold
	case spec.Affine:
		u = simd.Affine
	case spec.Exp:
		u = simd.Exp
	case spec.Exp2:
		u = simd.Exp2
	case spec.Expm1:
		u = simd.Expm1
	case spec.Log:
		u = simd.Log
	case spec.Log2:
		u = simd.Log2
	case spec.Log1p:
		u = simd.Log1p
	case spec.Abs:
		u = simd.Abs
	case spec.Square:
		u = simd.Square
	case spec.Sqrt:
		u = simd.Sqrt
	case spec.Rsqrt:
		u = simd.Rsqrt
	case spec.Reciprocal:
		u = simd.Reciprocal
	case spec.Erf:
		u = simd.Erf
	case spec.Neg:
		u = simd.Neg
	case spec.Sign:
		u = simd.Sign
	case spec.Floor:
		u = simd.Floor
	case spec.Ceil:
		u = simd.Ceil
	case spec.Round:
		u = simd.Round
	default:
		return 0, 0, 0, false
	}
	return u, a, b, true
}

func partialOf(f spec.Pointwise) (simd.Partial, bool) {
	switch f {
	case spec.Sin:
		return simd.Sin, true
	case spec.Cos:
		return simd.Cos, true
	case spec.Tan:
		return simd.Tan, true
	}
	return 0, false
}
