package cases

import (
	"math"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// LpNormalizeCase is one Lp normalization.
type LpNormalizeCase struct {
	X      []int
	Axis   int
	PInf   bool // the exponent is +Inf, which JSON cannot say
	Sparse bool // x has many zeros
	Spread Spread
	Params ops.LpNormalizeParams
	Ranged
}

var lpNormalizeRow = Row{
	Name:    "lpnormalize",
	New:     func() Case { return &LpNormalizeCase{} },
	Random:  randomLpNormalize,
	Awkward: awkwardLpNormalize,
	Kernels: []string{"naive", "group"},
}

func (c *LpNormalizeCase) params() ops.LpNormalizeParams {
	p := c.Params
	if c.PInf {
		p.P = float32(math.Inf(1))
	}
	return p
}

func (c *LpNormalizeCase) geometry() spec.LpNormalize {
	g, err := spec.NewLpNormalize(c.X, c.Axis, c.params())
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

// Inputs is x.
func (c *LpNormalizeCase) Inputs() []Input {
	draw := c.Spread.draw()
	return []Input{{Shape: c.X, Range: c.Spread.freedom(c.Params.Eps), Draw: func(r *rand.Rand) float32 {
		if c.Sparse && r.IntN(10) > 0 {
			return 0
		}
		return draw(r)
	}}}
}

// Call normalizes.
func (c *LpNormalizeCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.LpNormalize(in[0], c.Axis, c.params())
	return []*ops.Tensor{y}, err
}

// Oracle normalizes in float64.
func (c *LpNormalizeCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	y, before := make([]float64, len(in[0])), make([]float64, len(in[0]))
	cpuref.LpNormalize(y, in[0], g)
	plain := g
	plain.Act = spec.Activation{}
	cpuref.LpNormalize(before, in[0], plain)
	return []Want{{Shape: g.OutShape(), Value: y, Magnitude: before, Budget: g.Budget()}}
}

// Work counts one read and one write.
func (c *LpNormalizeCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), 2 * bytesOf(c.X)
}

func awkwardLpNormalize() []Case {
	return []Case{
		&LpNormalizeCase{X: []int{1}},
		&LpNormalizeCase{X: []int{5, 1}, Axis: 1, Params: ops.LpNormalizeParams{P: 1}},
		&LpNormalizeCase{X: []int{30, 4}, Axis: 1, Sparse: true, Params: ops.LpNormalizeParams{Eps: -1}},
		&LpNormalizeCase{X: []int{30, 4}, Axis: 1, Sparse: true, Params: ops.LpNormalizeParams{P: 3}},
		&LpNormalizeCase{X: []int{2, 33, 5}, Axis: 1, Params: ops.LpNormalizeParams{P: 0.5}},
		&LpNormalizeCase{X: []int{3, 1000}, Axis: -1, Spread: Spread{Std: 1e9}, Params: ops.LpNormalizeParams{P: 4.5}},
		&LpNormalizeCase{X: []int{1, 70001}, Axis: 1},
		&LpNormalizeCase{X: []int{7, 8}, Axis: 0, PInf: true, Spread: Spread{NaN: true}},
		&LpNormalizeCase{X: []int{7, 8}, Axis: 0, Params: ops.LpNormalizeParams{Eps: 100}},
		&LpNormalizeCase{X: []int{2, 9, 70}, Axis: 1},
		&LpNormalizeCase{X: []int{2, 3, 70}, Axis: 1, Sparse: true},
		&LpNormalizeCase{X: []int{2, 9, 70}, Axis: 1, Spread: Spread{NaN: true}},
	}
}

func randomLpNormalize(r *rand.Rand) Case {
	c := &LpNormalizeCase{Spread: randomSpread(r), Sparse: r.IntN(5) == 0, PInf: r.IntN(6) == 0}
	for range 1 + r.IntN(4) {
		c.X = append(c.X, pick(r, sizes[:12]...))
	}
	c.Axis = r.IntN(2*len(c.X)) - len(c.X)
	if !c.PInf {
		c.Params.P = pick[float32](r, 0, 1, 2, 2, 3, 1.5, 0.7)
	}
	c.Params.Eps = pick[float32](r, 0, 0, -1, 1)
	if r.IntN(4) == 0 && c.Params.P != 0.7 {
		c.Params.Act = pick(r, smoothActivations...)
	}
	return c
}
