package spec

// NewSoftmaxGrad checks and resolves the gradient of a softmax or log softmax
// with respect to its input, for a gradient dy of its output y:
//
//	softmax:     dx = y * (dy - sum of dy*y)
//	log softmax: dx = dy - exp(y) * sum of dy
//
// with the sums along the axis.
func NewSoftmaxGrad(dy, y []int, axis int, kind SoftmaxKind) (SoftmaxOf, error) {
	if kind != Softmax && kind != LogSoftmax {
		return SoftmaxOf{}, paramErr("%v has no gradient", kind)
	}
	if err := checkGrad(dy, y, Activation{}); err != nil {
		return SoftmaxOf{}, err
	}
	return NewSoftmax(y, axis, kind)
}

// GradBudget returns the error that an implementation of the gradient may have.
// The magnitude is |y| * (|dy| + sum of |dy*y|), or |dy| + exp(y) * sum of |dy|;
// sums are in blocks or trees.
func (g *SoftmaxOf) GradBudget() Budget { return Budget{ULP: 4, Scaled: 24} }
