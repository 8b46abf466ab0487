package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// Moments returns the mean and the population variance of x along some axes
// (negative counts from the end; none means all of them), with 1 in the shape
// for each. The variance is that of deviations from the mean, so that a mean of
// 10^4 deviations does no harm. Errors: ErrParam (no such axis, or one twice),
// ErrReleased, ErrOutOfMemory.
func Moments(x *Tensor, axes ...int) (mean, variance *Tensor, err error) {
	const name = "Moments"
	e, err := engineOf(name, x)
	if err != nil {
		return nil, nil, err
	}
	g, err := spec.NewMoments(x.shape, axes)
	if err != nil {
		return nil, nil, fail(name, err)
	}
	stat := output{g.StatShape(), Float32}
	ts, err := e.run(call{
		name: name, fn: "moments", in: []*Tensor{x}, out: []output{stat, stat},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanMoments(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.MeanVariances(out[0], out[1], in[0], g)
			} else {
				fast.MeanVariances(out[0], out[1], in[0], g)
			}
			return nil
		},
	})
	if err != nil {
		return nil, nil, err
	}
	return ts[0], ts[1], nil
}
