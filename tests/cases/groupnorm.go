package cases

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// GroupNormCase is one group normalization.
type GroupNormCase struct {
	X            []int
	Scale, Shift bool
	Spread       Spread
	Params       ops.GroupNormParams
	Ranged
}

var groupNormRow = Row{
	Name:    "groupnorm",
	New:     func() Case { return &GroupNormCase{} },
	Random:  randomGroupNorm,
	Awkward: awkwardGroupNorm,
	Kernels: normKernels,
}

func (c *GroupNormCase) geometry() spec.GroupNorm {
	ch := channelsOf(c.X, c.Params.Axis)
	g, err := spec.NewGroupNorm(c.X, optional(ch, c.Scale), optional(ch, c.Shift), c.Params)
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

// Inputs are x, scale and shift.
func (c *GroupNormCase) Inputs() []Input {
	ch := channelsOf(c.X, c.Params.Axis)
	return append([]Input{{Shape: c.X, Draw: c.Spread.draw(), Range: c.Spread.freedom(c.Params.Eps)}}, scaleShift(ch, c.Scale, c.Shift)...)
}

// Call normalizes.
func (c *GroupNormCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.GroupNorm(in[0], in[1], in[2], c.Params)
	return []*ops.Tensor{y}, err
}

// Oracle normalizes in float64.
func (c *GroupNormCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	mean, variance := cpuref.Moments(in[0], &g.Norm)
	return []Want{normWant(in[0], in[1], in[2], mean, variance, &g.Norm, g.Budget(), 1)}
}

// Work counts one read and one write of the tensor.
func (c *GroupNormCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), 2 * bytesOf(c.X)
}

func awkwardGroupNorm() []Case {
	return []Case{
		&GroupNormCase{X: []int{1, 1}},
		&GroupNormCase{X: []int{5, 6}, Scale: true, Shift: true, Params: ops.GroupNormParams{Groups: 3}},
		&GroupNormCase{X: []int{2, 25, 13, 11}, Scale: true, Shift: true, Params: ops.GroupNormParams{Groups: 5}},
		&GroupNormCase{X: []int{2, 8, 12, 12}, Scale: true, Shift: true, Spread: Spread{Mean: 1e4}, Params: ops.GroupNormParams{Groups: 8}},
		&GroupNormCase{X: []int{1, 64, 20, 20}, Scale: true, Params: ops.GroupNormParams{Groups: 2, Act: spec.Activation{Func: spec.SiLU}}},
		&GroupNormCase{X: []int{3, 6, 5, 4, 4}, Shift: true, Params: ops.GroupNormParams{}},
		&GroupNormCase{X: []int{2, 7, 5, 12}, Scale: true, Shift: true, Params: ops.GroupNormParams{Groups: 4, Axis: -1}},
		&GroupNormCase{X: []int{1, 4, 133, 141}, Scale: true, Spread: Spread{Mean: -1e4}, Params: ops.GroupNormParams{Groups: 2}},
	}
}

func randomGroupNorm(r *rand.Rand) Case {
	groups := pick(r, 1, 1, 2, 3, 4, 8)
	per := pick(r, 1, 1, 2, 3, 5)
	x := randomImage(r, groups*per)
	x[1] = groups * per // which randomImage may have cut
	c := &GroupNormCase{X: x, Scale: r.IntN(2) == 0, Shift: r.IntN(2) == 0, Spread: randomSpread(r)}
	c.Params.Groups, c.Params.Eps = groups, randomEps(r)
	if r.IntN(4) == 0 {
		c.X, c.Params.Axis = channelsLast(c.X), -1
	}
	if r.IntN(4) == 0 {
		c.Params.Act = pick(r, smoothActivations...)
	}
	return c
}
