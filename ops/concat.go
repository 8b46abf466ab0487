package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// Concat joins tensors along an axis (negative from the back), as PyTorch's cat.
// Their other axes must agree. Errors: ErrShape, ErrParam, ErrTooLarge,
// ErrReleased, ErrEngine, ErrNil, ErrOutOfMemory.
func Concat(axis int, xs ...*Tensor) (*Tensor, error) {
	if len(xs) == 0 {
		return nil, fail("Concat", &spec.Error{Kind: ErrShape, Message: "nothing to concatenate"})
	}
	shapes := make([][]int, len(xs))
	for i, x := range xs {
		if x == nil {
			return nil, fail("Concat", fmt.Errorf("%w: input %d", ErrNil, i))
		}
		shapes[i] = x.shape
	}
	e, err := engineOf("Concat", xs[0], xs[1:]...)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewConcat(axis, shapes...)
	if err != nil {
		return nil, fail("Concat", err)
	}
	return e.one(call{
		name: "Concat", fn: "concat", in: xs,
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) { return shaders.PlanConcat(g, dev, force) },
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.Concat(out[0], in, g)
			} else {
				fast.Concat(out[0], in, g)
			}
			return nil
		},
	}, g.OutShape())
}
