package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// Transpose permutes axes: axis i of the result is axis perm[i] of x (negative
// from the back), as NumPy's transpose and PyTorch's permute. Without numbers
// the axes are reversed. A permutation that moves no element, such as one of
// axes of size 1, returns a view. Errors: ErrShape, ErrParam, ErrReleased,
// ErrOutOfMemory.
func Transpose(x *Tensor, perm ...int) (*Tensor, error) {
	return gather("Transpose", "transpose", x, func() (spec.Gather, error) { return spec.NewTranspose(x.shape, perm) })
}

// gather makes the call of Transpose and Slice; resolve is called once x is
// known to be there.
func gather(name, fn string, x *Tensor, resolve func() (spec.Gather, error)) (*Tensor, error) {
	e, err := engineOf(name, x)
	if err != nil {
		return nil, err
	}
	g, err := resolve()
	if err != nil {
		return nil, fail(name, err)
	}
	if g.IsView() {
		v, err := x.Reshape(g.OutShape()...)
		return v, fail(name, err)
	}
	return e.one(call{
		name: name, fn: fn, in: []*Tensor{x},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) { return shaders.PlanGather(g, dev, force) },
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.Gather(out[0], in[0], g)
			} else {
				fast.Gather(out[0], in[0], g)
			}
			return nil
		},
	}, g.OutShape())
}
