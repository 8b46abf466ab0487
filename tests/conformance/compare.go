package conformance

import (
	"fmt"
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// ulpKey orders the float32 numbers as integers: sign(x) times the bits of |x|.
// Neighbours differ by one; both zeros are 0.
func ulpKey(x float32) int64 {
	k := int64(math.Float32bits(x) & 0x7fffffff)
	if math.Signbit(float64(x)) {
		return -k
	}
	return k
}

// excess returns how far a number is off in units of what it may be off: above
// 1 fails. Equal values pass, and NaN equals NaN.
func (t *Tolerance) excess(got, want float32) float64 {
	g, w := float64(got), float64(want)
	if g == w || math.IsNaN(g) && math.IsNaN(w) {
		return 0
	}
	if math.IsNaN(g) || math.IsNaN(w) {
		return math.Inf(1)
	}
	var diff, allowed float64
	switch {
	case t == nil:
		return math.Inf(1)
	case t.ULP != nil:
		diff, allowed = math.Abs(float64(ulpKey(got)-ulpKey(want))), *t.ULP
	default:
		if math.IsInf(g, 0) || math.IsInf(w, 0) {
			return math.Inf(1)
		}
		diff, allowed = math.Abs(g-w), t.Abs+t.Rel*math.Abs(w)
	}
	if diff <= allowed {
		return min(1, diff/allowed)
	}
	return max(diff/allowed, math.Nextafter(1, 2)) // infinite where nothing is allowed
}

// compare checks one output, returns the worst element's excess, and describes
// that element where it is wrong.
func compare(got *Value, want *Tensor, tol *Tolerance) (worst float64, err error) {
	if want.Tolerance != nil {
		tol = want.Tolerance
	}
	if !spec.EqualShapes(got.shape, want.Shape) {
		return math.Inf(1), fmt.Errorf("output %s: shape %v, want %v", want.Name, got.shape, want.Shape)
	}
	if got.IsFloat() != want.IsFloat() {
		return math.Inf(1), fmt.Errorf("output %s: got %s, want %s", want.Name, got.dtype, want.DType)
	}
	if !want.IsFloat() {
		for i, w := range want.I {
			if got.i[i] != w {
				return math.Inf(1), fmt.Errorf("output %s: element %d of %v is %d, want %d", want.Name, i, want.Shape, got.i[i], w)
			}
		}
		return 0, nil
	}
	v, err := got.Floats()
	if err != nil {
		return math.Inf(1), fmt.Errorf("output %s: %w", want.Name, err)
	}
	at, off := 0, 0
	for i, w := range want.F {
		e := tol.excess(v[i], w)
		if e > 1 {
			off++
		}
		if e > worst {
			worst, at = e, i
		}
	}
	if off == 0 {
		return worst, nil
	}
	return worst, fmt.Errorf("output %s: %d of %d elements are off; worst is element %d of %v: got %v, want %v (%d ulp, tolerance %v)",
		want.Name, off, len(v), at, want.Shape, v[at], want.F[at], ulpKey(v[at])-ulpKey(want.F[at]), tol)
}
