package autograd

import (
	"github.com/kansu-dev/kansu/ops"
)

// Linear is x w^T + b; b may be nil. See ops.Linear.
func (t *Tape) Linear(x, w, b *Variable, p ops.LinearParams) *Variable {
	act := p.Act
	p.Act = ops.Activation{}
	y := t.one("Linear", []*Variable{x, w, b},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.Linear(in[0], in[1], in[2], p)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, want []bool) ([]*ops.Tensor, error) {
			return linearGrad(dy, n.x(0), n.x(1), want)
		})
	return t.activate(y, act)
}

// linearGrad: dx = dy w, dw = dy^T x over all rows, db = the sum of dy's rows.
func linearGrad(dy, x, w *ops.Tensor, want []bool) ([]*ops.Tensor, error) {
	dxs := make([]*ops.Tensor, 3)
	in, out := w.Shape()[1], w.Shape()[0]
	rows, err := dy.Reshape(-1, out)
	if err != nil {
		return dxs, err
	}
	defer rows.Release()
	if want[0] {
		d, err := ops.MatMul(rows, w, ops.MatMulParams{})
		if err != nil {
			return dxs, err
		}
		defer d.Release()
		if dxs[0], err = d.Reshape(x.Shape()...); err != nil {
			return dxs, err
		}
	}
	if want[1] {
		flat, err := x.Reshape(-1, in)
		if err != nil {
			return dxs, err
		}
		defer flat.Release()
		if dxs[1], err = ops.MatMul(rows, flat, ops.MatMulParams{TransA: true}); err != nil {
			return dxs, err
		}
	}
	if want[2] {
		dxs[2], err = ops.Sum(rows, ops.ReduceParams{Axes: []int{0}})
	}
	return dxs, err
}

// channelSum sums over all axes but the second: the gradient of a bias.
func channelSum(dy *ops.Tensor) (*ops.Tensor, error) {
	axes := []int{0}
	for i := 2; i < dy.Rank(); i++ {
		axes = append(axes, i)
	}
	return ops.Sum(dy, ops.ReduceParams{Axes: axes})
}

// Conv is a convolution in 1, 2 or 3 dimensions; b may be nil. See ops.Conv.
func (t *Tape) Conv(x, w, b *Variable, p ops.ConvParams) *Variable {
	act := p.Act
	p.Act = ops.Activation{}
	y := t.one("Conv", []*Variable{x, w, b},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.Conv(in[0], in[1], in[2], p)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, want []bool) (dxs []*ops.Tensor, err error) {
			dxs = make([]*ops.Tensor, 3)
			x, w := n.x(0), n.x(1)
			if dxs[0], err = when(want[0], func() (*ops.Tensor, error) { return ops.ConvGradInput(dy, w, x.Shape(), p) }); err != nil {
				return dxs, err
			}
			if dxs[1], err = when(want[1], func() (*ops.Tensor, error) { return ops.ConvGradWeight(dy, x, w.Shape(), p) }); err != nil {
				return dxs, err
			}
			dxs[2], err = when(want[2], func() (*ops.Tensor, error) { return channelSum(dy) })
			return dxs, err
		})
	return t.activate(y, act)
}

// ConvTranspose is a transposed convolution in 1, 2 or 3 dimensions; b may be
// nil. See ops.ConvTranspose.
func (t *Tape) ConvTranspose(x, w, b *Variable, p ops.ConvTransposeParams) *Variable {
	act := p.Act
	p.Act = ops.Activation{}
	y := t.one("ConvTranspose", []*Variable{x, w, b},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.ConvTranspose(in[0], in[1], in[2], p)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, want []bool) (dxs []*ops.Tensor, err error) {
			dxs = make([]*ops.Tensor, 3)
			x, w := n.x(0), n.x(1)
			if dxs[0], err = when(want[0], func() (*ops.Tensor, error) { return ops.ConvTransposeGradInput(dy, w, x.Shape(), p) }); err != nil {
				return dxs, err
			}
			if dxs[1], err = when(want[1], func() (*ops.Tensor, error) { return ops.ConvTransposeGradWeight(dy, x, w.Shape(), p) }); err != nil {
				return dxs, err
			}
			dxs[2], err = when(want[2], func() (*ops.Tensor, error) { return channelSum(dy) })
			return dxs, err
		})
	return t.activate(y, act)
}

// MaxPool takes the maximum of each window; see ops.MaxPool.
func (t *Tape) MaxPool(x *Variable, p ops.PoolParams) *Variable {
	return t.one("MaxPool", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, idx, err := ops.MaxPoolIndices(in[0], p)
			return y, []*ops.Tensor{idx}, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.MaxPoolGrad(dy, n.saved[0], n.x(0).Shape(), p))
		})
}

// AdaptiveMaxPool takes maxima of windows that make an output of a size.
func (t *Tape) AdaptiveMaxPool(x *Variable, out ...int) *Variable {
	return t.one("AdaptiveMaxPool", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, idx, err := ops.AdaptiveMaxPoolIndices(in[0], out...)
			return y, []*ops.Tensor{idx}, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.AdaptiveMaxPoolGrad(dy, n.saved[0], n.x(0).Shape()))
		})
}

// AvgPool takes the mean of each window; see ops.AvgPool.
func (t *Tape) AvgPool(x *Variable, p ops.PoolParams) *Variable {
	return t.one("AvgPool", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.AvgPool(in[0], p)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.AvgPoolGrad(dy, n.x(0).Shape(), p))
		})
}

// LpPool takes the p-norm of each window; see ops.LpPool.
func (t *Tape) LpPool(x *Variable, p ops.PoolParams, norm float32) *Variable {
	return t.one("LpPool", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.LpPool(in[0], p, norm)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.LpPoolGrad(dy, n.x(0), n.y(0), p, norm))
		})
}

// GlobalAvgPool takes the mean of each plane.
func (t *Tape) GlobalAvgPool(x *Variable) *Variable {
	return t.one("GlobalAvgPool", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.GlobalAvgPool(in[0])
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.GlobalAvgPoolGrad(dy, n.x(0).Shape()))
		})
}

// AdaptiveAvgPool takes means of windows that make an output of a size.
func (t *Tape) AdaptiveAvgPool(x *Variable, out ...int) *Variable {
	return t.one("AdaptiveAvgPool", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.AdaptiveAvgPool(in[0], out...)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.AdaptiveAvgPoolGrad(dy, n.x(0).Shape()))
		})
}

// GlobalMaxPool takes the maximum of each plane.
func (t *Tape) GlobalMaxPool(x *Variable) *Variable { return t.AdaptiveMaxPool(x, 1) }

// GlobalLpPool takes the p-norm of each plane; see ops.GlobalLpPool.
func (t *Tape) GlobalLpPool(x *Variable, norm float32) *Variable {
	p := ops.PoolParams{Kernel: []int{1}, PlainNorm: true}
	if s := x.Shape(); len(s) > 2 {
		p.Kernel = s[2:]
	}
	return t.LpPool(x, p, norm)
}

// MaxPoolIndices is MaxPool that also returns where each maximum stood, for
// MaxUnpool. The indices are the tape's.
func (t *Tape) MaxPoolIndices(x *Variable, p ops.PoolParams) (y *Variable, indices *ops.Tensor) {
	var idx *ops.Tensor
	y = t.one("MaxPoolIndices", []*Variable{x},
		func(in []*ops.Tensor) (y *ops.Tensor, saved []*ops.Tensor, err error) {
			y, idx, err = ops.MaxPoolIndices(in[0], p)
			return y, []*ops.Tensor{idx}, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.MaxPoolGrad(dy, n.saved[0], n.x(0).Shape(), p))
		})
	return y, idx
}

// MaxUnpool puts each value at its index, and zeros elsewhere; see ops.MaxUnpool.
func (t *Tape) MaxUnpool(x *Variable, indices *ops.Tensor, p ops.UnpoolParams) *Variable {
	return t.one("MaxUnpool", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.MaxUnpool(in[0], indices, p)
			return y, nil, err
		},
		func(_ *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.MaxUnpoolGrad(dy, indices, p))
		})
}

// MSELoss is the squared difference of x and target; see ops.MSELoss. Targets
// take no gradient.
func (t *Tape) MSELoss(x *Variable, target *ops.Tensor, p ops.LossParams) *Variable {
	return t.loss("MSELoss", ops.MSE, ops.MSELoss, x, target, p)
}

// L1Loss is |x - target|; see ops.L1Loss.
func (t *Tape) L1Loss(x *Variable, target *ops.Tensor, p ops.LossParams) *Variable {
	return t.loss("L1Loss", ops.L1, ops.L1Loss, x, target, p)
}

// SmoothL1Loss is squared near the target and absolute away from it; see
// ops.SmoothL1Loss.
func (t *Tape) SmoothL1Loss(x *Variable, target *ops.Tensor, p ops.LossParams) *Variable {
	return t.loss("SmoothL1Loss", ops.SmoothL1, ops.SmoothL1Loss, x, target, p)
}

// BCEWithLogitsLoss is the binary cross-entropy of sigmoid(x); see
// ops.BCEWithLogitsLoss.
func (t *Tape) BCEWithLogitsLoss(x *Variable, target *ops.Tensor, p ops.LossParams) *Variable {
	return t.loss("BCEWithLogitsLoss", ops.BCEWithLogits, ops.BCEWithLogitsLoss, x, target, p)
}

func (t *Tape) loss(name string, kind ops.Loss, f func(x, target *ops.Tensor, p ops.LossParams) (*ops.Tensor, error),
	x *Variable, target *ops.Tensor, p ops.LossParams) *Variable {
	return t.one(name, []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := f(in[0], target, p)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.LossGrad(kind, dy, n.x(0), target, p))
		})
}

// CrossEntropy is the cross-entropy of softmax(logits) with class labels, an
// index tensor; see ops.CrossEntropy.
func (t *Tape) CrossEntropy(logits *Variable, labels *ops.Tensor, p ops.CrossEntropyParams) *Variable {
	return t.WeightedCrossEntropy(logits, labels, nil, p)
}

// WeightedCrossEntropy is CrossEntropy with a weight for each class, [C], which
// takes no gradient; nil for none.
func (t *Tape) WeightedCrossEntropy(logits *Variable, labels, classWeights *ops.Tensor, p ops.CrossEntropyParams) *Variable {
	return t.one("CrossEntropy", []*Variable{logits},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.CrossEntropy(in[0], labels, classWeights, p)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.CrossEntropyGrad(dy, n.x(0), labels, classWeights, p))
		})
}
