package autograd

import (
	"fmt"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// RunningStats are the running mean and variance of a batch normalization, [C]
// each, which training updates and inference uses.
type RunningStats struct{ Mean, Var *ops.Tensor }

// NewRunningStats returns the statistics that PyTorch begins with: mean 0 and
// variance 1 for each of the channels.
func NewRunningStats(e *ops.Engine, channels int) (*RunningStats, error) {
	if _, err := spec.Elements([]int{channels}); err != nil {
		return nil, fmt.Errorf("autograd.NewRunningStats: %w", err)
	}
	zeros, ones := make([]float32, channels), make([]float32, channels)
	for i := range ones {
		ones[i] = 1
	}
	mean, err := e.Tensor(zeros, channels)
	if err != nil {
		return nil, err
	}
	variance, err := e.Tensor(ones, channels)
	if err != nil {
		mean.Release()
		return nil, err
	}
	return &RunningStats{mean, variance}, nil
}

// Release releases both.
func (s *RunningStats) Release() {
	if s == nil {
		return
	}
	s.Mean.Release()
	s.Var.Release()
}

// BatchNorm normalizes each channel: in training by the statistics of the batch,
// with which it updates running (nil for none), and after Eval by the running
// statistics. See ops.BatchNormTrain and ops.BatchNorm.
func (t *Tape) BatchNorm(x, scale, shift *Variable, running *RunningStats, p ops.BatchNormTrainParams) *Variable {
	act := p.Act
	p.Act = ops.Activation{}
	if t == nil {
		return nil
	}
	if !t.train {
		return t.activate(t.batchNormEval(x, scale, shift, running, p), act)
	}
	y := t.one("BatchNorm", []*Variable{x, scale, shift},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			var mean, variance *ops.Tensor
			if running != nil {
				mean, variance = running.Mean, running.Var
			}
			r, err := ops.BatchNormTrain(in[0], in[1], in[2], mean, variance, p)
			if err != nil {
				return nil, nil, err
			}
			if running != nil {
				running.Release()
				running.Mean, running.Var = r.RunningMean, r.RunningVar
			}
			r.Var.Release()
			return r.Y, []*ops.Tensor{r.Mean, r.InvStd}, nil
		},
		func(n *node, dy *ops.Tensor, want []bool) ([]*ops.Tensor, error) {
			return n.affineGrad(want, func(scale *ops.Tensor) (dx, dscale, dshift *ops.Tensor, err error) {
				return ops.BatchNormTrainGrad(dy, n.x(0), scale, n.saved[0], n.saved[1], p)
			})
		})
	return t.activate(y, act)
}

func (t *Tape) batchNormEval(x, scale, shift *Variable, running *RunningStats, p ops.BatchNormTrainParams) *Variable {
	if running == nil {
		t.fail("BatchNorm", fmt.Errorf("%w: running statistics, by which inference normalizes", ops.ErrNil))
		return nil
	}
	q := ops.BatchNormParams{Eps: p.Eps, Axis: p.Axis}
	mean, variance := running.Mean, running.Var
	return t.one("BatchNorm", []*Variable{x, scale, shift},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.BatchNorm(in[0], mean, variance, in[1], in[2], q)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, want []bool) ([]*ops.Tensor, error) {
			return n.affineGrad(want, func(scale *ops.Tensor) (dx, dscale, dshift *ops.Tensor, err error) {
				return ops.BatchNormGrad(dy, n.x(0), mean, variance, scale, q)
			})
		})
}

// value is x for an input that may be absent.
func (n *node) value(i int) *ops.Tensor {
	if n.in[i] == nil {
		return nil
	}
	return n.in[i].Value()
}

// normalize records a normalization by statistics of its own input, with optional
// scale and shift.
func (t *Tape) normalize(name string, x, scale, shift *Variable, act ops.Activation,
	f func(x, scale, shift *ops.Tensor) (*ops.Tensor, error),
	grad func(dy, x, scale *ops.Tensor) (dx, dscale, dshift *ops.Tensor, err error)) *Variable {
	y := t.one(name, []*Variable{x, scale, shift},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := f(in[0], in[1], in[2])
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, want []bool) ([]*ops.Tensor, error) {
			return n.affineGrad(want, func(scale *ops.Tensor) (dx, dscale, dshift *ops.Tensor, err error) {
				return grad(dy, n.x(0), scale)
			})
		})
	return t.activate(y, act)
}

// affineGrad calls the gradient of a normalization of x with an optional scale and
// shift. A shift without a scale has its gradient by way of a scale of ones.
func (n *node) affineGrad(want []bool, grad func(scale *ops.Tensor) (dx, dscale, dshift *ops.Tensor, err error)) ([]*ops.Tensor, error) {
	scale := n.value(1)
	if scale == nil && want[2] {
		var err error
		if scale, err = ones(n.x(2)); err != nil {
			return nil, err
		}
		defer scale.Release()
	}
	dx, dscale, dshift, err := grad(scale)
	return []*ops.Tensor{dx, dscale, dshift}, err
}

// ones returns a tensor of ones of x's shape.
func ones(x *ops.Tensor) (*ops.Tensor, error) {
	v := make([]float32, x.Len())
	for i := range v {
		v[i] = 1
	}
	return x.Engine().Tensor(v, x.Shape()...)
}

// LayerNorm normalizes over trailing axes; scale and shift may be nil. See
// ops.LayerNorm.
func (t *Tape) LayerNorm(x, scale, shift *Variable, p ops.LayerNormParams) *Variable {
	act := p.Act
	p.Act = ops.Activation{}
	return t.normalize("LayerNorm", x, scale, shift, act,
		func(x, scale, shift *ops.Tensor) (*ops.Tensor, error) { return ops.LayerNorm(x, scale, shift, p) },
		func(dy, x, scale *ops.Tensor) (dx, dscale, dshift *ops.Tensor, err error) {
			return ops.LayerNormGrad(dy, x, scale, p)
		})
}

// RMSNorm divides by the root of the mean square over trailing axes; see
// ops.RMSNorm.
func (t *Tape) RMSNorm(x, scale, shift *Variable, p ops.LayerNormParams) *Variable {
	act := p.Act
	p.Act = ops.Activation{}
	return t.normalize("RMSNorm", x, scale, shift, act,
		func(x, scale, shift *ops.Tensor) (*ops.Tensor, error) { return ops.RMSNorm(x, scale, shift, p) },
		func(dy, x, scale *ops.Tensor) (dx, dscale, dshift *ops.Tensor, err error) {
			return ops.RMSNormGrad(dy, x, scale, p)
		})
}

// GroupNorm normalizes groups of channels of each sample; see ops.GroupNorm.
func (t *Tape) GroupNorm(x, scale, shift *Variable, p ops.GroupNormParams) *Variable {
	act := p.Act
	p.Act = ops.Activation{}
	return t.normalize("GroupNorm", x, scale, shift, act,
		func(x, scale, shift *ops.Tensor) (*ops.Tensor, error) { return ops.GroupNorm(x, scale, shift, p) },
		func(dy, x, scale *ops.Tensor) (dx, dscale, dshift *ops.Tensor, err error) {
			return ops.GroupNormGrad(dy, x, scale, p)
		})
}

// InstanceNorm normalizes each channel of each sample; see ops.InstanceNorm.
func (t *Tape) InstanceNorm(x, scale, shift *Variable, p ops.InstanceNormParams) *Variable {
	act := p.Act
	p.Act = ops.Activation{}
	return t.normalize("InstanceNorm", x, scale, shift, act,
		func(x, scale, shift *ops.Tensor) (*ops.Tensor, error) { return ops.InstanceNorm(x, scale, shift, p) },
		func(dy, x, scale *ops.Tensor) (dx, dscale, dshift *ops.Tensor, err error) {
			return ops.InstanceNormGrad(dy, x, scale, p)
		})
}

// MeanVarianceNorm normalizes over chosen axes, without scale or shift; see
// ops.MeanVarianceNorm.
func (t *Tape) MeanVarianceNorm(x *Variable, p ops.MeanVarianceParams) *Variable {
	act := p.Act
	p.Act = ops.Activation{}
	y := t.alone("MeanVarianceNorm", x,
		func(x *ops.Tensor) (*ops.Tensor, error) { return ops.MeanVarianceNorm(x, p) },
		func(dy, x *ops.Tensor) (*ops.Tensor, error) { return ops.MeanVarianceNormGrad(dy, x, p) })
	return t.activate(y, act)
}

// LRN is the local response normalization across channels; see ops.LRN.
func (t *Tape) LRN(x *Variable, p ops.LRNParams) *Variable {
	act := p.Act
	p.Act = ops.Activation{}
	y := t.alone("LRN", x,
		func(x *ops.Tensor) (*ops.Tensor, error) { return ops.LRN(x, p) },
		func(dy, x *ops.Tensor) (*ops.Tensor, error) { return ops.LRNGrad(dy, x, p) })
	return t.activate(y, act)
}

// LpNormalize divides by the p-norm along an axis; see ops.LpNormalize.
func (t *Tape) LpNormalize(x *Variable, axis int, p ops.LpNormalizeParams) *Variable {
	act := p.Act
	p.Act = ops.Activation{}
	y := t.alone("LpNormalize", x,
		func(x *ops.Tensor) (*ops.Tensor, error) { return ops.LpNormalize(x, axis, p) },
		func(dy, x *ops.Tensor) (*ops.Tensor, error) { return ops.LpNormalizeGrad(dy, x, axis, p) })
	return t.activate(y, act)
}

// alone records a function of one tensor whose gradient depends on it alone.
func (t *Tape) alone(name string, x *Variable, f func(x *ops.Tensor) (*ops.Tensor, error), grad func(dy, x *ops.Tensor) (*ops.Tensor, error)) *Variable {
	return t.one(name, []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := f(in[0])
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) { return gradients(grad(dy, n.x(0))) })
}

// Softmax is exp(x)/sum exp(x) along an axis.
func (t *Tape) Softmax(x *Variable, axis int) *Variable {
	return t.one("Softmax", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.Softmax(in[0], axis)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.SoftmaxGrad(dy, n.y(0), axis))
		})
}

// LogSoftmax is the logarithm of Softmax.
func (t *Tape) LogSoftmax(x *Variable, axis int) *Variable {
	return t.one("LogSoftmax", []*Variable{x},
		func(in []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error) {
			y, err := ops.LogSoftmax(in[0], axis)
			return y, nil, err
		},
		func(n *node, dy *ops.Tensor, _ []bool) ([]*ops.Tensor, error) {
			return gradients(ops.LogSoftmaxGrad(dy, n.y(0), axis))
		})
}
