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
	if _, err := engineOf(name, dy, other); err != nil {
		return g, err
	}
	if other == nil {
		return g, fail(name, ErrNil)
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
// product of dy with the windows of x, laid out as a matrix in chunks that are
// summed in order. p as for ConvGradInput. Errors: as Conv.
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

// unfoldFloats bounds the matrix of windows that exists at a time, in elements.
const unfoldFloats = 8 << 20

// weightGrad returns the gradient of the weight of convolution g as
// [Groups, K/Groups, C/Groups*taps]: the sum over images and chunks of positions
// of dy times the transposed windows.
func weightGrad(name, fn string, dy, x *Tensor, g spec.Conv) (*Tensor, error) {
	e, err := engineOf(name, dy, x)
	if err != nil {
		return nil, err
	}
	if e.dev == nil {
		return e.one(call{
			name: name, fn: fn, in: []*Tensor{dy, x},
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
	positions, rows := g.OutSize(), g.C*g.Taps()
	images := min(g.N, max(1, unfoldFloats/(rows*positions)))
	chunk := positions
	if images == 1 {
		chunk = min(positions, max(1, unfoldFloats/rows))
	}
	var sum *Tensor
	for n := 0; n < g.N; n += images {
		for p := 0; p < positions; p += chunk {
			part, err := weightGradPart(dy, x, g, n, min(images, g.N-n), p, min(chunk, positions-p))
			if err != nil {
				sum.Release()
				return nil, err
			}
			if sum == nil {
				sum = part
				continue
			}
			total, err := Add(sum, part)
			sum.Release()
			part.Release()
			if err != nil {
				return nil, err
			}
			sum = total
		}
	}
	return sum, nil
}

// scope releases what is put into it.
type scope []*Tensor

func (s *scope) add(t *Tensor, err error) (*Tensor, error) {
	if t != nil {
		*s = append(*s, t)
	}
	return t, err
}

func (s *scope) release() {
	for _, t := range *s {
		t.Release()
	}
}

// weightGradPart is weightGrad for n images and p positions from given ones on.
func weightGradPart(dy, x *Tensor, g spec.Conv, fromN, n, fromP, p int) (*Tensor, error) {
	var tmp scope
	defer tmp.release()
	cols, err := tmp.add(windows(x, g, fromN, n, fromP, p))
	if err != nil {
		return nil, err
	}
	grad, err := tmp.add(dy.Reshape(g.N, g.K, g.OutSize()))
	if err != nil {
		return nil, err
	}
	if n < g.N || p < g.OutSize() {
		if grad, err = tmp.add(Slice(grad, []int{fromN, 0, fromP}, []int{fromN + n, g.K, fromP + p}, nil)); err != nil {
			return nil, err
		}
	}
	if grad, err = tmp.add(grad.Reshape(n, g.Groups, g.KG(), p)); err != nil {
		return nil, err
	}
	if cols, err = tmp.add(cols.Reshape(n, g.Groups, g.CG()*g.Taps(), p)); err != nil {
		return nil, err
	}
	each, err := tmp.add(MatMul(grad, cols, MatMulParams{TransB: true}))
	if err != nil {
		return nil, err
	}
	if n == 1 {
		return each.Reshape(g.Groups, g.KG(), g.CG()*g.Taps())
	}
	return Sum(each, ReduceParams{Axes: []int{0}})
}

// windows returns the windows of x as a matrix [n, C*taps, p]: x itself where
// the kernel has one tap that meets each element once.
func windows(x *Tensor, g spec.Conv, fromN, n, fromP, p int) (*Tensor, error) {
	if g.Taps() == 1 && g.In == g.Out && g.PadBegin == [3]int{} && g.PadEnd == [3]int{} && n == g.N && p == g.OutSize() {
		return x.Reshape(g.N, g.C, g.OutSize())
	}
	u, err := spec.NewUnfold(g, fromN, n, fromP, p)
	if err != nil {
		return nil, err
	}
	return x.eng.one(call{
		name: "ConvGradWeight", fn: "unfold", in: []*Tensor{x},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanUnfold(u, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			cpuref.Unfold(out[0], in[0], u)
			return nil
		},
	}, u.OutShape())
}
