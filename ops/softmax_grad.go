package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// SoftmaxGrad returns the gradient of Softmax with respect to its input, for a
// gradient dy of its output y:
//
//	dx = y * (dy - sum of dy*y)
//
// with the sum along the axis (negative counts from the end). Errors: ErrShape,
// ErrParam (no such axis), ErrNil, ErrReleased, ErrEngine, ErrOutOfMemory.
func SoftmaxGrad(dy, y *Tensor, axis int) (*Tensor, error) {
	return softmaxGrad("SoftmaxGrad", dy, y, axis, spec.Softmax)
}

// LogSoftmaxGrad returns the gradient of LogSoftmax with respect to its input,
// for a gradient dy of its output y: dx = dy - exp(y) * sum of dy. Otherwise as
// SoftmaxGrad.
func LogSoftmaxGrad(dy, y *Tensor, axis int) (*Tensor, error) {
	return softmaxGrad("LogSoftmaxGrad", dy, y, axis, spec.LogSoftmax)
}

func softmaxGrad(name string, dy, y *Tensor, axis int, kind spec.SoftmaxKind) (*Tensor, error) {
	e, err := gradEngine(name, dy, y)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewSoftmaxGrad(dy.shape, y.shape, axis, kind)
	if err != nil {
		return nil, fail(name, err)
	}
	return e.one(call{
		name: name, fn: "softmax_grad", in: []*Tensor{dy, y},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanSoftmaxGrad(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.SoftmaxGrad(out[0], in[0], in[1], g)
			} else {
				fast.SoftmaxGrad(out[0], in[0], in[1], g)
			}
			return nil
		},
	}, g.OutShape())
}
