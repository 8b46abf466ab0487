package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// LossParams are the parameters of a loss; see spec.LossParams.
type LossParams = spec.LossParams

// Loss names a loss that compares two tensors element by element.
type Loss = spec.Loss

// The losses, for LossGrad; see the functions of their names.
const (
	MSE           = spec.MSE
	L1            = spec.L1
	SmoothL1      = spec.SmoothL1
	BCEWithLogits = spec.BCEWithLogits
)

// MSELoss returns the squared difference of x and target, which have one shape:
// its mean as a single number, or as p.Reduction says. Errors of this and the
// other losses: ErrShape, ErrParam, ErrReleased, ErrEngine, ErrOutOfMemory.
func MSELoss(x, target *Tensor, p LossParams) (*Tensor, error) {
	return loss("MSELoss", spec.MSE, x, target, p)
}

// L1Loss returns |x - target|; see MSELoss.
func L1Loss(x, target *Tensor, p LossParams) (*Tensor, error) {
	return loss("L1Loss", spec.L1, x, target, p)
}

// SmoothL1Loss returns (x-target)^2/(2 Beta) where that is small, and
// |x-target| - Beta/2 elsewhere (Girshick, 2015); see MSELoss.
func SmoothL1Loss(x, target *Tensor, p LossParams) (*Tensor, error) {
	return loss("SmoothL1Loss", spec.SmoothL1, x, target, p)
}

// BCEWithLogitsLoss returns the binary cross-entropy of sigmoid(x), computed
// without overflow from the logits x; see MSELoss.
func BCEWithLogitsLoss(x, target *Tensor, p LossParams) (*Tensor, error) {
	return loss("BCEWithLogitsLoss", spec.BCEWithLogits, x, target, p)
}

func loss(name string, l Loss, x, target *Tensor, p LossParams) (*Tensor, error) {
	e, err := engineOf(name, x, target)
	if err != nil {
		return nil, err
	}
	if target == nil {
		return nil, fail(name, fmt.Errorf("%w: the target", ErrNil))
	}
	g, err := spec.NewLoss(l, x.shape, target.shape, p)
	if err != nil {
		return nil, fail(name, err)
	}
	each, err := e.one(call{
		name: name, fn: "loss", in: []*Tensor{x, target, nil},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) { return shaders.PlanLoss(g, dev, force) },
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.Loss(out[0], in[0], in[1], g)
			} else {
				fast.Loss(out[0], in[0], in[1], g)
			}
			return nil
		},
	}, x.shape)
	if err != nil {
		return nil, err
	}
	return reduceLoss(each, p.Reduction)
}

// reduceLoss reduces the losses of the elements, which it takes over.
func reduceLoss(each *Tensor, r spec.Reduction) (*Tensor, error) {
	if r == spec.NoReduction {
		return each, nil
	}
	defer each.Release()
	if r == spec.ReduceToSum {
		return Sum(each, ReduceParams{})
	}
	return Mean(each, ReduceParams{})
}

// LossGrad returns the gradient of a loss with respect to x: dy times the slope
// at each element, over the number of elements where p.Reduction is the mean.
// dy is the gradient of the loss: a single number, or without reduction one for
// each element. Errors: as MSELoss.
func LossGrad(l Loss, dy, x, target *Tensor, p LossParams) (*Tensor, error) {
	const name = "LossGrad"
	e, err := engineOf(name, x, target, dy)
	if err != nil {
		return nil, err
	}
	if target == nil || dy == nil {
		return nil, fail(name, fmt.Errorf("%w: the gradient or the target", ErrNil))
	}
	g, err := spec.NewLoss(l, x.shape, target.shape, p)
	if err != nil {
		return nil, fail(name, err)
	}
	each, err := spec.LossGradEach(dy.shape, x.shape, p.Reduction)
	if err != nil {
		return nil, fail(name, err)
	}
	return e.one(call{
		name: name, fn: "loss_grad", in: []*Tensor{x, target, dy},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanLossGrad(g, each, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.LossGrad(out[0], in[2], in[0], in[1], g)
			} else {
				fast.LossGrad(out[0], in[2], in[0], in[1], g)
			}
			return nil
		},
	}, x.shape)
}
