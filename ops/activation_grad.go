package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// PointwiseGrad returns the gradient of a pointwise function with respect to its
// input: dx = dy * f'(x), with PyTorch's conventions at kinks. dy has the shape
// of x. Errors: ErrShape, ErrParam, ErrReleased, ErrEngine, ErrOutOfMemory.
func PointwiseGrad(dy, x *Tensor, f Activation) (*Tensor, error) {
	const name = "PointwiseGrad"
	e, err := engineOf(name, x, dy)
	if err != nil {
		return nil, err
	}
	if dy == nil {
		return nil, fail(name, fmt.Errorf("%w: the gradient", ErrNil))
	}
	if err := f.Check(); err != nil {
		return nil, fail(name, err)
	}
	if !spec.EqualShapes(dy.shape, x.shape) {
		return nil, fail(name, &spec.Error{Kind: ErrShape, Message: fmt.Sprintf("the gradient is %v, but the input is %v", dy.shape, x.shape)})
	}
	n := x.Len()
	return e.one(call{
		name: name, fn: "activation_grad", in: []*Tensor{dy, x},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanActivationGrad(f, n, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.PointwiseGrad(out[0], in[0], in[1], f)
			} else {
				fast.PointwiseGrad(out[0], in[0], in[1], f)
			}
			return nil
		},
	}, x.shape)
}
