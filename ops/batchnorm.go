package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// BatchNormParams are the parameters of BatchNorm; see spec.BatchNormParams.
type BatchNormParams = spec.BatchNormParams

// BatchNormTrainParams are the parameters of BatchNormTrain; see
// spec.BatchNormTrainParams.
type BatchNormTrainParams = spec.BatchNormTrainParams

// BatchNormResult is what BatchNormTrain and InstanceNormTrain return. The
// running statistics are nil where none were given; those that were given are
// unchanged, as all tensors are.
type BatchNormResult struct {
	Y                       *Tensor // the shape of x
	Mean, Var, InvStd       *Tensor // of the batch: mean, population variance, 1/sqrt(variance+eps)
	RunningMean, RunningVar *Tensor // the updated running statistics
}

// Release releases every tensor of the result.
func (r *BatchNormResult) Release() {
	for _, t := range []*Tensor{r.Y, r.Mean, r.Var, r.InvStd, r.RunningMean, r.RunningVar} {
		t.Release()
	}
}

func newBatchNormResult(ts []*Tensor) *BatchNormResult {
	r := &BatchNormResult{Y: ts[0], Mean: ts[1], Var: ts[2], InvStd: ts[3]}
	if len(ts) > 4 {
		r.RunningMean, r.RunningVar = ts[4], ts[5]
	}
	return r
}

// BatchNorm normalizes x [N, C, spatial...], of any spatial rank, with given
// statistics of each channel, the inference form; mean, variance, scale and
// shift are [C], and the last two may be nil:
//
//	y = act((x - mean) / sqrt(variance + eps) * scale + shift)
//
// Formula and eps are those of PyTorch's BatchNorm in evaluation; the channel
// axis is free, as in WebNN. It also serves instance normalization with running
// statistics. Errors: ErrShape, ErrParam, ErrReleased, ErrEngine, ErrOutOfMemory.
func BatchNorm(x, mean, variance, scale, shift *Tensor, p BatchNormParams) (*Tensor, error) {
	const name = "BatchNorm"
	e, err := engineOf(name, x, mean, variance, scale, shift)
	if err != nil {
		return nil, err
	}
	if mean == nil || variance == nil {
		return nil, fail(name, fmt.Errorf("%w: mean and variance are needed", ErrNil))
	}
	g, err := spec.NewBatchNorm(x.shape, mean.shape, variance.shape, shapeOf(scale), shapeOf(shift), p)
	if err != nil {
		return nil, fail(name, err)
	}
	l := link{}
	if f, ok := g.FusedNorm(); ok {
		l = link{kind: linkNorm, norm: f}
	}
	return e.one(call{
		name: name, fn: "batchnorm", in: []*Tensor{x, mean, variance, scale, shift}, link: l,
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanBatchNorm(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.BatchNorm(out[0], in[0], in[1], in[2], in[3], in[4], g)
			} else {
				fast.BatchNorm(out[0], in[0], in[1], in[2], in[3], in[4], g)
			}
			return nil
		},
	}, g.OutShape())
}

// BatchNormTrain normalizes x [N, C, spatial...] with the mean and population
// variance that each channel has in x, the training form, and returns these and
// the running statistics brought up to date:
//
//	running = (1-momentum)*running + momentum*batch
//
// where the running variance takes the sample variance, as in PyTorch, unless
// p.Biased is set. scale, shift and the running statistics are [C] and may be
// nil. Variances are taken in two passes or by merging, so that a mean of 10^4
// deviations does no harm. Errors: ErrShape, ErrParam, ErrReleased, ErrEngine,
// ErrOutOfMemory.
func BatchNormTrain(x, scale, shift, runningMean, runningVar *Tensor, p BatchNormTrainParams) (*BatchNormResult, error) {
	const name = "BatchNormTrain"
	e, err := engineOf(name, x, scale, shift, runningMean, runningVar)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewBatchNormTrain(x.shape, shapeOf(scale), shapeOf(shift), shapeOf(runningMean), shapeOf(runningVar), p)
	if err != nil {
		return nil, fail(name, err)
	}
	channels := output{[]int{g.Channels()}, Float32}
	out := []output{{g.OutShape(), Float32}, channels, channels, channels}
	if g.Running {
		out = append(out, channels, channels)
	}
	ts, err := e.run(call{
		name: name, fn: "batchnorm_train", in: []*Tensor{x, scale, shift, runningMean, runningVar}, out: out,
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanBatchNormTrain(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.BatchNormTrain(out[0], batchStats(out), in[0], in[1], in[2], in[3], in[4], g)
			} else {
				fast.BatchNormTrain(out[0], batchStats(out), in[0], in[1], in[2], in[3], in[4], g)
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	return newBatchNormResult(ts), nil
}

// batchStats names the outputs of a normalization that returns its statistics.
func batchStats(out [][]float32) cpuref.BatchStats[float32] {
	st := cpuref.BatchStats[float32]{Mean: out[1], Var: out[2], InvStd: out[3]}
	if len(out) > 4 {
		st.RunningMean, st.RunningVar = out[4], out[5]
	}
	return st
}
