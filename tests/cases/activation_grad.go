package cases

import (
	"math"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// ActivationGradCase is the gradient of one pointwise function.
type ActivationGradCase struct{ ActivationCase }

var activationGradRow = Row{
	Name: "activation_grad",
	New:  func() Case { return &ActivationGradCase{} },
	Random: func(r *rand.Rand) Case {
		c := randomActivation(r).(*ActivationCase)
		if c.Values == "wide" {
			c.Values = "large"
		}
		return &ActivationGradCase{*c}
	},
	Awkward: func() []Case {
		var all []Case
		for _, f := range spec.Pointwises() {
			for _, values := range []string{"", "small", "unit", "special"} {
				all = append(all, &ActivationGradCase{*activationCase(f.Default(), []int{501}, values)})
			}
		}
		for _, f := range []spec.Activation{ // parameters with which x/A or A*x leaves float32
			{Func: spec.CELU, A: 0.7}, {Func: spec.CELU, A: 1e-6}, {Func: spec.CELU, A: 1e6}, {Func: spec.CELU, A: 1e37},
			{Func: spec.ELU, A: -0.7}, {Func: spec.LeakyReLU, A: 3}, {Func: spec.Swish, A: 30}, {Func: spec.Softplus, A: 7, B: 3},
			{Func: spec.Softplus, A: -1.5, B: 20}, {Func: spec.HardSigmoid, A: 5, B: -1}, {Func: spec.Affine, A: 1e6, B: 1},
		} {
			for _, values := range []string{"", "special"} {
				all = append(all, &ActivationGradCase{*activationCase(f, []int{501}, values)})
			}
		}
		return all
	},
	Kernels: []string{"vec4", "runs"},
}

// Inputs are the gradient of the output, and x.
func (c *ActivationGradCase) Inputs() []Input {
	x := c.ActivationCase.Inputs()[0]
	draw, f := x.Draw, must(c.activation())
	x.Draw = func(r *rand.Rand) float32 {
		v := draw(r)
		if d := math.Abs(cpuref.PointwiseDerivative64(f, float64(v))); d > 1e37 && !math.IsInf(d, 0) {
			return 0.5 // f'(x) itself would overflow, whatever dy is
		}
		return v
	}
	return []Input{{Shape: c.X}, x}
}

// Call computes the gradient.
func (c *ActivationGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	f, err := c.activation()
	if err != nil {
		return nil, err
	}
	dx, err := ops.PointwiseGrad(in[0], in[1], f)
	return []*ops.Tensor{dx}, err
}

// Oracle computes it in float64.
func (c *ActivationGradCase) Oracle(in [][]float64) []Want {
	f := must(c.activation())
	dx, mag := make([]float64, len(in[0])), make([]float64, len(in[0]))
	cpuref.PointwiseGrad(dx, in[0], in[1], f)
	for i, dy := range in[0] {
		slope := math.Abs(cpuref.PointwiseDerivative64(f, in[1][i]))
		if math.IsNaN(slope) || math.IsInf(slope, 0) {
			slope = 1
		}
		mag[i] = math.Abs(dy) * max(1, slope)
	}
	return []Want{{Shape: c.X, Value: dx, Magnitude: mag, Budget: f.GradBudget()}}
}

// Work counts two operations for each element.
func (c *ActivationGradCase) Work() (flops, bytes float64) {
	return 2 * float64(count(c.X)), 3 * bytesOf(c.X)
}

// Loss is sum(dy * f(x)).
func (c *ActivationGradCase) Loss(in [][]float64) float64 {
	f := must(c.activation())
	sum := 0.0
	for i, x := range in[1] {
		if v := in[0][i] * cpuref.Pointwise64(f, x); !math.IsNaN(v) && !math.IsInf(v, 0) {
			sum += v
		}
	}
	return sum
}

// Wrt names x.
func (c *ActivationGradCase) Wrt() []int { return []int{1} }
