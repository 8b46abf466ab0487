package spec

import (
	"fmt"
	"math"
)

// Budget is how far a float32 result may lie from the exact one. A result
// got is within the budget of the float64 value want when
//
//	|got - want| <= max(ULP*ulp32(want), Abs, Scaled*2^-24*magnitude)
//
// where ulp32 is the spacing of float32 at want (see ULP32) and magnitude is
// the sum of the |a*b| that formed the element: for a sum of products the
// error that rounding cannot avoid grows with it, not with the result, which
// may have cancelled. A term that is zero plays no part; the zero Budget asks
// for the exact value.
type Budget struct {
	ULP    float64 // in units of the last place of the exact result
	Abs    float64 // absolute, for a zero crossing where a ULP is hopelessly small
	Scaled float64 // in units of 2^-24 times the magnitude
}

// String gives the terms that are in use: "4 ulp", "1 ulp | abs 2.4e-07".
func (b Budget) String() string {
	s := fmt.Sprintf("%.4g ulp", b.ULP)
	if b.Abs != 0 {
		s += fmt.Sprintf(" | abs %.2g", b.Abs)
	}
	if b.Scaled != 0 {
		s += fmt.Sprintf(" | scaled %.4g", b.Scaled)
	}
	return s
}

const (
	minNormal32  = 0x1p-126          // the least float32 that is not subnormal
	overflow32   = 0x1p128 - 0x1p103 // from here on a value rounds to an infinity
	unit32       = 0x1p-24           // the unit roundoff of float32
	leastSpacing = 0x1p-149          // the spacing of the subnormal float32s
	mostSpacing  = 0x1p104           // the spacing of the largest ones
)

// ULP32 returns the spacing of float32 at |v|: 2^(floor(log2|v|)-23), not less
// than the spacing of the subnormals, 2^-149, nor more than that of the
// largest finite values, 2^104 (also for infinities and NaN).
func ULP32(v float64) float64 {
	v = math.Abs(v)
	if !(v < 0x1p128) {
		return mostSpacing
	}
	if v < minNormal32 {
		return leastSpacing
	}
	_, e := math.Frexp(v) // v = f * 2^e, f in [1/2, 1)
	return math.Ldexp(1, e-24)
}

// ULPDistance returns |got - want| in units of ULP32(want): 0 where both are
// NaN or the same infinity, +Inf where only one of them is NaN or infinite. A
// want that float32 cannot hold counts as the infinity it rounds to when got
// is that infinity.
func ULPDistance(got float32, want float64) float64 {
	return distance(got, want) / ULP32(want)
}

// distance is |got - want|, with NaN and the infinities settled.
func distance(got float32, want float64) float64 {
	g := float64(got)
	switch {
	case math.IsNaN(g) || math.IsNaN(want):
		if math.IsNaN(g) && math.IsNaN(want) {
			return 0
		}
		return math.Inf(1)
	case math.IsInf(g, 0) && g*want > 0:
		// An infinity stands for every value that rounds to it; for one just
		// below it is as far as the next float32 would have been.
		return math.Max(0, overflow32-math.Abs(want))
	}
	return math.Abs(g - want) // +Inf where only one is infinite
}

// tolerance is the right-hand side of the budget's inequality.
func (b Budget) tolerance(want, magnitude float64) float64 {
	t := math.Max(b.ULP*ULP32(want), b.Abs)
	if b.Scaled != 0 {
		t = math.Max(t, b.Scaled*unit32*math.Abs(magnitude))
	}
	return t
}

// Err returns the error of got in units of the budget: at most 1 when got is
// within it, +Inf when nothing is allowed and got differs. NaN matches NaN, an
// infinity matches the same infinity, zeros match whatever their sign, and a
// subnormal result may be flushed to zero. (A device may flush a subnormal
// input as well: then it has computed the function at zero, and the caller
// compares with that.) magnitude is used only by the Scaled term.
func (b Budget) Err(got float32, want, magnitude float64) float64 {
	d := distance(got, want)
	if d == 0 || math.IsInf(d, 1) {
		return d // not divided: the tolerance may be infinite too
	}
	t := b.tolerance(want, magnitude)
	if got == 0 && math.Abs(want) < minNormal32+t {
		return 0 // flushed: what stood here before was, or may have been, subnormal
	}
	return d / t
}

// Allows reports whether got is within the budget of want: Err <= 1.
func (b Budget) Allows(got float32, want, magnitude float64) bool {
	return b.Err(got, want, magnitude) <= 1
}

// Budget returns the error budget of the function, for every float32 x and all
// parameters that pass Check and are not extreme (1e-12 to 1e12, or 0).
// It is kept by the device's shader, whatever its driver makes of a division
// (2.5 ULP), an inverse square root (2 ULP) or an fma that may not be fused, and
// by the portable float32 code.
//
// 0 ULP stands where the result is a choice among exact values, 1 to 3 ULP where
// it is a few operations, none looser than in the W3C's WebNN conformance tests;
// 4 and 8 ULP are the promises for the rest. None has an absolute term: results
// near a zero of the function are as exact as any.
func (a Activation) Budget() Budget {
	switch a.Func {
	case Identity, ReLU, ReLU6, HardTanh, HardShrink, Threshold, Abs, Neg, Sign, Floor, Ceil, Round:
		return Budget{}
	case LeakyReLU, SoftShrink, Shrink, Square, Affine, HardSigmoid, Sqrt:
		return Budget{ULP: 1}
	case Rsqrt, Reciprocal:
		return Budget{ULP: 2}
	case Softsign:
		return Budget{ULP: 3}
	case GELU, CELU, Mish, TanhShrink, Tan:
		return Budget{ULP: 8}
	}
	return Budget{ULP: 4}
}
