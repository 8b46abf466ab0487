package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// ConvParams are the parameters of Conv; see spec.ConvParams.
type ConvParams = spec.ConvParams

// Conv convolves x [N, C, spatial...] with weight w [K, C/groups, kernel...]
// and adds the bias b [K], which may be nil. The rank of x decides between 1, 2
// and 3 dimensions. The result is [N, K, spatial...] with
//
//	out = floor((in + padBegin + padEnd - dilation*(kernel-1) - 1)/stride) + 1
//
// Formula and parameters are those of PyTorch's Conv1d, Conv2d and Conv3d (a
// cross-correlation), with ONNX's padding per side and auto padding.
// Pure Go computes 3x3 convolutions by Winograd's method where the data keep its
// error within the budget; a GPU does only where that kernel is forced. See
// ConvParams.Direct. Errors: ErrShape, ErrParam, ErrTooLarge, ErrReleased, ErrEngine, ErrOutOfMemory.
func Conv(x, w, b *Tensor, p ConvParams) (*Tensor, error) {
	e, err := engineOf("Conv", x, w, b)
	if err != nil {
		return nil, err
	}
	if w == nil {
		return nil, fail("Conv", fmt.Errorf("%w: the weight", ErrNil))
	}
	g, err := spec.NewConv(x.shape, w.shape, shapeOf(b), p)
	if err != nil {
		return nil, fail("Conv", err)
	}
	c := convCall(g, e.force("conv") != "")
	c.in = []*Tensor{x, w, b}
	c.link = source(g.Act, func(a Activation) call {
		g := g
		g.Act = a
		return convCall(g, false)
	})
	c.link.tail = func(out, in [][]float32, t *fast.Tail) { fast.ConvTail(out[0], in[0], in[1], in[2], g, t) }
	return e.one(c, g.OutShape())
}

// convCall is the call without its inputs.
func convCall(g spec.Conv, forced bool) call {
	// The shaders of Winograd's method break the budget where magnitudes differ
	// widely within a tile, so they run only where they are forced. That of pure
	// Go looks at the data first.
	onDevice := g
	if !forced {
		onDevice.Direct = true
	}
	return call{
		name: "Conv", fn: "conv",
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanConv(onDevice, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.Conv(out[0], in[0], in[1], in[2], g)
			} else {
				fast.Conv(out[0], in[0], in[1], in[2], g)
			}
			return nil
		},
	}
}
