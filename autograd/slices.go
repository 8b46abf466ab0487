package autograd

import "github.com/kansu-dev/kansu/ops"

// Slice takes x[begin:end:step] along each axis; see ops.Slice.
func (t *Tape) Slice(x *Variable, begin, end, step []int) *Variable {
	return t.one("Slice", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.Slice(in[0], begin, end, step)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.SliceGrad(dy, n.x(0).Shape(), begin, end, step))
		})
}

// Expand repeats x along axes of size 1, or new leading axes; see ops.Expand.
func (t *Tape) Expand(x *Variable, shape ...int) *Variable {
	return t.one("Expand", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.Expand(in[0], shape...)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.SumTo(dy, n.x(0).Shape()...))
		})
}
