package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// UpsampleGrad returns the gradient of Upsample with respect to its input, of
// shape x, for a gradient dy of the result: each element gets what the outputs
// took of it, one axis after the other. Errors: as Upsample.
func UpsampleGrad(dy *Tensor, x []int, p UpsampleParams) (*Tensor, error) {
	const name = "UpsampleGrad"
	e, err := engineOfGrad(name, dy)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewUpsample(x, p)
	if err != nil {
		return nil, fail(name, err)
	}
	if !spec.EqualShapes(dy.shape, g.OutShape()) {
		return nil, fail(name, &spec.Error{Kind: ErrShape, Message: fmt.Sprintf("the gradient is %v, but the result is %v", dy.shape, g.OutShape())})
	}
	passes, shapes := g.Passes()
	if e.dev == nil && len(passes) > 0 {
		return e.one(call{
			name: name, fn: "upsample_grad", in: []*Tensor{dy},
			cpu: func(out, in [][]float32, plain bool) error {
				if !plain {
					fast.UpsampleGrad(out[0], in[0], g)
					return nil
				}
				inPasses(out[0], in[0], shapes, func(i int, dx, dy []float32) { cpuref.UpsampleGrad(dx, dy, passes[i]) })
				return nil
			},
		}, x)
	}
	now, err := dy.Reshape(dy.shape...)
	if err != nil {
		return nil, fail(name, err)
	}
	for i, pass := range passes {
		next, err := e.upsampleGradPass(now, pass, shapes[i])
		now.Release()
		if err != nil {
			return nil, fail(name, err)
		}
		now = next
	}
	return now, nil
}

// upsampleGradPass records one pass for a GPU.
func (e *Engine) upsampleGradPass(dy *Tensor, g spec.UpsampleGrad, shape []int) (*Tensor, error) {
	var tmp scope
	defer tmp.release()
	in := []*Tensor{dy, nil, nil, nil}
	var err error
	if in[1], err = tmp.add(e.Indices(g.Start, len(g.Start))); err != nil {
		return nil, err
	}
	if in[2], err = tmp.add(e.Indices(g.From, len(g.From))); err != nil {
		return nil, err
	}
	if in[3], err = tmp.add(e.Tensor(g.Weight, len(g.Weight))); err != nil {
		return nil, err
	}
	return e.one(call{
		name: "UpsampleGrad", fn: "upsample_grad", in: in,
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanUpsampleGrad(g, dev, force)
		},
	}, shape)
}
