package spec

// BinaryGrad is the gradients of a function of two tensors with respect to both,
// element by element: a and b have been repeated to the shape of the result, and
// the gradients are summed back afterwards.
type BinaryGrad struct {
	Func BinaryFunc
	N    int
}

// NewBinaryGrad checks the gradient dy of f(a, b). It returns ErrShape where it
// does not have the shape of the result.
func NewBinaryGrad(f BinaryFunc, dy []int, g Binary) (BinaryGrad, error) {
	if !EqualShapes(dy, g.OutShape()) {
		return BinaryGrad{}, shapeErr("the gradient is %v, but the result is %v", dy, g.OutShape())
	}
	return BinaryGrad{Func: f, N: Count(dy)}, nil
}

// Budget returns the error of an element of the gradients. The magnitude is its
// absolute value.
func (g *BinaryGrad) Budget() Budget {
	if g.Func == Pow {
		return Budget{ULP: 48, Abs: 0x1p-100}
	}
	return Budget{ULP: 8, Abs: 0x1p-100}
}
