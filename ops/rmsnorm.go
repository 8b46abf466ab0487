package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// RMSNorm divides the elements along some axes of x, by default the last one, by
// the root of their mean square, and applies a scale and a shift of the shape of
// these axes, which may be nil:
//
//	y = act(x / sqrt(mean(x^2) + eps) * scale + shift)
//
// Eps is 1e-5 by default, as in ONNX. Errors: ErrShape, ErrParam, ErrReleased,
// ErrEngine, ErrOutOfMemory.
func RMSNorm(x, scale, shift *Tensor, p LayerNormParams) (*Tensor, error) {
	const name = "RMSNorm"
	e, err := engineOf(name, x, scale, shift)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewRMSNorm(x.shape, shapeOf(scale), shapeOf(shift), p)
	if err != nil {
		return nil, fail(name, err)
	}
	return e.one(call{
		name: name, fn: "rmsnorm", in: []*Tensor{x, scale, shift}, link: link{kind: linkAlone},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanRMSNorm(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.RMSNorm(out[0], in[0], in[1], in[2], g)
			} else {
				fast.RMSNorm(out[0], in[0], in[1], in[2], g)
			}
			return nil
		},
	}, g.OutShape())
}
