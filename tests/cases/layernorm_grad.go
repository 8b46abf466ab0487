package cases

import (
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// LayerNormGradCase is the gradients of one layer normalization.
type LayerNormGradCase struct{ LayerNormCase }

var layerNormGradRow = gradRow(layerNormRow, normGradKernels, func() Case { return &LayerNormGradCase{} }, func(c Case) Case {
	g := &LayerNormGradCase{*c.(*LayerNormCase)}
	g.Params.Act, g.Shift, g.Stats = spec.Activation{}, false, false
	n := g.geometry()
	g.Spread = calm(g.Spread, &n.Norm)
	return g
})

func (c *LayerNormGradCase) grad() spec.NormGrad { return gradNorm(c.geometry().Norm) }

func (c *LayerNormGradCase) affine() []int { return normShape(c.X, c.Params) }

// Inputs are dy, x, scale and, for differences, shift.
func (c *LayerNormGradCase) Inputs() []Input {
	return normGradInputs(c.X, c.Spread, c.Params.Eps, c.affine(), c.Scale)
}

// Call computes the gradients.
func (c *LayerNormGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	return threeGrads(ops.LayerNormGrad(in[0], in[1], in[2], c.Params))
}

// Oracle computes them in float64.
func (c *LayerNormGradCase) Oracle(in [][]float64) []Want {
	return momentsWants(in, c.affine(), c.grad())
}

// Loss is sum(dy * y).
func (c *LayerNormGradCase) Loss(in [][]float64) float64 { return normLoss(in, c.geometry().Norm) }

// Wrt names x, scale and shift.
func (c *LayerNormGradCase) Wrt() []int { return normWrt(c.Scale) }

// Work counts dy and x read and dx written.
func (c *LayerNormGradCase) Work() (flops, bytes float64) { return normGradWork(c.grad()) }
