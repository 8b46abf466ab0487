package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// ConvTransposeParams are the parameters of ConvTranspose; see
// spec.ConvTransposeParams.
type ConvTransposeParams = spec.ConvTransposeParams

// ConvTranspose is the transposed convolution of x [N, C, spatial...] with
// weight w [C, K/groups, kernel...] plus the bias b [K], which may be nil. The
// rank of x decides between 1, 2 and 3 dimensions. The result is
// [N, K, spatial...] with
//
//	out = (in-1)*stride - padBegin - padEnd + dilation*(kernel-1) + 1 + outputPadding
//
// or the OutputSize that was asked for. Formula and parameters are those of
// PyTorch's ConvTranspose1d, 2d and 3d, with ONNX's padding per side, auto
// padding and output shape. Errors: ErrShape, ErrParam, ErrTooLarge,
// ErrReleased, ErrEngine, ErrOutOfMemory.
func ConvTranspose(x, w, b *Tensor, p ConvTransposeParams) (*Tensor, error) {
	e, err := engineOf("ConvTranspose", x, w, b)
	if err != nil {
		return nil, err
	}
	if w == nil {
		return nil, fail("ConvTranspose", fmt.Errorf("%w: the weight", ErrNil))
	}
	g, err := spec.NewConvTranspose(x.shape, w.shape, shapeOf(b), p)
	if err != nil {
		return nil, fail("ConvTranspose", err)
	}
	c := convTransposeCall(g)
	c.in = []*Tensor{x, w, b}
	c.link = source(g.Act, func(a Activation) call {
		g := g
		g.Act = a
		return convTransposeCall(g)
	})
	return e.one(c, g.OutShape())
}

// convTransposeCall is the call without its inputs.
func convTransposeCall(g spec.ConvTranspose) call {
	return call{
		name: "ConvTranspose", fn: "convtranspose",
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanConvTranspose(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.ConvTranspose(out[0], in[0], in[1], in[2], g)
			} else {
				fast.ConvTranspose(out[0], in[0], in[1], in[2], g)
			}
			return nil
		},
	}
}
