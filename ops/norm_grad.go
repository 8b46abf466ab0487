package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// normGradCall is one gradient of a normalization, its geometry resolved.
type normGradCall struct {
	name, fn string
	g        spec.NormGrad
	in       []*Tensor // dy, x, scale and what cpu takes besides
	affine   []int     // the shape of dscale and dshift
	plan     func(function string, g spec.NormGrad, dev shaders.Device, force string) (shaders.Plan, error)
	cpu      func(d cpuref.NormGrads[float32], in [][]float32, plain bool)
}

// run computes the gradient. dscale and dshift are nil where there is no scale.
func (c normGradCall) run(e *Engine) (dx, dscale, dshift *Tensor, err error) {
	out := []output{{c.g.OutShape(), Float32}}
	if c.g.Scale {
		out = append(out, output{c.affine, Float32}, output{c.affine, Float32})
	}
	ts, err := e.run(call{
		name: c.name, fn: c.fn, in: c.in, out: out,
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) { return c.plan(c.fn, c.g, dev, force) },
		cpu: func(out, in [][]float32, plain bool) error {
			d := cpuref.NormGrads[float32]{X: out[0]}
			if len(out) > 1 {
				d.Scale, d.Shift = out[1], out[2]
			}
			c.cpu(d, in, plain)
			return nil
		},
	})
	if err != nil {
		return nil, nil, nil, err
	}
	if len(ts) == 1 {
		return ts[0], nil, nil, nil
	}
	return ts[0], ts[1], ts[2], nil
}

// normGrad is the gradient of a normalization with the statistics of x itself,
// whose geometry forward resolves.
func normGrad(name, fn string, dy, x, scale *Tensor, forward func(x, scale []int) (spec.Norm, error)) (dx, dscale, dshift *Tensor, err error) {
	e, err := gradEngine(name, dy, x, scale)
	if err != nil {
		return nil, nil, nil, err
	}
	norm, err := forward(x.shape, shapeOf(scale))
	if err != nil {
		return nil, nil, nil, fail(name, err)
	}
	g, err := spec.NewNormGrad(norm, dy.shape)
	if err != nil {
		return nil, nil, nil, fail(name, err)
	}
	return normGradCall{
		name: name, fn: fn, g: g, in: []*Tensor{dy, x, scale}, affine: shapeOf(scale), plan: shaders.PlanNormGrad,
		cpu: func(d cpuref.NormGrads[float32], in [][]float32, plain bool) {
			if plain {
				cpuref.NormGrad(d, in[0], in[1], in[2], g)
			} else {
				fast.NormGrad(d, in[0], in[1], in[2], g)
			}
		},
	}.run(e)
}

// gradEngine is engineOf for a gradient dy and a further tensor, both needed.
func gradEngine(name string, dy, x *Tensor, more ...*Tensor) (*Engine, error) {
	if dy == nil {
		return nil, fail(name, fmt.Errorf("%w: the gradient", ErrNil))
	}
	return engineOf(name, x, append([]*Tensor{dy}, more...)...)
}
