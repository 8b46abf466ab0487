package ops

import "github.com/kansu-dev/kansu/spec"

// Slice returns x[begin:end:step] along each axis, with NumPy's meaning: negative
// positions count from the end, positions past an end stop there, and a negative
// step walks backwards. A nil begin, end or step takes all of each axis, one by
// one; where they have fewer numbers than x has axes, they are of the first
// ones. A slice of everything returns a view. Errors: ErrShape (nothing is
// left), ErrParam, ErrReleased, ErrOutOfMemory.
func Slice(x *Tensor, begin, end, step []int) (*Tensor, error) {
	return gather("Slice", "slice", x, func() (spec.Gather, error) { return spec.NewSlice(x.shape, begin, end, step) })
}
