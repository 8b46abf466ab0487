package cases

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// SoftmaxGradCase is the gradient of one softmax or log softmax.
type SoftmaxGradCase struct{ SoftmaxCase }

var softmaxGradRow = Row{
	Name:   "softmax_grad",
	New:    func() Case { return &SoftmaxGradCase{} },
	Random: func(r *rand.Rand) Case { return gradOfSoftmax(randomSoftmax(r)) },
	Awkward: func() []Case {
		var all []Case
		for _, c := range awkwardSoftmax() {
			if c.(*SoftmaxCase).Kind != spec.Hardmax {
				all = append(all, gradOfSoftmax(c))
			}
		}
		return all
	},
	Kernels: softmaxRow.Kernels,
}

func gradOfSoftmax(c Case) Case {
	g := SoftmaxGradCase{*c.(*SoftmaxCase)}
	if g.Kind == spec.Hardmax {
		g.Kind = spec.Softmax
	}
	return &g
}

// Inputs are dy and x.
func (c *SoftmaxGradCase) Inputs() []Input {
	return []Input{{Shape: c.X}, {Shape: c.X, Draw: c.draw, Range: free}}
}

// forward is the softmax of x rounded to float32, which is what the gradient
// takes: log softmax's last bits count where it is large.
func (c *SoftmaxGradCase) forward(x []float64) []float32 {
	y := make([]float64, len(x))
	cpuref.Softmax(y, x, c.geometry())
	return narrow(y)
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

// Call computes the gradient.
func (c *SoftmaxGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) { return callBackward(c, in) }

// Save returns the softmax, as the oracle computes it.
func (c *SoftmaxGradCase) Save(in []*ops.Tensor) ([]*ops.Tensor, error) {
	x, err := in[1].Data()
	if err != nil {
		return nil, err
	}
	y, err := in[1].Engine().Tensor(c.forward(widen(x)), c.X...)
	return []*ops.Tensor{y}, err
}

// Gradient makes the gradient's own call.
func (c *SoftmaxGradCase) Gradient(in, saved []*ops.Tensor) ([]*ops.Tensor, error) {
	f := ops.SoftmaxGrad
	if c.Kind == spec.LogSoftmax {
		f = ops.LogSoftmaxGrad
	}
	dx, err := f(in[0], saved[0], c.Axis)
	return []*ops.Tensor{dx}, err
}

// Oracle computes it in float64.
func (c *SoftmaxGradCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	y := widen(c.forward(in[1]))
	dx, mag := make([]float64, len(y)), make([]float64, len(y))
	cpuref.SoftmaxGrad(dx, in[0], y, g)
	size := abs(in[0])
	for o := range g.Outer {
		for i := range g.Inner {
			sum := 0.0
			for j := range g.N {
				at := (o*g.N+j)*g.Inner + i
				if g.Kind == spec.LogSoftmax {
					sum += size[at]
				} else {
					sum += size[at] * y[at]
				}
			}
			for j := range g.N {
				at := (o*g.N+j)*g.Inner + i
				if g.Kind == spec.LogSoftmax {
					mag[at] = size[at] + math.Exp(y[at])*sum
				} else {
					mag[at] = y[at] * (size[at] + sum)
				}
			}
		}
	}
	return []Want{{Shape: g.OutShape(), Value: dx, Magnitude: mag, Budget: g.GradBudget()}}
}

// Loss is sum(dy * y). What is not a number does not move; for -Inf, whose log
// softmax moves with the sum, stands a number whose exponential is 0.
func (c *SoftmaxGradCase) Loss(in [][]float64) float64 {
	x := slices.Clone(in[1])
	for i, v := range x {
		if math.IsInf(v, -1) {
			x[i] = -1e4
		}
	}
	y := make([]float64, len(x))
	cpuref.Softmax(y, x, c.geometry())
	for i, v := range y {
		if math.IsNaN(v) {
			y[i] = 0
		}
	}
	return dot(in[0], y)
}

// Wrt names x.
func (c *SoftmaxGradCase) Wrt() []int { return []int{1} }

// Work counts dy and y read and dx written.
func (c *SoftmaxGradCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), 3 * bytesOf(c.X)
}
