package cases

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// LayerNormCase is one layer normalization.
type LayerNormCase struct {
	X                   []int
	Scale, Shift, Stats bool
	Spread              Spread
	Params              ops.LayerNormParams
	Ranged
}

var layerNormRow = Row{
	Name:    "layernorm",
	New:     func() Case { return &LayerNormCase{} },
	Random:  randomLayerNorm,
	Awkward: awkwardLayerNorm,
	Kernels: normKernels,
}

// normShape returns the sizes of the normalized axes.
func normShape(x []int, p ops.LayerNormParams) []int {
	if p.Shape != nil {
		return p.Shape
	}
	if p.Axes == nil {
		return x[len(x)-1:]
	}
	var s []int
	for _, a := range p.Axes {
		if a, err := spec.Axis(a, len(x)); err == nil { // else the call reports it
			s = append(s, x[a])
		}
	}
	return s
}

func (c *LayerNormCase) geometry() spec.LayerNorm {
	a := normShape(c.X, c.Params)
	g, err := spec.NewLayerNorm(c.X, optional(a, c.Scale), optional(a, c.Shift), c.Params)
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

// Inputs are x, scale and shift.
func (c *LayerNormCase) Inputs() []Input {
	return append([]Input{{Shape: c.X, Draw: c.Spread.draw(), Range: c.Spread.freedom(c.Params.Eps)}}, scaleShift(normShape(c.X, c.Params), c.Scale, c.Shift)...)
}

// Call normalizes.
func (c *LayerNormCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	if c.Stats {
		y, mean, inv, err := ops.LayerNormStats(in[0], in[1], in[2], c.Params)
		return []*ops.Tensor{y, mean, inv}, err
	}
	y, err := ops.LayerNorm(in[0], in[1], in[2], c.Params)
	return []*ops.Tensor{y}, err
}

// Oracle normalizes in float64.
func (c *LayerNormCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	mean, variance := cpuref.Moments(in[0], &g.Norm)
	wants := []Want{normWant(in[0], in[1], in[2], mean, variance, &g.Norm, g.Budget(), 1)}
	if c.Stats {
		m, _, inv := statWants(mean, variance, &g.Norm, g.StatShape())
		wants = append(wants, m, inv)
	}
	return wants
}

// Work counts one read and one write of the tensor.
func (c *LayerNormCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), 2 * bytesOf(c.X)
}

func awkwardLayerNorm() []Case {
	return []Case{
		&LayerNormCase{X: []int{1}},
		&LayerNormCase{X: []int{3, 4}, Scale: true, Shift: true, Stats: true, Params: ops.LayerNormParams{Axes: []int{0, 1}}},
		&LayerNormCase{X: []int{2, 3, 1024}, Scale: true, Shift: true, Spread: Spread{Mean: 1e4}},
		&LayerNormCase{X: []int{70, 768}, Scale: true, Shift: true, Stats: true},
		&LayerNormCase{X: []int{3, 11, 97}, Scale: true, Params: ops.LayerNormParams{Shape: []int{11, 97}, Act: spec.Activation{Func: spec.GELU}}},
		&LayerNormCase{X: []int{2, 1, 4, 3}, Scale: true, Params: ops.LayerNormParams{Axes: []int{0, 2}}},
		&LayerNormCase{X: []int{2, 5, 4, 3}, Scale: true, Shift: true, Stats: true, Params: ops.LayerNormParams{Axes: []int{-1, 1}}},
		&LayerNormCase{X: []int{2, 3, 4, 5, 6}, Shift: true, Params: ops.LayerNormParams{Axes: []int{2, 0, 4}}},
		&LayerNormCase{X: []int{2, 33, 20}, Scale: true, Params: ops.LayerNormParams{Axes: []int{1}}},
		&LayerNormCase{X: []int{70, 2048}, Stats: true, Spread: Spread{First: 1e7}},
		&LayerNormCase{X: []int{1, 30000}, Spread: Spread{First: 1e7}},
		&LayerNormCase{X: []int{1, 70001}, Scale: true, Spread: Spread{Mean: 1e4}},
		&LayerNormCase{X: []int{2, 40000}, Shift: true, Stats: true, Spread: Spread{Mean: -1e4}},
		&LayerNormCase{X: []int{5, 1}, Params: ops.LayerNormParams{Eps: -1}},
	}
}

// randomAxes draws axes to average over: trailing ones, or any in any order.
func randomAxes(r *rand.Rand, rank int) []int {
	n := 1 + r.IntN(rank)
	axes := make([]int, 0, n)
	if r.IntN(2) == 0 {
		for i := rank - n; i < rank; i++ {
			axes = append(axes, i)
		}
		return axes
	}
	return r.Perm(rank)[:n]
}

func randomLayerNorm(r *rand.Rand) Case {
	c := &LayerNormCase{Scale: r.IntN(2) == 0, Shift: r.IntN(2) == 0, Stats: r.IntN(3) == 0, Spread: randomSpread(r)}
	for range 1 + r.IntN(4) {
		c.X = append(c.X, pick(r, 1, 2, 3, 4, 5, 8, 13, 16, 31))
	}
	if r.IntN(3) == 0 {
		c.X = append(c.X, pick(r, 64, 100, 127, 256, 257, 1024))
	}
	small(c.X)
	switch r.IntN(3) {
	case 0:
		c.Params.Axes = randomAxes(r, len(c.X))
	case 1:
		c.Params.Shape = c.X[r.IntN(len(c.X)):]
	}
	c.Params.Eps = randomEps(r)
	if r.IntN(4) == 0 {
		c.Params.Act = pick(r, smoothActivations...)
	}
	return c
}
