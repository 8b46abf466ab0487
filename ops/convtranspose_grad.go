package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

// ConvTransposeGradInput returns the gradient of a transposed convolution with
// respect to its input, of shape x, for a gradient dy of the output: the
// convolution of dy with the same weight. p are the parameters of the transposed
// convolution; a fused activation is not among them (ErrParam). Errors: as
// ConvTranspose.
func ConvTransposeGradInput(dy, w *Tensor, x []int, p ConvTransposeParams) (*Tensor, error) {
	const name = "ConvTransposeGradInput"
	g, err := convTransposeOf(name, dy, w, x, shapeOf(w), p)
	if err != nil {
		return nil, err
	}
	dx, err := Conv(dy, w, nil, ConvParams{
		Stride: axesOf(g.Rank, g.Stride), Dilation: axesOf(g.Rank, g.Dilation), Groups: g.Groups,
		Padding: append(axesOf(g.Rank, g.PadBegin), axesOf(g.Rank, g.PadEnd)...),
	})
	if err != nil || spec.EqualShapes(dx.shape, x) {
		return dx, fail(name, err)
	}
	// Output padding of a stride or more: the convolution goes on behind the
	// input's end.
	defer dx.Release()
	dx, err = Slice(dx, nil, x, nil)
	return dx, fail(name, err)
}

// ConvTransposeGradWeight returns the gradient of a transposed convolution with
// respect to its weight, of shape w, for a gradient dy of the output and the
// input x; see ConvGradWeight. Errors: as ConvTranspose.
func ConvTransposeGradWeight(dy, x *Tensor, w []int, p ConvTransposeParams) (*Tensor, error) {
	const name = "ConvTransposeGradWeight"
	g, err := convTransposeOf(name, dy, x, shapeOf(x), w, p)
	if err != nil {
		return nil, err
	}
	// The weight is that of the convolution from y to x: dy is its input, and x
	// stands where the gradient of its output does.
	c := spec.Conv{Window: g.Window, N: g.N, C: g.K, K: g.C, Groups: g.Groups}
	c.In, c.Out = g.Out, g.In
	dw, err := weightGrad(name, "convtranspose_grad", x, dy, c)
	if err != nil {
		return nil, fail(name, err)
	}
	defer dw.Release()
	return dw.Reshape(w...)
}

// convTransposeOf resolves the transposed convolution whose gradient is asked for.
func convTransposeOf(name string, dy, other *Tensor, x, w []int, p ConvTransposeParams) (spec.ConvTranspose, error) {
	var g spec.ConvTranspose
	if _, err := engineOfGrad(name, dy, other); err != nil {
		return g, err
	}
	if other == nil {
		return g, fail(name, fmt.Errorf("%w: the input or the weight", ErrNil))
	}
	if p.Act.Func != spec.Identity {
		return g, fail(name, &spec.Error{Kind: ErrParam, Message: fmt.Sprintf("the activation %v is fused; its gradient comes before this one", p.Act)})
	}
	g, err := spec.NewConvTranspose(x, w, nil, p)
	if err != nil {
		return g, fail(name, err)
	}
	if !spec.EqualShapes(dy.shape, g.OutShape()) {
		return g, fail(name, &spec.Error{Kind: ErrShape, Message: fmt.Sprintf("the gradient is %v, but the transposed convolution's output is %v", dy.shape, g.OutShape())})
	}
	return g, nil
}
