package cases

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// ConvTransposeCase is one transposed convolution.
type ConvTransposeCase struct {
	X, W   []int
	Bias   bool
	Params ops.ConvTransposeParams
	Ranged
}

var convTransposeRow = Row{
	Name:    "convtranspose",
	New:     func() Case { return &ConvTransposeCase{} },
	Random:  randomConvTranspose,
	Awkward: awkwardConvTranspose,
	Kernels: []string{"gemm128x128", "gemm64x64", "gemm32x128", "gemm32x32", "gemm16x16", "gemm8x28", "gemm8x16", "gemm8x8", "phases3x56", "phases4x56", "phases4x28", "phases16x16", "phases8x28", "phases8x16", "phases8x8", "depthwise", "flip", "naive"},
}

func (c *ConvTransposeCase) biasShape() []int {
	if c.Bias {
		return []int{c.W[1] * max(1, c.Params.Groups)}
	}
	return nil
}

func (c *ConvTransposeCase) geometry() spec.ConvTranspose {
	g, err := spec.NewConvTranspose(c.X, c.W, c.biasShape(), c.Params)
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

// Inputs are x, the weight and the bias.
func (c *ConvTransposeCase) Inputs() []Input {
	return []Input{{Shape: c.X}, {Shape: c.W}, {Shape: c.biasShape()}}
}

// Call makes the transposed convolution.
func (c *ConvTransposeCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.ConvTranspose(in[0], in[1], in[2], c.Params)
	return []*ops.Tensor{y}, err
}

// Oracle computes it in float64.
func (c *ConvTransposeCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	y, mag := make([]float64, spec.Count(g.OutShape())), make([]float64, spec.Count(g.OutShape()))
	cpuref.ConvTranspose(y, in[0], in[1], in[2], g)
	sums := g
	sums.Act = spec.Activation{}
	cpuref.ConvTranspose(mag, abs(in[0]), abs(in[1]), abs(in[2]), sums)
	return []Want{{Shape: g.OutShape(), Value: y, Magnitude: mag, Budget: g.Budget()}}
}

// Work counts the direct form.
func (c *ConvTransposeCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), bytesOf(c.X, c.W, c.biasShape(), g.OutShape())
}

func awkwardConvTranspose() []Case {
	return []Case{
		&ConvTransposeCase{X: []int{1, 1, 1}, W: []int{1, 1, 1}},
		// stride beyond the kernel: outputs that no input reaches
		&ConvTransposeCase{X: []int{1, 3, 4, 5}, W: []int{3, 2, 2, 2}, Bias: true, Params: ops.ConvTransposeParams{Stride: []int{5, 3}}},
		&ConvTransposeCase{X: []int{1, 25, 7, 9}, W: []int{25, 12, 11, 11}, Bias: true, Params: ops.ConvTransposeParams{Stride: []int{5}, Padding: []int{5}, Dilation: []int{2, 4}}},
		&ConvTransposeCase{X: []int{1, 2, 67, 71}, W: []int{2, 3, 3, 3}, Params: ops.ConvTransposeParams{Stride: []int{2}, Padding: []int{1}}},
		// the sub-pixel forms of image models: 4x4 stride 2, 2x2 stride 2
		&ConvTransposeCase{X: []int{2, 17, 9, 11}, W: []int{17, 33, 4, 4}, Bias: true, Params: ops.ConvTransposeParams{Stride: []int{2}, Padding: []int{1}}},
		&ConvTransposeCase{X: []int{1, 16, 16, 16}, W: []int{16, 8, 2, 2}, Params: ops.ConvTransposeParams{Stride: []int{2}, Act: spec.Activation{Func: spec.ReLU}}},
		// stride and dilation with a common divisor: some outputs stay empty
		&ConvTransposeCase{X: []int{1, 4, 9}, W: []int{4, 4, 3}, Bias: true, Params: ops.ConvTransposeParams{Stride: []int{4}, Dilation: []int{2}, OutputPadding: []int{3}}},
		&ConvTransposeCase{X: []int{1, 1, 3, 3}, W: []int{1, 2, 3, 3}, Params: ops.ConvTransposeParams{Stride: []int{3, 2}, OutputSize: []int{10, 8}}},
		&ConvTransposeCase{X: []int{1, 1, 3, 3}, W: []int{1, 2, 3, 3}, Params: ops.ConvTransposeParams{Stride: []int{3, 2}, OutputSize: []int{10, 6}, AutoPad: spec.SameLower}},
		&ConvTransposeCase{X: []int{1, 6, 5}, W: []int{6, 1, 1}, Bias: true, Params: ops.ConvTransposeParams{Groups: 6, Stride: []int{3}, AutoPad: spec.SameUpper}},
		&ConvTransposeCase{X: []int{2, 6, 3, 4, 5}, W: []int{6, 2, 3, 2, 1}, Bias: true, Params: ops.ConvTransposeParams{Groups: 3, Stride: []int{1, 2, 3}, Padding: []int{1, 0, 0, 0, 1, 0}}},
		// depthwise: rows of whole vec4s and not, several inputs of a group, depth
		&ConvTransposeCase{X: []int{2, 6, 12, 12}, W: []int{6, 1, 3, 3}, Bias: true, Params: ops.ConvTransposeParams{Groups: 6, Stride: []int{2}, Padding: []int{1}, OutputSize: []int{24, 24}}},
		&ConvTransposeCase{X: []int{1, 6, 7, 9}, W: []int{6, 1, 5, 4}, Params: ops.ConvTransposeParams{Groups: 3, Stride: []int{2, 3}, Padding: []int{2, 1}, Act: spec.Activation{Func: spec.SiLU}}},
		&ConvTransposeCase{X: []int{1, 4, 3, 5, 8}, W: []int{4, 1, 3, 2, 3}, Params: ops.ConvTransposeParams{Groups: 4, Stride: []int{2, 1, 2}, Padding: []int{1, 0, 1}}},
		// padding that cuts whole input positions away
		&ConvTransposeCase{X: []int{1, 2, 9, 9}, W: []int{2, 2, 2, 2}, Params: ops.ConvTransposeParams{Padding: []int{4}}},
		// One tap, and inputs whose outputs the padding at the end takes away.
		&ConvTransposeCase{X: []int{2, 3, 5, 5}, W: []int{3, 2, 1, 1}, Params: ops.ConvTransposeParams{Stride: []int{3, 1}, Padding: []int{0, 0, 0, 2}}},
	}
}

func randomConvTranspose(r *rand.Rand) Case {
	rank := 1 + r.IntN(3)
	groups := pick(r, 1, 1, 1, 2, 3, 4)
	cg, kg := pick(r, 1, 2, 3, 5, 8), pick(r, 1, 2, 3, 4, 9)
	if r.IntN(6) == 0 {
		cg, kg = pick(r, 16, 17, 33), pick(r, 8, 16, 17)
	}
	if r.IntN(5) == 0 { // depthwise, with a multiplier now and then
		groups, cg, kg = pick(r, 1, 3, 8, 16), 1, pick(r, 1, 1, 2)
	}
	c := &ConvTransposeCase{X: []int{pick(r, 1, 1, 2, 3), groups * cg}, W: []int{groups * cg, kg}, Bias: r.IntN(2) == 0}
	p := &c.Params
	p.Groups = groups
	var least []int // outputs along each axis
	for range rank {
		k := pick(r, 1, 2, 3, 3, 4, 5, 7)
		s, d := pick(r, 1, 2, 2, 3, 5), pick(r, 1, 1, 1, 2, 3)
		in := sizes[r.IntN(len(sizes)-1-5*(rank-1))]
		span := (in-1)*s + (k-1)*d + 1
		pad := r.IntN(min(k, (span+1)/2)) // leaves at least one output
		c.X, c.W = append(c.X, in), append(c.W, k)
		p.Stride, p.Dilation, p.Padding = append(p.Stride, s), append(p.Dilation, d), append(p.Padding, pad)
		p.OutputPadding = append(p.OutputPadding, r.IntN(max(s, d)))
		least = append(least, span-2*pad)
	}
	switch r.IntN(6) {
	case 0:
		p.AutoPad, p.Padding = pick(r, spec.SameUpper, spec.SameLower), nil
	case 1: // as ONNX's output_shape, which may ask for less or more than there is
		p.AutoPad, p.Padding = pick(r, spec.SameUpper, spec.SameLower), nil
		for _, n := range least {
			p.OutputSize = append(p.OutputSize, max(1, n-2+r.IntN(5)))
		}
	case 2: // as PyTorch's output_size
		for i, n := range least {
			p.OutputSize = append(p.OutputSize, n+p.OutputPadding[i])
		}
		p.OutputPadding = nil
	case 3: // every side its own padding
		for i := range rank {
			p.Padding = append(p.Padding, r.IntN(p.Padding[i]+1))
		}
	}
	if r.IntN(4) == 0 {
		p.Act = fusedActivation(r)
	}
	return c
}
