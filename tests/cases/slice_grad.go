package cases

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
)

// SliceGradCase is the gradient of one slice.
type SliceGradCase struct{ SliceCase }

var sliceGradRow = Row{
	Name:   "slice_grad",
	New:    func() Case { return &SliceGradCase{} },
	Random: func(r *rand.Rand) Case { return &SliceGradCase{*sliceRow.Random(r).(*SliceCase)} },
	Awkward: func() []Case {
		var all []Case
		for _, c := range sliceRow.Awkward() {
			all = append(all, &SliceGradCase{*c.(*SliceCase)})
		}
		return all
	},
}

// Inputs is the gradient of the slice, and x for Loss.
func (c *SliceGradCase) Inputs() []Input {
	g := c.geometry()
	return []Input{{Shape: g.OutShape()}, {Shape: c.X}}
}

// Call computes the gradient.
func (c *SliceGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	dx, err := ops.SliceGrad(in[0], c.X, c.Begin, c.End, c.Step)
	return []*ops.Tensor{dx}, err
}

// Oracle puts each element where the slice took it from.
func (c *SliceGradCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	dx := make([]float64, count(c.X))
	for i, dy := range in[0] {
		dx[g.Offset(i)] = dy
	}
	return []Want{{Shape: c.X, Value: dx}}
}

// Loss is sum(dy * slice(x)).
func (c *SliceGradCase) Loss(in [][]float64) float64 {
	y := make([]float64, len(in[0]))
	cpuref.Gather(y, in[1], c.geometry())
	return dot(in[0], y)
}

// Wrt names x.
func (c *SliceGradCase) Wrt() []int { return []int{1} }

// Work counts the bytes.
func (c *SliceGradCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return 0, bytesOf(g.OutShape(), c.X)
}
