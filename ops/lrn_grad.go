package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// LRNGrad returns the gradient of LRN with respect to its input x, for a gradient
// dy of its output. With d the base of the power and a = alpha/size,
//
//	dx[j] = dy[j]*d[j]^-beta - 2*a*beta*x[j] * sum of dy[c]*x[c]*d[c]^(-beta-1)
//
// over the channels c whose windows have j. p is that of the forward call,
// without an activation: its gradient comes first. Errors: ErrShape, ErrParam,
// ErrNil, ErrReleased, ErrEngine, ErrOutOfMemory.
func LRNGrad(dy, x *Tensor, p LRNParams) (*Tensor, error) {
	const name = "LRNGrad"
	e, err := gradEngine(name, dy, x)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewLRNGrad(dy.shape, x.shape, p)
	if err != nil {
		return nil, fail(name, err)
	}
	return e.one(call{
		name: name, fn: "lrn_grad", in: []*Tensor{dy, x},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanLRNGrad(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.LRNGrad(out[0], in[0], in[1], g)
			} else {
				fast.LRNGrad(out[0], in[0], in[1], g)
			}
			return nil
		},
	}, g.OutShape())
}
