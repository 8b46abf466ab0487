package cases

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// RMSNormCase is one root-mean-square normalization.
type RMSNormCase struct {
	X            []int
	Scale, Shift bool
	Spread       Spread
	Params       ops.LayerNormParams
	Ranged
}

var rmsNormRow = Row{
	Name:    "rmsnorm",
	New:     func() Case { return &RMSNormCase{} },
	Random:  randomRMSNorm,
	Awkward: awkwardRMSNorm,
	Kernels: normKernels,
}

func (c *RMSNormCase) geometry() spec.RMSNorm {
	a := normShape(c.X, c.Params)
	g, err := spec.NewRMSNorm(c.X, optional(a, c.Scale), optional(a, c.Shift), c.Params)
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

// Inputs are x, scale and shift.
func (c *RMSNormCase) Inputs() []Input {
	return append([]Input{{Shape: c.X, Draw: c.Spread.draw(), Range: c.Spread.freedom(c.Params.Eps)}}, scaleShift(normShape(c.X, c.Params), c.Scale, c.Shift)...)
}

// Call normalizes.
func (c *RMSNormCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.RMSNorm(in[0], in[1], in[2], c.Params)
	return []*ops.Tensor{y}, err
}

// Oracle normalizes in float64.
func (c *RMSNormCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	mean, variance := cpuref.Moments(in[0], &g.Norm)
	return []Want{normWant(in[0], in[1], in[2], mean, variance, &g.Norm, g.Budget(), 0)}
}

// Work counts one read and one write of the tensor.
func (c *RMSNormCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), 2 * bytesOf(c.X)
}

func awkwardRMSNorm() []Case {
	return []Case{
		&RMSNormCase{X: []int{1}},
		&RMSNormCase{X: []int{3, 4}, Scale: true, Params: ops.LayerNormParams{Axes: []int{0, 1}}},
		&RMSNormCase{X: []int{70, 768}, Scale: true, Spread: Spread{Mean: 1e4}},
		&RMSNormCase{X: []int{3, 11, 97}, Scale: true, Shift: true, Params: ops.LayerNormParams{Shape: []int{11, 97}}},
		&RMSNormCase{X: []int{2, 5, 4, 3}, Scale: true, Params: ops.LayerNormParams{Axes: []int{1}, Eps: 0.1}},
		&RMSNormCase{X: []int{1, 70001}, Scale: true},
		&RMSNormCase{X: []int{4, 64}, Spread: Spread{Std: 1e-6}, Params: ops.LayerNormParams{Eps: -1}},
	}
}

func randomRMSNorm(r *rand.Rand) Case {
	l := randomLayerNorm(r).(*LayerNormCase)
	return &RMSNormCase{X: l.X, Scale: l.Scale, Shift: l.Shift, Spread: l.Spread, Params: l.Params}
}
