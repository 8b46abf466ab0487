package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// SGDParams are the parameters of SGDStep; see spec.SGDParams.
type SGDParams = spec.SGDParams

// AdamParams are the parameters of AdamStep; see spec.AdamParams.
type AdamParams = spec.AdamParams

// SGDStep makes one step of stochastic gradient descent, in one pass: it returns
// the new parameter and, with momentum, the new momentum buffer (nil without).
// scale, nil or a single number, multiplies the gradient, as clipping needs. m is
// the buffer of the last step, nil at the first or without momentum. The formula
// is PyTorch's SGD. Errors: ErrShape, ErrParam, ErrReleased, ErrEngine.
func SGDStep(p, grad, m, scale *Tensor, o SGDParams) (newP, newM *Tensor, err error) {
	const name = "SGDStep"
	o.First = m == nil
	if o.Momentum == 0 {
		m = nil
	}
	e, err := optimStep(name, o.Check(), p, grad, scale, m)
	if err != nil {
		return nil, nil, err
	}
	outs := []output{{p.shape, Float32}}
	if o.Momentum != 0 {
		outs = append(outs, output{p.shape, Float32})
	}
	out, err := e.run(call{
		name: name, fn: "sgd", in: []*Tensor{p, grad, scale, m}, out: outs,
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanSGD(o, p.Len(), scale != nil, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			var newM []float32
			if len(out) > 1 {
				newM = out[1]
			}
			if plain {
				cpuref.SGD(out[0], newM, in[0], in[1], in[3], in[2], o)
			} else {
				fast.SGD(out[0], newM, in[0], in[1], in[3], in[2], o)
			}
			return nil
		},
	})
	if err != nil {
		return nil, nil, err
	}
	if len(out) > 1 {
		newM = out[1]
	}
	return out[0], newM, nil
}

// AdamStep makes one step of Adam or AdamW, in one pass: it returns the new
// parameter and the new first and second moments. m and v start as zeros. scale,
// nil or a single number, multiplies the gradient. The formulas are PyTorch's
// Adam and AdamW. Errors: ErrShape, ErrParam, ErrReleased, ErrEngine.
func AdamStep(p, grad, m, v, scale *Tensor, o AdamParams) (newP, newM, newV *Tensor, err error) {
	const name = "AdamStep"
	if m == nil || v == nil {
		return nil, nil, nil, fail(name, fmt.Errorf("%w: the moments", ErrNil))
	}
	e, err := optimStep(name, o.Check(), p, grad, scale, m, v)
	if err != nil {
		return nil, nil, nil, err
	}
	out, err := e.run(call{
		name: name, fn: "adam", in: []*Tensor{p, grad, scale, m, v},
		out: []output{{p.shape, Float32}, {p.shape, Float32}, {p.shape, Float32}},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanAdam(o, p.Len(), scale != nil, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.Adam(out[0], out[1], out[2], in[0], in[1], in[3], in[4], in[2], o)
			} else {
				fast.Adam(out[0], out[1], out[2], in[0], in[1], in[3], in[4], in[2], o)
			}
			return nil
		},
	})
	if err != nil {
		return nil, nil, nil, err
	}
	return out[0], out[1], out[2], nil
}

// optimStep checks the arguments that the optimisers share.
func optimStep(name string, bad error, p, grad, scale *Tensor, state ...*Tensor) (*Engine, error) {
	e, err := engineOf(name, p, append(state, grad, scale)...)
	if err != nil {
		return nil, err
	}
	if bad != nil {
		return nil, fail(name, bad)
	}
	if grad == nil {
		return nil, fail(name, fmt.Errorf("%w: the gradient", ErrNil))
	}
	for _, t := range append(state, grad) {
		if t != nil && !spec.EqualShapes(t.shape, p.shape) {
			return nil, fail(name, &spec.Error{Kind: ErrShape, Message: fmt.Sprintf("the parameter is %v, but its gradient or state is %v", p.shape, t.shape)})
		}
	}
	if scale != nil && scale.Len() != 1 {
		return nil, fail(name, &spec.Error{Kind: ErrShape, Message: fmt.Sprintf("scale is %v; it must be a single number", scale.shape)})
	}
	return e, nil
}
