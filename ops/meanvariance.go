package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// MeanVarianceParams are the parameters of MeanVarianceNorm; see
// spec.MeanVarianceParams.
type MeanVarianceParams = spec.MeanVarianceParams

// MeanVarianceNorm brings the elements along some axes of x, by default all but
// the second, to mean 0 and variance 1:
//
//	y = act((x - mean) / (sqrt(variance) + eps))
//
// as ONNX's MeanVarianceNormalization, with eps outside of the root, 1e-9 by
// default. For a scale and a shift see LayerNorm, whose axes are as free.
// Errors: ErrShape, ErrParam, ErrReleased, ErrOutOfMemory.
func MeanVarianceNorm(x *Tensor, p MeanVarianceParams) (*Tensor, error) {
	const name = "MeanVarianceNorm"
	e, err := engineOf(name, x)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewMeanVariance(x.shape, p)
	if err != nil {
		return nil, fail(name, err)
	}
	return e.one(call{
		name: name, fn: "meanvariance", in: []*Tensor{x, nil, nil}, link: link{kind: linkAlone},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanMeanVariance(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.MeanVariance(out[0], in[0], g)
			} else {
				fast.MeanVariance(out[0], in[0], g)
			}
			return nil
		},
	}, g.OutShape())
}
