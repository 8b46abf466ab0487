package cases

import (
	"math"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// LpNormalizeGradCase is the gradient of one Lp normalization.
type LpNormalizeGradCase struct{ LpNormalizeCase }

var lpNormalizeGradRow = func() Row {
	of := func(c Case) Case {
		g := &LpNormalizeGradCase{*c.(*LpNormalizeCase)}
		g.Params.Act = spec.Activation{}
		return g
	}
	row := gradRow(lpNormalizeRow, lpNormalizeRow.Kernels, func() Case { return &LpNormalizeGradCase{} }, of)
	row.Random = func(r *rand.Rand) Case {
		g := of(randomLpNormalize(r)).(*LpNormalizeGradCase)
		if g.Sparse && g.Params.Eps < 0 {
			g.Params.Eps = 0 // at zeros without eps the function jumps: it has no differences
		}
		return g
	}
	return row
}()

// Inputs are dy and x.
func (c *LpNormalizeGradCase) Inputs() []Input {
	return append([]Input{{Shape: c.X}}, c.LpNormalizeCase.Inputs()...)
}

// Call computes the gradient.
func (c *LpNormalizeGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	dx, err := ops.LpNormalizeGrad(in[0], in[1], c.Axis, c.params())
	return []*ops.Tensor{dx}, err
}

// Oracle computes it in float64.
func (c *LpNormalizeGradCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	n := len(in[1])
	dx, mag, y := make([]float64, n), make([]float64, n), make([]float64, n)
	cpuref.LpNormalizeGrad(dx, in[0], in[1], g)
	cpuref.LpNormalize(y, in[1], g)
	for o := range g.Outer {
		for i := range g.Inner {
			sum, inv := 0.0, 0.0 // inv is one over the norm
			if g.Eps > 0 {
				inv = 1 / float64(g.Eps)
			}
			for j := range g.N {
				at := (o*g.N+j)*g.Inner + i
				sum += math.Abs(in[0][at] * y[at])
				if in[1][at] != 0 {
					inv = math.Abs(y[at] / in[1][at])
				}
			}
			for j := range g.N {
				at := (o*g.N+j)*g.Inner + i
				slope := 0.0
				if in[1][at] != 0 {
					slope = math.Pow(math.Abs(y[at]), min(float64(g.P), 2)-1)
				}
				mag[at] = (math.Abs(in[0][at]) + slope*sum) * inv
			}
		}
	}
	return []Want{{Shape: g.OutShape(), Value: dx, Magnitude: mag, Budget: g.GradBudget()}}
}

// Loss is sum(dy * y), where y is a number.
func (c *LpNormalizeGradCase) Loss(in [][]float64) float64 {
	y := make([]float64, len(in[1]))
	cpuref.LpNormalize(y, in[1], c.geometry())
	return finiteDot(in[0], y)
}

// Wrt names x.
func (c *LpNormalizeGradCase) Wrt() []int { return []int{1} }

// Work counts dy and x read and dx written.
func (c *LpNormalizeGradCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return 2 * g.Flops(), 3 * bytesOf(c.X)
}
