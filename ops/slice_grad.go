package ops

import (
	"fmt"
	"slices"

	"github.com/kansu-dev/kansu/spec"
)

// SliceGrad returns the gradient of Slice with respect to its input, of shape x,
// for a gradient dy of the result: dy where the slice took from, 0 elsewhere.
// begin, end and step are those of the call. It is made of Slice, which turns
// axes round that were walked backwards, and Pad, which puts zeros between what
// a step apart was taken and around all. Errors: as Slice, and ErrShape where dy
// is not of the result's shape.
func SliceGrad(dy *Tensor, x, begin, end, step []int) (*Tensor, error) {
	const name = "SliceGrad"
	if _, err := engineOfGrad(name, dy); err != nil {
		return nil, err
	}
	g, err := spec.NewSlice(x, begin, end, step)
	if err != nil {
		return nil, fail(name, err)
	}
	if !spec.EqualShapes(dy.shape, g.OutShape()) {
		return nil, fail(name, fmt.Errorf("%w: the gradient is %v, the slice of %v is %v", ErrShape, dy.shape, x, g.OutShape()))
	}
	axes, err := spec.SliceAxes(x, begin, end, step)
	if err != nil {
		return nil, fail(name, err)
	}
	t := relay{y: dy}
	back := make([]int, len(x))
	for i := range axes {
		back[i] = 1
		if a := &axes[i]; a.Step < 0 {
			back[i] = -1
			a.First, a.Step = a.First+(a.Count-1)*a.Step, -a.Step
		}
	}
	t.pass(func(y *Tensor) (*Tensor, error) { return Slice(y, nil, nil, back) })
	shape := slices.Clone(dy.shape)
	p := PadParams{Begin: make([]int, len(x)), End: make([]int, len(x))}
	for i, a := range axes {
		if a.Step > 1 && a.Count > 1 {
			pre, post := spec.Count(shape[:i]), spec.Count(shape[i+1:])
			shape[i] *= a.Step
			t.pass(func(y *Tensor) (*Tensor, error) { return y.Reshape(pre, a.Count, 1, post) })
			t.pass(func(y *Tensor) (*Tensor, error) {
				return Pad(y, PadParams{Begin: []int{0, 0}, End: []int{a.Step - 1, 0}})
			})
			t.pass(func(y *Tensor) (*Tensor, error) { return y.Reshape(shape...) })
		}
		p.Begin[i], p.End[i] = a.First, x[i]-a.First-shape[i]
	}
	t.pass(func(y *Tensor) (*Tensor, error) { return Pad(y, p) })
	return t.y, t.err
}

// relay is a tensor on its way through several functions, up to their first
// error. What lies between them is released.
type relay struct {
	y     *Tensor
	inner bool // y is a result, not what it began with
	err   error
}

func (r *relay) pass(f func(*Tensor) (*Tensor, error)) {
	if r.err != nil {
		return
	}
	y, err := f(r.y)
	if r.inner {
		r.y.Release()
	}
	r.y, r.inner, r.err = y, true, err
}
