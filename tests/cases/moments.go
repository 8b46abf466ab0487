package cases

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// MomentsCase is one mean and variance.
type MomentsCase struct {
	X, Axes []int
	Spread  Spread
	Ranged
}

var momentsRow = Row{
	Name:    "moments",
	New:     func() Case { return &MomentsCase{} },
	Random:  randomMoments,
	Awkward: awkwardMoments,
	Kernels: []string{"naive", "split", "tree", "columns"},
}

func (c *MomentsCase) geometry() spec.Moments {
	g, err := spec.NewMoments(c.X, c.Axes)
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

// Inputs is x.
func (c *MomentsCase) Inputs() []Input {
	return []Input{{Shape: c.X, Draw: c.Spread.draw(), Range: c.Spread.freedom(0) | noTiny}}
}

// Call computes them.
func (c *MomentsCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	mean, variance, err := ops.Moments(in[0], c.Axes...)
	return []*ops.Tensor{mean, variance}, err
}

// Oracle computes them in float64.
func (c *MomentsCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	mean, variance := cpuref.Moments(in[0], &g.Norm)
	m, v, _ := statWants(mean, variance, &g.Norm, g.StatShape())
	return []Want{m, v}
}

// Work counts one read.
func (c *MomentsCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), bytesOf(c.X)
}

func awkwardMoments() []Case {
	return []Case{
		&MomentsCase{X: []int{}},
		&MomentsCase{X: []int{7}},
		&MomentsCase{X: []int{3, 1, 5}, Axes: []int{1}},
		&MomentsCase{X: []int{70001}, Spread: Spread{Mean: 1e4}},
		&MomentsCase{X: []int{70001, 2}, Axes: []int{0}, Spread: Spread{Mean: 1e4}},
		&MomentsCase{X: []int{4, 6, 33, 20}, Axes: []int{0, 2, 3}, Spread: Spread{Mean: -1e4}},
		&MomentsCase{X: []int{2, 3, 4, 5, 2, 3}, Axes: []int{0, 2, -1}},
	}
}

func randomMoments(r *rand.Rand) Case {
	c := &MomentsCase{X: randomImage(r, pick(r, sizes...)), Spread: randomSpread(r)}
	if r.IntN(4) > 0 {
		c.Axes = randomAxes(r, len(c.X))
	}
	return c
}
