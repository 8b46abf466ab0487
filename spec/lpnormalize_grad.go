package spec

// NewLpNormalizeGrad checks and resolves the gradient of an Lp normalization with
// respect to its input, for a gradient dy of its output. With n the norm and
// y = x/n,
//
//	dx = (dy - sign(x)*|y|^(p-1) * sum of dy*y) / n
//
// where n is at least eps, and dy/eps elsewhere. The derivative of the norm by an
// element that is 0 is 0; for p = +Inf it is shared by all elements of the
// largest magnitude. A slice of zeros without eps, where the function jumps, has
// the gradient 0. A fused activation is refused.
func NewLpNormalizeGrad(dy, x []int, axis int, p LpNormalizeParams) (LpNormalize, error) {
	g, err := NewLpNormalize(x, axis, p)
	if err != nil {
		return g, err
	}
	return g, checkGrad(dy, x, p.Act)
}

// GradBudget returns the error that an implementation of the gradient may have.
// The magnitude is (|dy| + |y|^(p-1) * sum of |dy*y|) / n; the error of the norm
// counts in y, in its power, and in the division by n.
func (g *LpNormalize) GradBudget() Budget {
	ulp := g.Budget().ULP
	b := g.P - 1
	if isInf(b) {
		b = 1
	}
	return Budget{ULP: ulp, Scaled: 2 * ulp * float64(2+max(b, -b))}
}
