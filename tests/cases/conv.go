package cases

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// ConvCase is one convolution.
type ConvCase struct {
	X, W   []int
	Bias   bool
	Params ops.ConvParams
}

var convRow = Row{
	Name:    "conv",
	New:     func() Case { return &ConvCase{} },
	Random:  randomConv,
	Awkward: awkwardConv,
	Kernels: []string{"tile128x128", "tile64x64", "tile32x128", "tile32x32", "split64x64", "split32x32", "winograd4", "winograd2", "depthwise", "depthwise_row",
		"register16x16", "register8x16", "register16x8", "register8x8", "gather8x8", "gather8x4", "naive"},
}

func (c *ConvCase) biasShape() []int {
	if c.Bias {
		return c.W[:1]
	}
	return nil
}

func (c *ConvCase) geometry() spec.Conv {
	g, err := spec.NewConv(c.X, c.W, c.biasShape(), c.Params)
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

// Inputs are x, the weight and the bias.
func (c *ConvCase) Inputs() []Input {
	return []Input{{Shape: c.X}, {Shape: c.W}, {Shape: c.biasShape()}}
}

// Call convolves.
func (c *ConvCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.Conv(in[0], in[1], in[2], c.Params)
	return []*ops.Tensor{y}, err
}

// Oracle convolves in float64.
func (c *ConvCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	y, mag := make([]float64, spec.Count(g.OutShape())), make([]float64, spec.Count(g.OutShape()))
	cpuref.Conv(y, in[0], in[1], in[2], g)
	sums := g
	sums.Act = spec.Activation{}
	cpuref.Conv(mag, abs(in[0]), abs(in[1]), abs(in[2]), sums)
	return []Want{{Shape: g.OutShape(), Value: y, Magnitude: mag, Budget: g.Budget()}}
}

// Work counts the direct convolution.
func (c *ConvCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), bytesOf(c.X, c.W, c.biasShape(), g.OutShape())
}

func awkwardConv() []Case {
	return []Case{
		&ConvCase{X: []int{1, 1, 1}, W: []int{1, 1, 1}},
		&ConvCase{X: []int{1, 25, 19, 23}, W: []int{12, 25, 3, 3}, Bias: true, Params: ops.ConvParams{Padding: []int{5}, Stride: []int{5}, Dilation: []int{2, 4}}},
		&ConvCase{X: []int{1, 2, 133, 141}, W: []int{3, 2, 11, 11}, Params: ops.ConvParams{Padding: []int{5}}},
		&ConvCase{X: []int{2, 6, 7, 9, 5}, W: []int{6, 2, 3, 2, 1}, Bias: true, Params: ops.ConvParams{Groups: 3, Padding: []int{1, 0, 2, 0, 1, 1}}},
		&ConvCase{X: []int{1, 8, 17, 17}, W: []int{16, 1, 3, 3}, Params: ops.ConvParams{Groups: 8, AutoPad: spec.SameUpper, Stride: []int{2}}},
		&ConvCase{X: []int{1, 3, 9, 9}, W: []int{2, 3, 2, 2}, Params: ops.ConvParams{Stride: []int{3}}},
		&ConvCase{X: []int{1, 3, 9, 9}, W: []int{2, 3, 3, 3}, Params: ops.ConvParams{Padding: []int{2}, PadMode: spec.PadReflect}},
		&ConvCase{X: []int{1, 3, 9, 9}, W: []int{2, 3, 3, 3}, Params: ops.ConvParams{Padding: []int{2}, PadMode: spec.PadCircular}},
		&ConvCase{X: []int{1, 3, 9, 9}, W: []int{2, 3, 3, 3}, Params: ops.ConvParams{Padding: []int{2}, PadMode: spec.PadReplicate}},
	}
}

func randomConv(r *rand.Rand) Case {
	rank := 1 + r.IntN(3)
	groups := pick(r, 1, 1, 1, 2, 3, 4)
	cg, kg := pick(r, 1, 2, 3, 5, 8), pick(r, 1, 2, 3, 4, 9)
	if r.IntN(4) == 0 { // depthwise, with a multiplier now and then
		groups, cg, kg = pick(r, 1, 3, 8, 16), 1, pick(r, 1, 1, 2)
	}
	c := &ConvCase{X: []int{pick(r, 1, 1, 2, 3), groups * cg}, W: []int{groups * kg, cg}, Bias: r.IntN(2) == 0}
	c.Params.Groups = groups
	for range rank {
		k := pick(r, 1, 2, 3, 3, 4, 5, 7)
		d := pick(r, 1, 1, 1, 2, 3)
		c.W = append(c.W, k)
		c.Params.Stride = append(c.Params.Stride, pick(r, 1, 1, 2, 3, 5))
		c.Params.Dilation = append(c.Params.Dilation, d)
		c.Params.Padding = append(c.Params.Padding, r.IntN(k+1))
		limit := len(sizes) - 4*(rank-1) // keep volumes small
		c.X = append(c.X, max((k-1)*d+1, sizes[r.IntN(limit)]))
	}
	switch r.IntN(6) {
	case 0:
		c.Params.AutoPad, c.Params.Padding = pick(r, spec.SameUpper, spec.SameLower), nil
	case 1: // every side its own padding
		for range rank {
			c.Params.Padding = append(c.Params.Padding, r.IntN(3))
		}
	case 2:
		c.Params.PadMode = pick(r, spec.PadReflect, spec.PadReplicate, spec.PadCircular)
		for i := range rank {
			c.Params.Padding[i] = min(c.Params.Padding[i], c.X[2+i]-1)
		}
	}
	if r.IntN(4) == 0 {
		c.Params.Act = pick(r, smoothActivations...)
	}
	return c
}

// smoothActivations are those that are fused in random cases: all have slopes
// of about 1 at most, so that a sum's error passes through unmagnified.
var smoothActivations = []spec.Activation{
	{Func: spec.ReLU}, {Func: spec.LeakyReLU, A: 0.1}, {Func: spec.SiLU}, {Func: spec.Mish},
	{Func: spec.GELU}, {Func: spec.Tanh}, {Func: spec.Sigmoid}, {Func: spec.HardTanh, A: -1, B: 1},
	{Func: spec.ELU, A: 1}, {Func: spec.Softplus, A: 1, B: 20}, {Func: spec.HardSwish},
}
