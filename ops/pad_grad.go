package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// PadGrad returns the gradient of Pad with respect to its input, of shape x, for
// a gradient dy of the padded tensor: what stands in the input, with the padding
// folded back onto the elements that it shows. Errors: as Pad.
func PadGrad(dy *Tensor, x []int, p PadParams) (*Tensor, error) {
	const name = "PadGrad"
	e, err := engineOfGrad(name, dy)
	if err != nil {
		return nil, err
	}
	if p.Mode == spec.PadZeros {
		g, err := spec.NewPad(x, p)
		if err != nil {
			return nil, fail(name, err)
		}
		if !spec.EqualShapes(dy.shape, g.OutShape()) {
			_, _, err = spec.NewPadGrads(x, dy.shape, p)
			return nil, fail(name, err)
		}
		dx, err := Pad(dy, PadParams{Begin: negate(p.Begin), End: negate(p.End)})
		return dx, fail(name, err)
	}
	passes, shapes, err := spec.NewPadGrads(x, dy.shape, p)
	if err != nil {
		return nil, fail(name, err)
	}
	if e.dev == nil && len(passes) > 0 {
		return e.one(call{
			name: name, fn: "pad_grad", in: []*Tensor{dy},
			cpu: func(out, in [][]float32, plain bool) error {
				if !plain {
					fast.PadGrad(out[0], in[0], passes)
					return nil
				}
				inPasses(out[0], in[0], shapes, func(i int, dx, dy []float32) { cpuref.PadGrad(dx, dy, passes[i]) })
				return nil
			},
		}, x)
	}
	now, err := dy.Reshape(dy.shape...)
	if err != nil {
		return nil, fail(name, err)
	}
	for i, g := range passes {
		next, err := e.one(call{
			name: name, fn: "pad_grad", in: []*Tensor{now},
			plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
				return shaders.PlanPadGrad(g, dev, force)
			},
		}, shapes[i])
		now.Release()
		if err != nil {
			return nil, err
		}
		now = next
	}
	return now, nil
}

// inPasses calls pass for each of the passes that make out of in, one after the
// other, given the shape after each.
func inPasses(out, in []float32, shapes [][]int, pass func(i int, dx, dy []float32)) {
	for i, shape := range shapes {
		to := out
		if i < len(shapes)-1 {
			to = make([]float32, spec.Count(shape))
		}
		pass(i, to, in)
		in = to
	}
}

func negate(v []int) []int {
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = -x
	}
	return out
}
