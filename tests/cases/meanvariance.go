package cases

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// MeanVarianceCase is one mean-variance normalization.
type MeanVarianceCase struct {
	X      []int
	Spread Spread
	Params ops.MeanVarianceParams
	Ranged
}

var meanVarianceRow = Row{
	Name:    "meanvariance",
	New:     func() Case { return &MeanVarianceCase{} },
	Random:  randomMeanVariance,
	Awkward: awkwardMeanVariance,
	Kernels: normKernels,
}

func (c *MeanVarianceCase) geometry() spec.MeanVariance {
	g, err := spec.NewMeanVariance(c.X, c.Params)
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

// Inputs is x.
func (c *MeanVarianceCase) Inputs() []Input {
	return []Input{{Shape: c.X, Draw: c.Spread.draw(), Range: c.Spread.freedom(c.Params.Eps)}}
}

// Call normalizes.
func (c *MeanVarianceCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.MeanVarianceNorm(in[0], c.Params)
	return []*ops.Tensor{y}, err
}

// Oracle normalizes in float64.
func (c *MeanVarianceCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	mean, variance := cpuref.Moments(in[0], &g.Norm)
	return []Want{normWant(in[0], nil, nil, mean, variance, &g.Norm, g.Budget(), 1)}
}

// Work counts one read and one write of the tensor.
func (c *MeanVarianceCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), 2 * bytesOf(c.X)
}

// constant draws the same value for every element.
const constant = 0x1p-60

func awkwardMeanVariance() []Case {
	return []Case{
		&MeanVarianceCase{X: []int{3, 3, 3, 1}},
		&MeanVarianceCase{X: []int{2, 3, 13, 8}, Spread: Spread{Mean: 1e4}},
		&MeanVarianceCase{X: []int{2, 5, 7, 7}, Spread: Spread{Mean: 0.3, Std: constant}}, // zeros, not rounding errors divided by eps
		&MeanVarianceCase{X: []int{2, 5, 7, 8}, Spread: Spread{Mean: 12345.678, Std: constant}, Params: ops.MeanVarianceParams{Axes: []int{2, 3}}},
		&MeanVarianceCase{X: []int{2, 3, 4, 5, 2}, Params: ops.MeanVarianceParams{Axes: []int{0, 2, 4}}},
		&MeanVarianceCase{X: []int{6, 50}, Params: ops.MeanVarianceParams{Axes: []int{1}, Eps: 0.5, Act: spec.Activation{Func: spec.Tanh}}},
		&MeanVarianceCase{X: []int{4, 4}, Params: ops.MeanVarianceParams{Axes: []int{}, Eps: 1}},
		&MeanVarianceCase{X: []int{4, 3, 2}, Params: ops.MeanVarianceParams{Axes: []int{0}, Eps: -1}},
	}
}

func randomMeanVariance(r *rand.Rand) Case {
	c := &MeanVarianceCase{X: randomImage(r, pick(r, sizes...)), Spread: randomSpread(r)}
	if r.IntN(2) == 0 {
		c.Params.Axes = randomAxes(r, len(c.X))
	}
	c.Params.Eps = randomEps(r)
	if r.IntN(4) == 0 {
		c.Params.Act = pick(r, smoothActivations...)
	}
	return c
}
