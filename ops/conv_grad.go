package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// ConvGradInput returns the gradient of a convolution with respect to its input,
// of shape x, for a gradient dy of the output: the transposed convolution of dy
// with the weight w (Dumoulin, Visin, 2016), folded back where the padding took
// from the input. p are the parameters of the convolution; a fused activation is
// not among them (ErrParam). Errors: as Conv.
func ConvGradInput(dy, w *Tensor, x []int, p ConvParams) (*Tensor, error) {
	const name = "ConvGradInput"
	g, err := convOf(name, dy, w, x, shapeOf(w), p)
	if err != nil {
		return nil, err
	}
	if g.PadMode == spec.PadZeros {
		dx, err := ConvTranspose(dy, w, nil, g.Transposed())
		return dx, fail(name, err)
	}
	// The convolution was one without padding on a padded input.
	begin, end := axesOf(g.Rank, g.PadBegin), axesOf(g.Rank, g.PadEnd)
	for i := range g.In {
		g.In[i] += g.PadBegin[i] + g.PadEnd[i]
	}
	g.PadBegin, g.PadEnd = [3]int{}, [3]int{}
	padded, err := ConvTranspose(dy, w, nil, g.Transposed())
	if err != nil {
		return nil, fail(name, err)
	}
	defer padded.Release()
	dx, err := PadGrad(padded, x, PadParams{Begin: begin, End: end, Mode: p.PadMode})
	return dx, fail(name, err)
}

// axesOf returns the numbers of the axes that the caller has.
func axesOf(rank int, v [3]int) []int { return append([]int{}, v[3-rank:]...) }

// convOf resolves the convolution whose gradient is asked for.
func convOf(name string, dy, other *Tensor, x, w []int, p ConvParams) (spec.Conv, error) {
	var g spec.Conv
	if _, err := engineOfGrad(name, dy, other); err != nil {
		return g, err
	}
	if other == nil {
		return g, fail(name, fmt.Errorf("%w: the input or the weight", ErrNil))
	}
	if p.Act.Func != spec.Identity {
		return g, fail(name, &spec.Error{Kind: ErrParam, Message: fmt.Sprintf("the activation %v is fused; its gradient comes before this one", p.Act)})
	}
	g, err := spec.NewConv(x, w, nil, p)
	if err != nil {
		return g, fail(name, err)
	}
	if !spec.EqualShapes(dy.shape, g.OutShape()) {
		return g, fail(name, &spec.Error{Kind: ErrShape, Message: fmt.Sprintf("the gradient is %v, but the convolution's output is %v", dy.shape, g.OutShape())})
	}
	return g, nil
}

// ConvGradWeight returns the gradient of a convolution with respect to its
// weight, of shape w, for a gradient dy of the output and the input x: the
// product of dy with the windows of x, in chunks of the positions that are summed
// in order. In pure Go the method may be Winograd's, as for Conv. p as for
// ConvGradInput. Errors: as Conv.
func ConvGradWeight(dy, x *Tensor, w []int, p ConvParams) (*Tensor, error) {
	const name = "ConvGradWeight"
	g, err := convOf(name, dy, x, shapeOf(x), w, p)
	if err != nil {
		return nil, err
	}
	dw, err := weightGrad(name, "conv_grad", dy, x, g)
	if err != nil {
		return nil, fail(name, err)
	}
	defer dw.Release()
	return dw.Reshape(w...)
}

// weightGrad returns the gradient of the weight of convolution g as
// [Groups, K/Groups, C/Groups*taps].
func weightGrad(name, fn string, dy, x *Tensor, g spec.Conv) (*Tensor, error) {
	e, err := engineOf(name, dy, x)
	if err != nil {
		return nil, err
	}
	return e.one(call{
		name: name, fn: fn, in: []*Tensor{dy, x},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanConvGradWeight(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.ConvGradWeight(out[0], in[0], in[1], g)
			} else {
				fast.ConvGradWeight(out[0], in[0], in[1], g)
			}
			return nil
		},
	}, []int{g.Groups, g.KG(), g.Terms()})
}
