package ops

import "github.com/kansu-dev/kansu/spec"

// Expand repeats x along axes of size 1, or new leading axes, to a shape, as
// NumPy's broadcast_to. Errors: ErrShape (x does not broadcast to the shape),
// ErrTooLarge, ErrReleased, ErrOutOfMemory.
func Expand(x *Tensor, shape ...int) (*Tensor, error) {
	return gather("Expand", "slice", x, func() (spec.Gather, error) { return spec.NewExpand(x.shape, shape) })
}

// SumTo is the gradient of Expand: it sums x over the axes along which a tensor
// of the given shape was repeated to the shape of x. Errors: ErrShape (the shape
// does not broadcast to x), ErrReleased, ErrOutOfMemory.
func SumTo(x *Tensor, shape ...int) (*Tensor, error) {
	const name = "SumTo"
	if _, err := engineOf(name, x); err != nil {
		return nil, err
	}
	axes, err := spec.SumToAxes(x.shape, shape)
	if err != nil {
		return nil, fail(name, err)
	}
	if len(axes) == 0 {
		return x.Reshape(shape...)
	}
	sum, err := Sum(x, ReduceParams{Axes: axes, Keep: true})
	if err != nil {
		return nil, err
	}
	defer sum.Release()
	return sum.Reshape(shape...)
}
