package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// LpNormalizeParams are the parameters of LpNormalize; see spec.LpNormalizeParams.
type LpNormalizeParams = spec.LpNormalizeParams

// LpNormalize divides the elements along an axis (negative counts from the end)
// by their Lp norm:
//
//	y = act(x / max((sum of |x|^p)^(1/p), eps))
//
// as PyTorch's normalize, p being 2 by default; zeros give zeros, also without
// eps. Errors: ErrParam, ErrReleased, ErrOutOfMemory.
func LpNormalize(x *Tensor, axis int, p LpNormalizeParams) (*Tensor, error) {
	const name = "LpNormalize"
	e, err := engineOf(name, x)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewLpNormalize(x.shape, axis, p)
	if err != nil {
		return nil, fail(name, err)
	}
	return e.one(call{
		name: name, fn: "lpnormalize", in: []*Tensor{x},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanLpNormalize(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.LpNormalize(out[0], in[0], g)
			} else {
				fast.LpNormalize(out[0], in[0], g)
			}
			return nil
		},
	}, g.OutShape())
}
