package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// LayerNormParams are the parameters of LayerNorm and RMSNorm; see
// spec.LayerNormParams.
type LayerNormParams = spec.LayerNormParams

// LayerNorm brings the elements along some axes of x, by default the last one,
// to mean 0 and variance 1, and applies a scale and a shift of the shape of
// these axes, which may be nil:
//
//	y = act((x - mean) / sqrt(variance + eps) * scale + shift)
//
// as PyTorch's LayerNorm (the last axes, by p.Shape) and WebNN's (any axes, by
// p.Axes). Errors: ErrShape, ErrParam, ErrReleased, ErrEngine, ErrOutOfMemory.
func LayerNorm(x, scale, shift *Tensor, p LayerNormParams) (*Tensor, error) {
	ts, err := layerNorm("LayerNorm", x, scale, shift, p, false)
	if err != nil {
		return nil, err
	}
	return ts[0], nil
}

// LayerNormStats is LayerNorm that also returns the mean and the inverse
// standard deviation 1/sqrt(variance+eps) of each group, as ONNX does. They have
// the shape of x with 1 for each axis that is averaged over.
func LayerNormStats(x, scale, shift *Tensor, p LayerNormParams) (y, mean, invStd *Tensor, err error) {
	ts, err := layerNorm("LayerNormStats", x, scale, shift, p, true)
	if err != nil {
		return nil, nil, nil, err
	}
	return ts[0], ts[1], ts[2], nil
}

func layerNorm(name string, x, scale, shift *Tensor, p LayerNormParams, stats bool) ([]*Tensor, error) {
	e, err := engineOf(name, x, scale, shift)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewLayerNorm(x.shape, shapeOf(scale), shapeOf(shift), p)
	if err != nil {
		return nil, fail(name, err)
	}
	out, l := []output{{g.OutShape(), Float32}}, link{kind: linkAlone}
	if stats {
		l = link{}
		out = append(out, output{g.StatShape(), Float32}, output{g.StatShape(), Float32})
	}
	return e.run(call{
		name: name, fn: "layernorm", in: []*Tensor{x, scale, shift}, out: out, link: l,
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanLayerNorm(g, stats, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			var mean, invStd []float32
			if stats {
				mean, invStd = out[1], out[2]
			}
			if plain {
				cpuref.LayerNorm(out[0], mean, invStd, in[0], in[1], in[2], g)
			} else {
				fast.LayerNorm(out[0], mean, invStd, in[0], in[1], in[2], g)
			}
			return nil
		},
	})
}
