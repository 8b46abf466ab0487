package spec

// NewLRNGrad checks and resolves the gradient of a local response normalization
// with respect to its input, for a gradient dy of its output. With d the base of
// the power and alpha divided by the size,
//
//	dx[j] = dy[j]*d[j]^-beta - 2*alpha*beta*x[j] * sum of dy[c]*x[c]*d[c]^(-beta-1)
//
// over the channels c whose windows have j. A fused activation is refused.
func NewLRNGrad(dy, x []int, p LRNParams) (LRN, error) {
	g, err := NewLRN(x, p)
	if err != nil {
		return g, err
	}
	return g, checkGrad(dy, x, p.Act)
}

// GradBudget returns the error that an implementation of the gradient may have.
// The magnitude is the sum of the terms' magnitudes; each has a power, with its
// error, and a handful of roundings.
func (g *LRN) GradBudget() Budget {
	b := g.Budget()
	return Budget{ULP: b.ULP, Scaled: 2*b.ULP + 16}
}
