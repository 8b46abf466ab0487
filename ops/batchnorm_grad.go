package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// BatchNormTrainGrad returns the gradients of BatchNormTrain with respect to x,
// scale and shift, for a gradient dy of its Y and the Mean and InvStd [C] that
// it returned. With xhat the normalized input and g = dy * scale,
//
//	dx = invStd * (g - mean(g) - xhat*mean(g*xhat)), dscale = sum of dy*xhat, dshift = sum of dy
//
// over the elements of a channel (Ioffe and Szegedy, 2015, section 3). Without a
// scale dscale and dshift are nil; a shift without a scale has the sum of dy over
// all axes but the channels'. p is that of the forward call, without an
// activation: its gradient comes first. The digits of the mean that its rounding
// lost are put back, so that a mean of 10^4 deviations does no harm. Errors:
// ErrShape, ErrParam, ErrNil, ErrReleased, ErrEngine, ErrOutOfMemory.
func BatchNormTrainGrad(dy, x, scale, mean, invStd *Tensor, p BatchNormTrainParams) (dx, dscale, dshift *Tensor, err error) {
	const name = "BatchNormTrainGrad"
	e, err := gradEngine(name, dy, x, scale, mean, invStd)
	if err != nil {
		return nil, nil, nil, err
	}
	if mean == nil || invStd == nil {
		return nil, nil, nil, fail(name, fmt.Errorf("%w: mean and inverse standard deviation are needed", ErrNil))
	}
	g, err := spec.NewBatchNormTrainGrad(dy.shape, x.shape, shapeOf(scale), mean.shape, invStd.shape, p)
	if err != nil {
		return nil, nil, nil, fail(name, err)
	}
	return normGradCall{
		name: name, fn: "batchnorm_train_grad", g: g, in: []*Tensor{dy, x, scale, mean, invStd}, affine: shapeOf(scale), plan: shaders.PlanBatchNormGrad,
		cpu: func(d cpuref.NormGrads[float32], in [][]float32, plain bool) {
			if plain {
				cpuref.BatchNormTrainGrad(d, in[0], in[1], in[2], in[3], in[4], g)
			} else {
				fast.BatchNormTrainGrad(d, in[0], in[1], in[2], in[3], in[4], g)
			}
		},
	}.run(e)
}

// BatchNormGrad returns the gradients of BatchNorm, the inference form, with
// respect to x, scale and shift, for a gradient dy of its output. mean and
// variance [C] are those of the forward call, and constants:
//
//	dx = dy * scale / sqrt(variance + eps), dscale = sum of dy*xhat, dshift = sum of dy
//
// Without a scale dscale and dshift are nil. Otherwise as BatchNormTrainGrad. It
// also serves instance normalization with running statistics.
func BatchNormGrad(dy, x, mean, variance, scale *Tensor, p BatchNormParams) (dx, dscale, dshift *Tensor, err error) {
	const name = "BatchNormGrad"
	e, err := gradEngine(name, dy, x, mean, variance, scale)
	if err != nil {
		return nil, nil, nil, err
	}
	if mean == nil || variance == nil {
		return nil, nil, nil, fail(name, fmt.Errorf("%w: mean and variance are needed", ErrNil))
	}
	g, err := spec.NewBatchNormGrad(dy.shape, x.shape, mean.shape, variance.shape, shapeOf(scale), p)
	if err != nil {
		return nil, nil, nil, fail(name, err)
	}
	return normGradCall{
		name: name, fn: "batchnorm_grad", g: g, in: []*Tensor{dy, x, scale, mean, variance}, affine: shapeOf(scale), plan: shaders.PlanBatchNormGrad,
		cpu: func(d cpuref.NormGrads[float32], in [][]float32, plain bool) {
			if plain {
				cpuref.BatchNormGrad(d, in[0], in[1], in[3], in[4], in[2], g)
			} else {
				fast.BatchNormGrad(d, in[0], in[1], in[3], in[4], in[2], g)
			}
		},
	}.run(e)
}
