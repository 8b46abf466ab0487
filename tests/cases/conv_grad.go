package cases

import (
	"fmt"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// ConvGradCase is the gradients of one convolution with respect to input and
// weight.
type ConvGradCase struct {
	ConvCase
	Of string // "input" or "weight" for one of them, which is for timing
}

var convGradRow = Row{
	Name:    "conv_grad",
	Kernels: []string{"tile64x64", "register", "depthwise", "naive"},
	New:     func() Case { return &ConvGradCase{} },
	Random:  func(r *rand.Rand) Case { return gradOfConv(randomConv(r)) },
	Awkward: func() []Case {
		var all []Case
		for _, c := range awkwardConv() {
			if count(c.(*ConvCase).X) < 100000 {
				all = append(all, gradOfConv(c))
			}
		}
		// weights' gradients for Winograd's method, with data that it is not for too
		for _, ranges := range []string{"", "spikes", "cancel,even"} {
			for _, x := range [][]int{{2, 32, 40, 43}, {1, 128, 14, 15}} { // large tiles, small ones
				all = append(all, &ConvGradCase{ConvCase: ConvCase{X: x, W: []int{64, x[1], 3, 3}, Params: ops.ConvParams{Padding: []int{1}}, Ranged: Ranged{ranges}}})
			}
		}
		all = append(all, &ConvGradCase{ConvCase: ConvCase{X: []int{3, 80, 27, 30}, W: []int{70, 40, 3, 3}, Params: ops.ConvParams{Padding: []int{2, 0, 1, 2}, Groups: 2}}})
		return all
	},
}

func gradOfConv(c Case) Case {
	g := ConvGradCase{ConvCase: *c.(*ConvCase)}
	g.Params.Act, g.Bias = spec.Activation{}, false
	return &g
}

// Inputs are dy, x and the weight.
func (c *ConvGradCase) Inputs() []Input {
	g := c.geometry()
	return []Input{{Shape: g.OutShape()}, {Shape: c.X}, {Shape: c.W}}
}

// Call computes both gradients.
func (c *ConvGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	return each(c.Of,
		func() (*ops.Tensor, error) { return ops.ConvGradInput(in[0], in[2], c.X, c.Params) },
		func() (*ops.Tensor, error) { return ops.ConvGradWeight(in[0], in[1], c.W, c.Params) })
}

// each makes both calls, or the one that is asked for.
func each(of string, input, weight func() (*ops.Tensor, error)) ([]*ops.Tensor, error) {
	var all []*ops.Tensor
	for _, f := range []struct {
		of   string
		call func() (*ops.Tensor, error)
	}{{"input", input}, {"weight", weight}} {
		if of != "" && of != f.of {
			continue
		}
		t, err := f.call()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.of, err)
		}
		all = append(all, t)
	}
	return all, nil
}

// eachWant is what each leaves of the wanted gradients.
func eachWant(of string, both []Want) []Want {
	switch of {
	case "input":
		return both[:1]
	case "weight":
		return both[1:]
	}
	return both
}

// eachWork is the work of one of the gradients, or of both.
func eachWork(of string, flops float64, dy, x, w []int) (float64, float64) {
	switch of {
	case "input", "weight":
		return flops, bytesOf(dy, x, w)
	}
	return 2 * flops, bytesOf(dy, x, w, dy, x, w)
}

// Oracle computes both in float64.
func (c *ConvGradCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	return eachWant(c.Of, gradWants(c.X, c.W, in, func(dx, dw []float64, in [][]float64) {
		cpuref.ConvGrad(dx, dw, in[0], in[1], in[2], g)
	}, g.KG()*g.Taps(), g.N*g.OutSize()))
}

// gradWants runs a gradient on values and on magnitudes. The sums have nx and nw
// terms at most.
func gradWants(x, w []int, in [][]float64, f func(dx, dw []float64, in [][]float64), nx, nw int) []Want {
	dx, dw := make([]float64, count(x)), make([]float64, count(w))
	f(dx, dw, in)
	mx, mw := make([]float64, count(x)), make([]float64, count(w))
	f(mx, mw, [][]float64{abs(in[0]), abs(in[1]), abs(in[2])})
	return []Want{
		{Shape: x, Value: dx, Magnitude: mx, Budget: spec.SumBudget(nx)},
		{Shape: w, Value: dw, Magnitude: mw, Budget: spec.SumBudget(nw)},
	}
}

// Loss is sum(dy * conv(x, w)).
func (c *ConvGradCase) Loss(in [][]float64) float64 {
	g := c.geometry()
	y := make([]float64, count(g.OutShape()))
	cpuref.Conv(y, in[1], in[2], nil, g)
	return dot(in[0], y)
}

// Wrt names x and the weight.
func (c *ConvGradCase) Wrt() []int { return []int{1, 2} }

// Work counts two products of the forward's size.
func (c *ConvGradCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return eachWork(c.Of, g.Flops(), g.OutShape(), c.X, c.W)
}

// ConvTransposeGradCase is the gradients of one transposed convolution with
// respect to input and weight.
type ConvTransposeGradCase struct {
	ConvTransposeCase
	Of string // as in ConvGradCase
}

var convTransposeGradRow = Row{
	Name:    "convtranspose_grad",
	Kernels: []string{"tile64x64", "register", "depthwise", "naive"},
	New:     func() Case { return &ConvTransposeGradCase{} },
	Random:  func(r *rand.Rand) Case { return gradOfConvTranspose(convTransposeRow.Random(r)) },
	Awkward: func() []Case {
		var all []Case
		for _, c := range convTransposeRow.Awkward() {
			if g := gradOfConvTranspose(c).(*ConvTransposeGradCase); count(g.X) < 100000 && count(g.Inputs()[0].Shape) < 200000 {
				all = append(all, g)
			}
		}
		return all
	},
}

func gradOfConvTranspose(c Case) Case {
	g := ConvTransposeGradCase{ConvTransposeCase: *c.(*ConvTransposeCase)}
	g.Params.Act, g.Bias = spec.Activation{}, false
	return &g
}

// Inputs are dy, x and the weight.
func (c *ConvTransposeGradCase) Inputs() []Input {
	g := c.geometry()
	return []Input{{Shape: g.OutShape()}, {Shape: c.X}, {Shape: c.W}}
}

// Call computes both gradients.
func (c *ConvTransposeGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	return each(c.Of,
		func() (*ops.Tensor, error) { return ops.ConvTransposeGradInput(in[0], in[2], c.X, c.Params) },
		func() (*ops.Tensor, error) { return ops.ConvTransposeGradWeight(in[0], in[1], c.W, c.Params) })
}

// Oracle computes both in float64.
func (c *ConvTransposeGradCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	return eachWant(c.Of, gradWants(c.X, c.W, in, func(dx, dw []float64, in [][]float64) {
		cpuref.ConvTransposeGrad(dx, dw, in[0], in[1], in[2], g)
	}, g.K/g.Groups*g.Taps(), g.N*g.InSize()))
}

// Loss is sum(dy * convtranspose(x, w)).
func (c *ConvTransposeGradCase) Loss(in [][]float64) float64 {
	g := c.geometry()
	y := make([]float64, count(g.OutShape()))
	cpuref.ConvTranspose(y, in[1], in[2], nil, g)
	return dot(in[0], y)
}

// Wrt names x and the weight.
func (c *ConvTransposeGradCase) Wrt() []int { return []int{1, 2} }

// Work counts two products of the forward's size.
func (c *ConvTransposeGradCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return eachWork(c.Of, g.Flops(), g.OutShape(), c.X, c.W)
}
