package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// UnpoolParams are the parameters of MaxUnpool; see spec.UnpoolParams.
type UnpoolParams = spec.UnpoolParams

// MaxUnpool undoes a max pooling as far as that can be: it puts each value of
// x [N, C, spatial...] at its index within the output's plane, and zeros
// elsewhere. The indices are an Int32 tensor of x's shape, as MaxPoolIndices
// returns them. The result is [N, C, out...] with
//
//	out = (in-1)*stride - padBegin - padEnd + kernel
//
// or UnpoolParams.OutSize. The meaning is that of PyTorch's MaxUnpool1d, 2d and
// 3d, with two rules where those leave it open or fail: of several values with
// one index the last in row-major order stays, and a value whose index is
// outside of the plane is left out (the indices are on the device, so that a
// call cannot tell). Errors: ErrShape, ErrParam, ErrTooLarge, ErrType (indices
// that are not Int32), ErrNil, ErrReleased, ErrEngine, ErrOutOfMemory.
func MaxUnpool(x, indices *Tensor, p UnpoolParams) (*Tensor, error) {
	const name = "MaxUnpool"
	e, err := engineOf(name, x)
	if err != nil {
		return nil, err
	}
	if err := e.checkIndices(indices); err != nil {
		return nil, fail(name, err)
	}
	g, err := spec.NewUnpool(x.shape, indices.shape, p)
	if err != nil {
		return nil, fail(name, err)
	}
	return e.one(call{
		name: name, fn: "unpool", in: []*Tensor{x, indices},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) { return shaders.PlanUnpool(g, dev, force) },
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.Unpool(out[0], in[0], asInt32(in[1]), g)
			} else {
				fast.Unpool(out[0], in[0], asInt32(in[1]), g)
			}
			return nil
		},
	}, g.OutShape())
}

// checkIndices is what engineOf does for tensors of values, for one of indices.
func (e *Engine) checkIndices(t *Tensor) error {
	switch {
	case t.none():
		return fmt.Errorf("%w: the indices", ErrNil)
	case t.eng != e && (t.eng.core != e.core || t.eng.rec != nil): // a recording may use indices from outside
		return fmt.Errorf("%w: one is on %s, the other on %s", ErrEngine, e.device.Name, t.eng.device.Name)
	case t.h.gone.Load():
		return fmt.Errorf("%w (shape %v)", ErrReleased, t.shape)
	case t.dtype != Int32:
		return fmt.Errorf("%w: the indices of shape %v hold %v", ErrType, t.shape, t.dtype)
	}
	return nil
}
