package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// CrossEntropyParams are the parameters of CrossEntropy; see
// spec.CrossEntropyParams.
type CrossEntropyParams = spec.CrossEntropyParams

// CrossEntropy returns the cross-entropy of softmax(logits) over axis 1 with
// class labels: logits [N, C, rest...], labels an index tensor [N, rest...],
// classWeights [C] or nil. The mean over the samples that count, a single
// number, or as p.Reduction says. The formula is PyTorch's CrossEntropyLoss; see
// spec.CrossEntropy. A label outside of [0, C) gives NaN, unless it is the one to
// ignore. Errors: ErrShape, ErrParam, ErrType, ErrReleased, ErrEngine.
func CrossEntropy(logits, labels, classWeights *Tensor, p CrossEntropyParams) (*Tensor, error) {
	const name = "CrossEntropy"
	e, g, err := crossEntropy(name, logits, labels, classWeights, p)
	if err != nil {
		return nil, err
	}
	out, err := e.crossEntropyLosses(name, g, logits, labels, classWeights)
	if err != nil {
		return nil, err
	}
	defer out[1].Release()
	if p.Reduction != spec.ReduceToMean {
		return reduceLoss(out[0], p.Reduction)
	}
	defer out[0].Release()
	return ratioOfSums(out[0], out[1])
}

// ratioOfSums returns sum(a) / sum(b).
func ratioOfSums(a, b *Tensor) (*Tensor, error) {
	sa, err := Sum(a, ReduceParams{})
	if err != nil {
		return nil, err
	}
	defer sa.Release()
	sb, err := Sum(b, ReduceParams{})
	if err != nil {
		return nil, err
	}
	defer sb.Release()
	return Div(sa, sb)
}

// CrossEntropyGrad returns the gradient of CrossEntropy with respect to the
// logits, for a gradient dy of the loss: a single number, or without reduction
// one for each label. Errors: as CrossEntropy.
func CrossEntropyGrad(dy, logits, labels, classWeights *Tensor, p CrossEntropyParams) (*Tensor, error) {
	const name = "CrossEntropyGrad"
	e, g, err := crossEntropy(name, logits, labels, classWeights, p)
	if err != nil {
		return nil, err
	}
	if dy == nil {
		return nil, fail(name, fmt.Errorf("%w: the gradient of the loss", ErrNil))
	}
	if _, err := engineOf(name, dy, logits); err != nil {
		return nil, err
	}
	each, err := spec.LossGradEach(dy.shape, g.OutShape(), p.Reduction)
	if err != nil {
		return nil, fail(name, err)
	}
	if p.Reduction == spec.ReduceToMean {
		weights, err := e.one(call{
			name: name, fn: "crossentropy_weights", in: []*Tensor{labels, classWeights},
			plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
				return shaders.PlanCrossEntropyWeights(g, dev, force)
			},
			cpu: func(out, in [][]float32, _ bool) error {
				cpuref.CrossEntropyWeights(out[0], asInt32(in[0]), in[1], g)
				return nil
			},
		}, g.OutShape())
		if err != nil {
			return nil, err
		}
		defer weights.Release()
		total, err := Sum(weights, ReduceParams{})
		if err != nil {
			return nil, err
		}
		defer total.Release()
		scaled, err := Div(dy, total)
		if err != nil {
			return nil, fail(name, err)
		}
		defer scaled.Release()
		dy = scaled
	}
	return e.one(call{
		name: name, fn: "crossentropy_grad", in: []*Tensor{logits, labels, classWeights, dy},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanCrossEntropyGrad(g, each, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.CrossEntropyGrad(out[0], in[3], in[0], asInt32(in[1]), in[2], g)
			} else {
				fast.CrossEntropyGrad(out[0], in[3], in[0], asInt32(in[1]), in[2], g)
			}
			return nil
		},
	}, logits.shape)
}

// crossEntropyLosses returns the loss and the weight of every sample.
func (e *Engine) crossEntropyLosses(name string, g spec.CrossEntropy, logits, labels, classWeights *Tensor) ([]*Tensor, error) {
	return e.run(call{
		name: name, fn: "crossentropy", in: []*Tensor{logits, labels, classWeights, nil},
		out: []output{{g.OutShape(), Float32}, {g.OutShape(), Float32}},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanCrossEntropy(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.CrossEntropy(out[0], out[1], in[0], asInt32(in[1]), in[2], g)
			} else {
				fast.CrossEntropy(out[0], out[1], in[0], asInt32(in[1]), in[2], g)
			}
			return nil
		},
	})
}

// crossEntropy checks the arguments that the loss and its gradient share.
func crossEntropy(name string, logits, labels, classWeights *Tensor, p CrossEntropyParams) (*Engine, spec.CrossEntropy, error) {
	var g spec.CrossEntropy
	e, err := engineOf(name, logits, classWeights)
	if err != nil {
		return nil, g, err
	}
	if err := e.checkIndices(labels); err != nil {
		return nil, g, fail(name, err)
	}
	g, err = spec.NewCrossEntropy(logits.shape, labels.shape, shapeOf(classWeights), p)
	return e, g, fail(name, err)
}
