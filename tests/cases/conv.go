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
	Ranged
	Separate bool // the activation is a call of its own, which the engine fuses
}

var convRow = Row{
	Name:    "conv",
	New:     func() Case { return &ConvCase{} },
	Random:  randomConv,
	Awkward: awkwardConv,
	Kernels: []string{"tile128x128", "tile64x64", "tile32x128", "tile32x32", "split64x64", "split32x32", "winograd4", "winograd2", "depthwise", "depthwise_row",
		"register16x16", "register8x28", "register8x16", "register8x8", "gather8x8", "naive"},
	Alike: []string{"winograd4", "winograd2"},
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
	return separately(c.Separate, c.Params.Act, func(act spec.Activation) (*ops.Tensor, error) {
		p := c.Params
		p.Act = act
		return ops.Conv(in[0], in[1], in[2], p)
	})
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

// WantOf implements Lenient: the kernels of Winograd's method.
func (c *ConvCase) WantOf(kernel string, in [][]float64, want []Want) []Want {
	g := c.geometry()
	own := want[0]
	own.Magnitude, own.Budget = make([]float64, len(own.Value)), g.WinogradBudget()
	cpuref.WinogradMagnitude(own.Magnitude, in[0], in[1], in[2], g, int(kernel[len(kernel)-1]-'0'))
	return []Want{own}
}

// Work counts the direct convolution.
func (c *ConvCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), bytesOf(c.X, c.W, c.biasShape(), g.OutShape())
}

func awkwardConv() []Case {
	relu := spec.Activation{Func: spec.ReLU}
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
		// padding as large as a mode allows, and larger than the input
		&ConvCase{X: []int{1, 2, 4, 5}, W: []int{3, 2, 3, 3}, Params: ops.ConvParams{Padding: []int{4, 5}, PadMode: spec.PadCircular}},
		&ConvCase{X: []int{1, 2, 2, 3}, W: []int{3, 2, 3, 3}, Params: ops.ConvParams{Padding: []int{7}, PadMode: spec.PadReplicate}},
		&ConvCase{X: []int{1, 2, 2, 3}, W: []int{3, 2, 3, 3}, Params: ops.ConvParams{Padding: []int{7}}},
		// One tap, and outputs that lie in the padding at the end alone.
		&ConvCase{X: []int{2, 3, 13, 3}, W: []int{2, 3, 1, 1}, Params: ops.ConvParams{Stride: []int{3, 1}, Padding: []int{0, 0, 0, 2}}},
		&ConvCase{X: []int{2, 3, 9}, W: []int{2, 3, 1}, Params: ops.ConvParams{Stride: []int{2}, Padding: []int{0, 3}}},
		// one over every tile, in channels, columns and products
		&ConvCase{X: []int{1, 17, 1, 129}, W: []int{129, 17, 1, 1}, Bias: true},
		&ConvCase{X: []int{3, 33, 43}, W: []int{65, 33, 3}, Bias: true, Params: ops.ConvParams{Padding: []int{1}, Act: relu}},
		// few outputs and many products, whose sums are split
		&ConvCase{X: []int{1, 65, 3, 3}, W: []int{33, 65, 3, 3}, Bias: true, Params: ops.ConvParams{Padding: []int{1}, Act: spec.Activation{Func: spec.GELU}}},
		&ConvCase{X: []int{1, 700, 1}, W: []int{9, 700, 1}},
		// 3x3 with stride 1 and the channels for Winograd's method
		&ConvCase{X: []int{2, 17, 13, 15}, W: []int{19, 17, 3, 3}, Bias: true, Params: ops.ConvParams{Padding: []int{1}, Act: relu}},
		&ConvCase{X: []int{2, 17, 13, 15}, W: []int{19, 17, 3, 3}, Bias: true, Params: ops.ConvParams{Padding: []int{1}, Act: relu}, Separate: true},
		&ConvCase{X: []int{1, 40, 8, 12}, W: []int{24, 40, 1, 1}, Params: ops.ConvParams{Act: spec.Activation{Func: spec.GELU}}, Separate: true},
		&ConvCase{X: []int{1, 32, 9, 8}, W: []int{34, 16, 3, 3}, Params: ops.ConvParams{Padding: []int{2}, Groups: 2, PadMode: spec.PadReflect}},
		&ConvCase{X: []int{1, 64, 18, 13}, W: []int{35, 64, 3, 3}, Bias: true, Params: ops.ConvParams{Padding: []int{1, 0, 2, 1}}},
		&ConvCase{X: []int{3, 16, 3, 3}, W: []int{16, 16, 3, 3}, Bias: true, Params: ops.ConvParams{Act: spec.Activation{Func: spec.Mish}}},
		// the same where magnitudes differ within a tile
		&ConvCase{X: []int{1, 20, 14, 11}, W: []int{9, 20, 3, 3}, Bias: true, Params: ops.ConvParams{Padding: []int{1}}, Ranged: Ranged{"spikes,wide"}},
		&ConvCase{X: []int{1, 96, 12, 13}, W: []int{9, 96, 3, 3}, Params: ops.ConvParams{Padding: []int{1}, Act: relu}, Ranged: Ranged{"wide"}},
		&ConvCase{X: []int{1, 64, 9, 10}, W: []int{17, 64, 3, 3}, Bias: true, Params: ops.ConvParams{Padding: []int{1}}, Ranged: Ranged{"cancel,even,tiny"}},
		&ConvCase{X: []int{1, 128, 8, 8}, W: []int{8, 128, 3, 3}, Params: ops.ConvParams{Padding: []int{1}}, Ranged: Ranged{"blocks,spike"}},
		// first layers, depthwise with a multiplier, stride in a 1x1 kernel
		&ConvCase{X: []int{1, 3, 32, 36}, W: []int{16, 3, 7, 7}, Bias: true, Params: ops.ConvParams{Padding: []int{3}, Stride: []int{2}}},
		&ConvCase{X: []int{2, 3, 50, 51}, W: []int{17, 3, 3, 3}, Params: ops.ConvParams{Padding: []int{1}}},
		&ConvCase{X: []int{2, 5, 21, 22}, W: []int{15, 1, 5, 5}, Bias: true, Params: ops.ConvParams{Padding: []int{2, 1, 3, 2}, Stride: []int{2, 1}, Groups: 5, Act: spec.Activation{Func: spec.HardSwish}}},
		&ConvCase{X: []int{1, 3, 5, 6, 7}, W: []int{3, 1, 2, 3, 3}, Params: ops.ConvParams{Padding: []int{1}, Dilation: []int{1, 2, 1}, Groups: 3}},
		&ConvCase{X: []int{1, 9, 14, 10}, W: []int{20, 9, 1, 1}, Params: ops.ConvParams{Stride: []int{2, 3}}},
		&ConvCase{X: []int{1, 4, 40}, W: []int{4, 1, 40}, Bias: true, Params: ops.ConvParams{Groups: 4}},
		&ConvCase{X: []int{1, 2, 300}, W: []int{2, 2, 25}, Params: ops.ConvParams{Dilation: []int{9}, Stride: []int{7}}},
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
	if r.IntN(6) == 0 {
		return manyChannels(r)
	}
	for i := range rank {
		k := pick(r, 1, 2, 3, 3, 4, 5, 7)
		d := pick(r, 1, 1, 1, 2, 3)
		stride := pick(r, 1, 1, 2, 3, 5)
		if i == rank-1 && r.IntN(2) == 0 {
			// Register kernels are compiled for each window along a row: half of
			// the cases share a few.
			k, d, stride = pick(r, 1, 3), 1, pick(r, 1, 2)
		}
		c.W = append(c.W, k)
		c.Params.Stride = append(c.Params.Stride, stride)
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
		c.Params.Act = fusedActivation(r)
	}
	return c
}

// fusedActivation draws an activation for a convolution: mostly ReLU, since each
// kernel with another one takes a software adapter about a second to compile.
func fusedActivation(r *rand.Rand) spec.Activation {
	if r.IntN(4) == 0 {
		return pick(r, smoothActivations...)
	}
	return smoothActivations[0]
}

// manyChannels draws a 2-D convolution with the channels of a network's middle.
func manyChannels(r *rand.Rand) Case {
	groups, k := pick(r, 1, 1, 2), pick(r, 1, 3, 3)
	cg, kg := pick(r, 16, 17, 31, 33, 64), pick(r, 16, 17, 33, 65)
	c := &ConvCase{
		X:    []int{pick(r, 1, 2), groups * cg, pick(r, 3, 7, 8, 11, 14), pick(r, 3, 4, 7, 13, 16)},
		W:    []int{groups * kg, cg, k, k},
		Bias: r.IntN(2) == 0,
		Params: ops.ConvParams{Groups: groups, Stride: []int{pick(r, 1, 1, 2)}, Padding: []int{pick(r, 0, 1, 1, 2)},
			PadMode: pick(r, spec.PadZeros, spec.PadZeros, spec.PadReplicate)},
	}
	if r.IntN(2) == 0 {
		c.Params.Act = fusedActivation(r)
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
