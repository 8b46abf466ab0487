package autograd

import "github.com/kansu-dev/kansu/ops"

// binary records a function of two tensors with broadcasting. grad returns the
// gradients in the broadcast shape, which are summed to the inputs' shapes.
func (t *Tape) binary(name string, a, b *Variable, f func(a, b *ops.Tensor) (*ops.Tensor, error),
	grad func(n *node, dy *ops.Tensor, want []bool) (da, db *ops.Tensor, err error)) *Variable {
	return t.one(name, []*Variable{a, b},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := f(in[0], in[1])
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, want []bool) ([]*ops.Tensor, error) {
			da, db, err := grad(n, dy, want)
			wide := []*ops.Tensor{da, db}
			dxs := make([]*ops.Tensor, 2)
			for i, d := range wide {
				if d == nil || err != nil {
					continue
				}
				dxs[i], err = ops.SumTo(d, n.x(i).Shape()...)
			}
			for _, d := range wide {
				if d != dy {
					d.Release()
				}
			}
			return dxs, err
		})
}

// when calls f where wanted.
func when(want bool, f func() (*ops.Tensor, error)) (*ops.Tensor, error) {
	if !want {
		return nil, nil
	}
	return f()
}

// Add is a + b.
func (t *Tape) Add(a, b *Variable) *Variable {
	return t.binary("Add", a, b, ops.Add, func(_ *node, dy *ops.Tensor, want []bool) (da, db *ops.Tensor, err error) {
		return dy, dy, nil
	})
}

// Sub is a - b.
func (t *Tape) Sub(a, b *Variable) *Variable {
	return t.binary("Sub", a, b, ops.Sub, func(_ *node, dy *ops.Tensor, want []bool) (da, db *ops.Tensor, err error) {
		db, err = when(want[1], func() (*ops.Tensor, error) { return ops.Neg(dy) })
		return dy, db, err
	})
}

// Mul is a * b.
func (t *Tape) Mul(a, b *Variable) *Variable {
	return t.binary("Mul", a, b, ops.Mul, func(n *node, dy *ops.Tensor, want []bool) (da, db *ops.Tensor, err error) {
		if da, err = when(want[0], func() (*ops.Tensor, error) { return ops.Mul(dy, n.x(1)) }); err != nil {
			return da, nil, err
		}
		db, err = when(want[1], func() (*ops.Tensor, error) { return ops.Mul(dy, n.x(0)) })
		return da, db, err
	})
}

// Div is a / b.
func (t *Tape) Div(a, b *Variable) *Variable { return t.pair("Div", a, b, ops.Div, ops.DivGrad) }

// Min is the lesser of a and b.
func (t *Tape) Min(a, b *Variable) *Variable { return t.pair("Min", a, b, ops.Min, ops.MinGrad) }

// Max is the greater of a and b.
func (t *Tape) Max(a, b *Variable) *Variable { return t.pair("Max", a, b, ops.Max, ops.MaxGrad) }

// Pow is a to the power of b.
func (t *Tape) Pow(a, b *Variable) *Variable { return t.pair("Pow", a, b, ops.Pow, ops.PowGrad) }

// pair records a function whose gradients come from one call, in the inputs'
// shapes.
func (t *Tape) pair(name string, a, b *Variable, f func(a, b *ops.Tensor) (*ops.Tensor, error),
	grad func(dy, a, b *ops.Tensor) (da, db *ops.Tensor, err error)) *Variable {
	return t.one(name, []*Variable{a, b},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := f(in[0], in[1])
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			da, db, err := grad(dy, n.x(0), n.x(1))
			return []*ops.Tensor{da, db}, err
		})
}

// Gemm is alpha*a*b + beta*c; c may be nil. See ops.Gemm.
func (t *Tape) Gemm(a, b, c *Variable, p ops.GemmParams) *Variable {
	act := p.Act
	p.Act = ops.Activation{}
	y := t.one("Gemm", []*Variable{a, b, c},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.Gemm(in[0], in[1], in[2], p)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, want []bool) ([]*ops.Tensor, error) {
			dxs := make([]*ops.Tensor, 3)
			var err error
			if want[0] {
				if dxs[0], err = ops.GemmGradA(dy, n.x(1), p); err != nil {
					return dxs, err
				}
			}
			if want[1] {
				if dxs[1], err = ops.GemmGradB(dy, n.x(0), p); err != nil {
					return dxs, err
				}
			}
			if want[2] {
				dxs[2], err = ops.GemmGradC(dy, n.x(2).Shape(), p)
			}
			return dxs, err
		})
	return t.activate(y, act)
}

// MatMul is the batched matrix product; see ops.MatMul.
func (t *Tape) MatMul(a, b *Variable, p ops.MatMulParams) *Variable {
	act := p.Act
	p.Act = ops.Activation{}
	y := t.one("MatMul", []*Variable{a, b},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.MatMul(in[0], in[1], p)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, want []bool) ([]*ops.Tensor, error) { return matMulGrad(n, dy, p, want) })
	return t.activate(y, act)
}

// matMulGrad: with y = op(a) op(b), d op(a) = dy op(b)^T and d op(b) = op(a)^T dy;
// a transposed operand takes the transposed product.
func matMulGrad(n *node, dy *ops.Tensor, p ops.MatMulParams, want []bool) ([]*ops.Tensor, error) {
	a, b := n.x(0), n.x(1)
	sa, sb := a.Shape(), b.Shape()
	// Vectors are matrices of one row or column.
	av, bv := len(sa) == 1, len(sb) == 1
	views := []*ops.Tensor{}
	defer func() {
		for _, v := range views {
			v.Release()
		}
	}()
	view := func(x *ops.Tensor, shape ...int) (*ops.Tensor, error) {
		v, err := x.Reshape(shape...)
		views = append(views, v)
		return v, err
	}
	var err error
	if av {
		if a, err = view(a, 1, sa[0]); err != nil {
			return nil, err
		}
	}
	if bv {
		if b, err = view(b, sb[0], 1); err != nil {
			return nil, err
		}
	}
	if av || bv {
		full := dy.Shape()
		if av && bv {
			full = []int{1, 1}
		} else if av {
			full = append(full[:len(full)-1:len(full)-1], 1, full[len(full)-1])
		} else {
			full = append(full, 1)
		}
		if dy, err = view(dy, full...); err != nil {
			return nil, err
		}
	}
	ta, tb := p.TransA && !av, p.TransB && !bv
	dxs := make([]*ops.Tensor, 2)
	if want[0] {
		x, y, q := dy, b, ops.MatMulParams{TransB: !tb}
		if ta {
			x, y, q = b, dy, ops.MatMulParams{TransA: tb, TransB: true}
		}
		if dxs[0], err = matMulTo(x, y, q, sa); err != nil {
			return dxs, err
		}
	}
	if want[1] {
		x, y, q := a, dy, ops.MatMulParams{TransA: !ta}
		if tb {
			x, y, q = dy, a, ops.MatMulParams{TransA: true, TransB: ta}
		}
		dxs[1], err = matMulTo(x, y, q, sb)
	}
	return dxs, err
}

// matMulTo multiplies and sums the batches that the operand was repeated for.
func matMulTo(x, y *ops.Tensor, p ops.MatMulParams, shape []int) (*ops.Tensor, error) {
	d, err := ops.MatMul(x, y, p)
	if err != nil {
		return nil, err
	}
	defer d.Release()
	to := shape
	if len(shape) == 1 { // a vector was a matrix of one row or column
		s := d.Shape()
		to = s[len(s)-2:]
	}
	sum, err := ops.SumTo(d, to...)
	if err != nil {
		return nil, err
	}
	defer sum.Release()
	return sum.Reshape(shape...)
}
