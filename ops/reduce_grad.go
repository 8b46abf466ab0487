package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// AmaxGrad returns the gradient of Amax with respect to its input x, for a
// gradient dy of its output y, both as Amax returned them with the same p. It is
// PyTorch's: the gradient of an output is shared evenly among the elements that
// equal it; NaN goes to all elements of a maximum that is NaN. Errors: as Amax,
// and ErrShape where dy or y is not of the output's shape.
func AmaxGrad(dy, x, y *Tensor, p ReduceParams) (*Tensor, error) {
	return reduceGrad("AmaxGrad", spec.ReduceMax, dy, x, y, p)
}

// AminGrad returns the gradient of Amin with respect to its input; see AmaxGrad.
func AminGrad(dy, x, y *Tensor, p ReduceParams) (*Tensor, error) {
	return reduceGrad("AminGrad", spec.ReduceMin, dy, x, y, p)
}

func reduceGrad(name string, f spec.ReduceFunc, dy, x, y *Tensor, p ReduceParams) (*Tensor, error) {
	e, err := engineOfGrad(name, dy, x, y)
	if err != nil {
		return nil, err
	}
	if x == nil || y == nil {
		return nil, fail(name, fmt.Errorf("%w: the input or the result of the reduction", ErrNil))
	}
	g, err := spec.NewReduce(f, x.shape, p)
	if err != nil {
		return nil, fail(name, err)
	}
	for _, t := range []*Tensor{dy, y} {
		if !spec.EqualShapes(t.shape, g.OutShape()) {
			return nil, fail(name, &spec.Error{Kind: ErrShape, Message: fmt.Sprintf("the output of %v over axes %v is %v, not %v", x.shape, p.Axes, g.OutShape(), t.shape)})
		}
	}
	return e.one(call{
		name: name, fn: "reduce_grad", in: []*Tensor{dy, x, y},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanReduceGrad(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.ReduceGrad(out[0], in[0], in[1], in[2], g)
			} else {
				fast.ReduceGrad(out[0], in[0], in[1], in[2], g)
			}
			return nil
		},
	}, x.shape)
}
