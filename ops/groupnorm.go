package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// GroupNormParams are the parameters of GroupNorm; see spec.GroupNormParams.
type GroupNormParams = spec.GroupNormParams

// GroupNorm normalizes x [N, C, spatial...] over the channels of a group and the
// spatial axes; scale and shift are [C] and may be nil:
//
//	y = act((x - mean) / sqrt(variance + eps) * scale + shift)
//
// as PyTorch's GroupNorm. Errors: ErrShape, ErrParam, ErrReleased, ErrEngine,
// ErrOutOfMemory.
func GroupNorm(x, scale, shift *Tensor, p GroupNormParams) (*Tensor, error) {
	const name = "GroupNorm"
	e, err := engineOf(name, x, scale, shift)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewGroupNorm(x.shape, shapeOf(scale), shapeOf(shift), p)
	if err != nil {
		return nil, fail(name, err)
	}
	c := groupNormCall(g)
	c.in = []*Tensor{x, scale, shift}
	c.link = link{kind: linkAlone}
	if e.dev != nil {
		c.link = source(g.Act, func(a Activation) call {
			g := g
			g.Act = a
			return groupNormCall(g)
		})
	}
	return e.one(c, g.OutShape())
}

// groupNormCall is the call without its inputs.
func groupNormCall(g spec.GroupNorm) call {
	return call{
		name: "GroupNorm", fn: "groupnorm",
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanGroupNorm(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.GroupNorm(out[0], in[0], in[1], in[2], g)
			} else {
				fast.GroupNorm(out[0], in[0], in[1], in[2], g)
			}
			return nil
		},
	}
}
