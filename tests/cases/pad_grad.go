package cases

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// PadGradCase is the gradient of one padding.
type PadGradCase struct{ PadCase }

var padGradRow = Row{
	Name:   "pad_grad",
	New:    func() Case { return &PadGradCase{} },
	Random: func(r *rand.Rand) Case { return &PadGradCase{*padRow.Random(r).(*PadCase)} },
	Awkward: func() []Case {
		var all []Case
		for _, c := range padRow.Awkward() {
			all = append(all, &PadGradCase{*c.(*PadCase)})
		}
		return all
	},
	Kernels: []string{"rows", "naive"},
}

func (c *PadGradCase) outShape() []int {
	g := must(spec.NewPad(c.X, c.Params))
	return g.OutShape()
}

// Inputs is the gradient of the padded tensor.
func (c *PadGradCase) Inputs() []Input { return []Input{{Shape: c.outShape()}, {Shape: c.X}} }

// Call computes the gradient.
func (c *PadGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	dx, err := ops.PadGrad(in[0], c.X, c.Params)
	return []*ops.Tensor{dx}, err
}

// Oracle scatters in float64.
func (c *PadGradCase) Oracle(in [][]float64) []Want {
	// Padding the numbers of the elements tells which of them stands where.
	ids := make([]float64, count(c.X))
	for i := range ids {
		ids[i] = float64(i + 1)
	}
	p := c.Params
	p.Value = 0
	where := make([]float64, count(c.outShape()))
	cpuref.Pad(where, ids, must(spec.NewPad(c.X, p)))
	dx, mag := make([]float64, len(ids)), make([]float64, len(ids))
	for i, id := range where {
		if id > 0 {
			dx[int(id)-1] += in[0][i]
			mag[int(id)-1] += max(in[0][i], -in[0][i])
		}
	}
	return []Want{{Shape: c.X, Value: dx, Magnitude: mag, Budget: spec.PadGradBudget()}}
}

// Loss is sum(dy * pad(x)).
func (c *PadGradCase) Loss(in [][]float64) float64 {
	y := make([]float64, count(c.outShape()))
	p := c.Params
	p.Value = 0
	cpuref.Pad(y, in[1], must(spec.NewPad(c.X, p)))
	return dot(in[0], y)
}

// Wrt names x.
func (c *PadGradCase) Wrt() []int { return []int{1} }

// Work counts the bytes.
func (c *PadGradCase) Work() (flops, bytes float64) {
	return float64(count(c.outShape())), bytesOf(c.outShape(), c.X)
}
