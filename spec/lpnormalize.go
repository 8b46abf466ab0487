package spec

import "math"

// LpNormalizeParams are the parameters of Lp normalization.
type LpNormalizeParams struct {
	P   float32    // the exponent of the norm, above 0, +Inf for the largest magnitude; 0 means 2
	Eps float32    // the least divisor; 0 means 1e-12, a negative value means none
	Act Activation // applied to each output; default none
}

// LpNormalize is a resolved Lp normalization along one axis,
//
//	y = act(x / max((sum of |x|^p)^(1/p), eps))
//
// as PyTorch's normalize; a slice of zeros gives zeros, also without eps, as in
// ONNX. For p = 2 the sum of the squares must be a normal float32.
type LpNormalize struct {
	Along
	P, Eps float32
	Act    Activation
}

// NewLpNormalize checks and resolves an Lp normalization along an axis of x; a
// negative axis counts from the end.
func NewLpNormalize(x []int, axis int, p LpNormalizeParams) (LpNormalize, error) {
	a, err := newAlong(x, axis)
	g := LpNormalize{Along: a, P: p.P, Act: p.Act}
	if err != nil {
		return g, err
	}
	if g.P == 0 {
		g.P = 2
	}
	if !(g.P > 0) {
		return g, paramErr("p is %v; it must be above 0", p.P)
	}
	if g.Eps, err = orDefault("eps", p.Eps, 1e-12); err != nil {
		return g, err
	}
	return g, p.Act.Check()
}

// Budget returns the error that an implementation may have: 14 ULP for the
// exponents 1, 2 and +Inf. For others two powers are taken, and the error of the
// logarithm in them grows with 1/p. Where an activation follows, the magnitude is
// that of its argument.
func (g *LpNormalize) Budget() Budget {
	if p := float64(g.P); p != 1 && p != 2 && !math.IsInf(p, 1) {
		return relative(32+16/p, g.Act)
	}
	return relative(14, g.Act)
}

// Flops returns the arithmetic of the definition, a power counted as one.
func (g *LpNormalize) Flops() float64 { return 3 * float64(Count(g.Shape)) }
