package autograd

import (
	"slices"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// The functions of a tape have the names, parameters and meaning of those of
// package ops. Tensors that take no gradient, labels for one, stay tensors.

// Pointwise applies a pointwise function.
func (t *Tape) Pointwise(x *Variable, f ops.Activation) *Variable {
	return t.one(f.Func.String(), []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.Pointwise(in[0], f)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.PointwiseGrad(dy, n.x(0), f))
		})
}

// gradients makes the result of a function with one gradient that of a node.
func gradients(dx *ops.Tensor, err error) ([]*ops.Tensor, error) { return []*ops.Tensor{dx}, err }

// activate applies a fused activation as a function of its own, which keeps the
// value before it for the gradient.
func (t *Tape) activate(x *Variable, f ops.Activation) *Variable {
	if f.Func == spec.Identity || x == nil {
		return x
	}
	return t.Pointwise(x, f)
}

// ReLU is max(0, x).
func (t *Tape) ReLU(x *Variable) *Variable { return t.Pointwise(x, spec.ReLU.Default()) }

// GELU is x*Phi(x).
func (t *Tape) GELU(x *Variable) *Variable { return t.Pointwise(x, spec.GELU.Default()) }

// SiLU is x*sigmoid(x).
func (t *Tape) SiLU(x *Variable) *Variable { return t.Pointwise(x, spec.SiLU.Default()) }

// Mish is x*tanh(softplus(x)).
func (t *Tape) Mish(x *Variable) *Variable { return t.Pointwise(x, spec.Mish.Default()) }

// Sigmoid is 1/(1+exp(-x)).
func (t *Tape) Sigmoid(x *Variable) *Variable { return t.Pointwise(x, spec.Sigmoid.Default()) }

// Tanh is the hyperbolic tangent.
func (t *Tape) Tanh(x *Variable) *Variable { return t.Pointwise(x, spec.Tanh.Default()) }

// PReLU is x for x >= 0 and slope*x below; see ops.PReLU.
func (t *Tape) PReLU(x, slope *Variable) *Variable {
	return t.one("PReLU", []*Variable{x, slope},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.PReLU(in[0], in[1])
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			dx, dslope, err := ops.PReLUGrad(dy, n.x(0), n.x(1))
			return []*ops.Tensor{dx, dslope}, err
		})
}

// Dropout zeroes elements with probability p and scales the others; see
// ops.Dropout. Outside of training (Tape.Eval) it is the identity.
func (t *Tape) Dropout(x *Variable, p float64, seed uint64) *Variable {
	if t == nil || !t.train {
		return x
	}
	return t.one("Dropout", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.Dropout(in[0], p, seed)
			return y, nil, err
		},
		func(_ *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.Dropout(dy, p, seed)) // the same mask
		})
}

// Eval makes functions that differ in training and inference (Dropout) do what
// they do in inference.
func (t *Tape) Eval() {
	if t != nil {
		t.train = false
	}
}

// Reshape returns a view with another shape; see ops.Tensor.Reshape.
func (t *Tape) Reshape(x *Variable, shape ...int) *Variable {
	return t.one("Reshape", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := in[0].Reshape(shape...)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(dy.Reshape(n.x(0).Shape()...))
		})
}

// Flatten joins the axes start to end; Flatten(x, 1, -1) keeps the batch.
func (t *Tape) Flatten(x *Variable, start, end int) *Variable {
	return t.one("Flatten", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := in[0].Flatten(start, end)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(dy.Reshape(n.x(0).Shape()...))
		})
}

// Transpose permutes axes; without numbers it reverses them.
func (t *Tape) Transpose(x *Variable, perm ...int) *Variable {
	return t.one("Transpose", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.Transpose(in[0], perm...)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			rank := dy.Rank()
			back := make([]int, rank)
			for i := range back {
				from := rank - 1 - i
				if len(perm) > 0 {
					from = (perm[i] + rank) % rank
				}
				back[from] = i
			}
			return gradients(ops.Transpose(dy, back...))
		})
}

// Concat joins variables along an axis.
func (t *Tape) Concat(axis int, xs ...*Variable) *Variable {
	return t.one("Concat", xs,
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.Concat(axis, in...)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, want []bool) ([]*ops.Tensor, error) {
			a := (axis + dy.Rank()) % dy.Rank()
			begin, end := make([]int, dy.Rank()), dy.Shape()
			dxs := make([]*ops.Tensor, len(n.in))
			for i := range n.in {
				end[a] = begin[a] + n.x(i).Shape()[a]
				if want[i] {
					dx, err := ops.Slice(dy, begin, end, nil)
					if err != nil {
						return dxs, err
					}
					dxs[i] = dx
				}
				begin[a] = end[a]
			}
			return dxs, nil
		})
}

// Pad pads; see ops.Pad.
func (t *Tape) Pad(x *Variable, p ops.PadParams) *Variable {
	return t.one("Pad", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.Pad(in[0], p)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.PadGrad(dy, n.x(0).Shape(), p))
		})
}

// Upsample resamples; see ops.Upsample.
func (t *Tape) Upsample(x *Variable, p ops.UpsampleParams) *Variable {
	return t.one("Upsample", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.Upsample(in[0], p)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.UpsampleGrad(dy, n.x(0).Shape(), p))
		})
}

// Sum sums over axes; see ops.Sum.
func (t *Tape) Sum(x *Variable, p ops.ReduceParams) *Variable {
	return t.reduce("Sum", x, p, ops.Sum, 1)
}

// Mean averages over axes; see ops.Mean.
func (t *Tape) Mean(x *Variable, p ops.ReduceParams) *Variable {
	n := 1
	for i, s := range x.Shape() {
		if len(p.Axes) == 0 || slices.Contains(p.Axes, i) || slices.Contains(p.Axes, i-len(x.Shape())) {
			n *= s
		}
	}
	return t.reduce("Mean", x, p, ops.Mean, float32(n))
}

// SumSquare sums the squares over axes; see ops.SumSquare. The gradient of x is
// 2*x*dy.
func (t *Tape) SumSquare(x *Variable, p ops.ReduceParams) *Variable {
	return t.one("SumSquare", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.SumSquare(in[0], p)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			d, err := perOutput(dy, n.x(0).Shape(), p, 2)
			if err != nil {
				return nil, err
			}
			defer d.Release()
			return gradients(ops.Mul(n.x(0), d))
		})
}

// Amax is the greatest value over axes; see ops.Amax, and ops.AmaxGrad for what
// equal elements get.
func (t *Tape) Amax(x *Variable, p ops.ReduceParams) *Variable {
	return t.extreme("Amax", x, p, ops.Amax, ops.AmaxGrad)
}

// Amin is the least value over axes; see Amax.
func (t *Tape) Amin(x *Variable, p ops.ReduceParams) *Variable {
	return t.extreme("Amin", x, p, ops.Amin, ops.AminGrad)
}

func (t *Tape) extreme(name string, x *Variable, p ops.ReduceParams, f func(*ops.Tensor, ops.ReduceParams) (*ops.Tensor, error),
	grad func(dy, x, y *ops.Tensor, p ops.ReduceParams) (*ops.Tensor, error)) *Variable {
	return t.one(name, []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := f(in[0], p)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(grad(dy, n.x(0), n.y(0), p))
		})
}

func (t *Tape) reduce(name string, x *Variable, p ops.ReduceParams, f func(*ops.Tensor, ops.ReduceParams) (*ops.Tensor, error), divisor float32) *Variable {
	return t.one(name, []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := f(in[0], p)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			shape := n.x(0).Shape()
			d, err := perOutput(dy, shape, p, 1/divisor)
			if err != nil {
				return nil, err
			}
			defer d.Release()
			return gradients(ops.Expand(d, shape...))
		})
}

// perOutput returns factor*dy, for dy of a reduction of x's shape, with the reduced
// axes of size 1.
func perOutput(dy *ops.Tensor, shape []int, p ops.ReduceParams, factor float32) (*ops.Tensor, error) {
	kept := slices.Clone(shape)
	for i := range kept {
		if len(p.Axes) == 0 || slices.Contains(p.Axes, i) || slices.Contains(p.Axes, i-len(kept)) {
			kept[i] = 1
		}
	}
	d, err := dy.Reshape(kept...)
	if err != nil || factor == 1 {
		return d, err
	}
	defer d.Release()
	return ops.Pointwise(d, ops.Activation{Func: spec.Affine, A: factor})
}
