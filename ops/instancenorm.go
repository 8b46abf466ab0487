package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// InstanceNormParams are the parameters of InstanceNorm; see
// spec.InstanceNormParams.
type InstanceNormParams = spec.InstanceNormParams

// InstanceNormTrainParams are the parameters of InstanceNormTrain; see
// spec.InstanceNormTrainParams.
type InstanceNormTrainParams = spec.InstanceNormTrainParams

// InstanceNorm normalizes each channel of each element of the batch by itself:
// x is [N, C, spatial...], scale and shift are [C] and may be nil,
//
//	y[n,c] = act((x[n,c] - mean(x[n,c])) / sqrt(variance(x[n,c]) + eps) * scale[c] + shift[c])
//
// as PyTorch's InstanceNorm without running statistics. With them, evaluation
// is BatchNorm, and training is InstanceNormTrain. Errors: ErrShape, ErrParam,
// ErrReleased, ErrEngine, ErrOutOfMemory.
func InstanceNorm(x, scale, shift *Tensor, p InstanceNormParams) (*Tensor, error) {
	const name = "InstanceNorm"
	e, err := engineOf(name, x, scale, shift)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewInstanceNorm(x.shape, shapeOf(scale), shapeOf(shift), p)
	if err != nil {
		return nil, fail(name, err)
	}
	c := instanceNormCall(g)
	c.in = []*Tensor{x, scale, shift}
	c.link = link{kind: linkAlone}
	if e.dev != nil {
		c.link = source(g.Act, func(a Activation) call {
			g := g
			g.Act = a
			return instanceNormCall(g)
		})
	}
	return e.one(c, g.OutShape())
}

// instanceNormCall is the call without its inputs.
func instanceNormCall(g spec.InstanceNorm) call {
	return call{
		name: "InstanceNorm", fn: "instancenorm",
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanInstanceNorm(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.InstanceNorm(out[0], in[0], in[1], in[2], g)
			} else {
				fast.InstanceNorm(out[0], in[0], in[1], in[2], g)
			}
			return nil
		},
	}
}

// InstanceNormTrain is InstanceNorm that also returns the statistics, Mean, Var
// and InvStd [N, C], and updates the running ones [C], which may be nil, with
// the averages over the batch:
//
//	running = (1-momentum)*running + momentum*average
//
// The running variance takes the sample variances, as in PyTorch, unless
// p.Biased is set. Errors: ErrShape, ErrParam, ErrReleased, ErrEngine,
// ErrOutOfMemory.
func InstanceNormTrain(x, scale, shift, runningMean, runningVar *Tensor, p InstanceNormTrainParams) (*BatchNormResult, error) {
	const name = "InstanceNormTrain"
	e, err := engineOf(name, x, scale, shift, runningMean, runningVar)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewInstanceNormTrain(x.shape, shapeOf(scale), shapeOf(shift), shapeOf(runningMean), shapeOf(runningVar), p)
	if err != nil {
		return nil, fail(name, err)
	}
	stat, channels := output{g.StatShape(), Float32}, output{[]int{g.C}, Float32}
	out := []output{{g.OutShape(), Float32}, stat, stat, stat}
	if g.Running {
		out = append(out, channels, channels)
	}
	ts, err := e.run(call{
		name: name, fn: "instancenorm", in: []*Tensor{x, scale, shift, runningMean, runningVar}, out: out,
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanInstanceNormTrain(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.InstanceNormTrain(out[0], batchStats(out), in[0], in[1], in[2], in[3], in[4], g)
			} else {
				fast.InstanceNormTrain(out[0], batchStats(out), in[0], in[1], in[2], in[3], in[4], g)
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	return newBatchNormResult(ts), nil
}
