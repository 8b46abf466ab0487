package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// LpNormalizeGrad returns the gradient of LpNormalize with respect to its input
// x, for a gradient dy of its output. With n the norm and y = x/n,
//
//	dx = (dy - sign(x)*|y|^(p-1) * sum of dy*y) / n
//
// where n is at least eps, and dy/eps elsewhere. The derivative of the norm by an
// element that is 0 is 0, and elements that share the largest magnitude share it
// for p = +Inf, as in PyTorch. A slice of zeros without eps has the gradient 0.
// p is that of the forward call, without an activation: its gradient comes
// first. Errors: ErrShape, ErrParam, ErrNil, ErrReleased, ErrEngine,
// ErrOutOfMemory.
func LpNormalizeGrad(dy, x *Tensor, axis int, p LpNormalizeParams) (*Tensor, error) {
	const name = "LpNormalizeGrad"
	e, err := gradEngine(name, dy, x)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewLpNormalizeGrad(dy.shape, x.shape, axis, p)
	if err != nil {
		return nil, fail(name, err)
	}
	return e.one(call{
		name: name, fn: "lpnormalize_grad", in: []*Tensor{dy, x},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanLpNormalizeGrad(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.LpNormalizeGrad(out[0], in[0], in[1], g)
			} else {
				fast.LpNormalizeGrad(out[0], in[0], in[1], g)
			}
			return nil
		},
	}, g.OutShape())
}
