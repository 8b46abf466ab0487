package cases

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// LRNGradCase is the gradient of one local response normalization.
type LRNGradCase struct{ LRNCase }

var lrnGradRow = gradRow(lrnRow, lrnRow.Kernels, func() Case { return &LRNGradCase{} }, func(c Case) Case {
	g := &LRNGradCase{*c.(*LRNCase)}
	g.Params.Act = spec.Activation{}
	return g
})

// Inputs are dy and x.
func (c *LRNGradCase) Inputs() []Input {
	dy := Input{Shape: c.X, Range: free}
	if c.Spread != (Spread{}) { // a power of which divides dy
		dy.Range |= noTiny
	}
	x := Input{Shape: c.X, Draw: c.Spread.draw(), Range: c.Spread.freedom(c.Params.K)}
	if g := c.geometry(); g.K < 0x1p-10 || g.Beta > 1 { // powers of large ones, or their products, are subnormal
		x.Range |= noLarge
	}
	return []Input{dy, x}
}

// Call computes the gradient.
func (c *LRNGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	dx, err := ops.LRNGrad(in[0], in[1], c.Params)
	return []*ops.Tensor{dx}, err
}

// Oracle computes it in float64. With dy and x positive the terms are one that is
// positive, |dy|*d^-beta, and others of the sign of -beta: the sum of their
// magnitudes is that one and the distance from it.
func (c *LRNGradCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	dx, mag, y := make([]float64, len(in[1])), make([]float64, len(in[1])), make([]float64, len(in[1]))
	cpuref.LRNGrad(dx, in[0], in[1], g)
	cpuref.LRNGrad(mag, abs(in[0]), abs(in[1]), g)
	cpuref.LRN(y, in[1], g)
	for i := range mag {
		first := math.Abs(in[0][i]) * y[i] / in[1][i]
		if in[1][i] == 0 {
			first = mag[i]
		}
		mag[i] = first + math.Abs(mag[i]-first)
	}
	return []Want{{Shape: g.OutShape(), Value: dx, Magnitude: mag, Budget: g.GradBudget()}}
}

// Loss is sum(dy * y), where y is a number.
func (c *LRNGradCase) Loss(in [][]float64) float64 {
	y := make([]float64, len(in[1]))
	cpuref.LRN(y, in[1], c.geometry())
	return finiteDot(in[0], y)
}

// finiteDot is the sum of the products that are numbers.
func finiteDot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		if v := a[i] * b[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			sum += v
		}
	}
	return sum
}

// Wrt names x.
func (c *LRNGradCase) Wrt() []int { return []int{1} }

// Work counts dy and x read and dx written.
func (c *LRNGradCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return 2 * g.Flops(), 3 * bytesOf(c.X)
}
