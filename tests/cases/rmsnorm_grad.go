package cases

import (
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// RMSNormGradCase is the gradients of one root-mean-square normalization.
type RMSNormGradCase struct{ RMSNormCase }

var rmsNormGradRow = gradRow(rmsNormRow, normGradKernels, func() Case { return &RMSNormGradCase{} }, func(c Case) Case {
	g := &RMSNormGradCase{*c.(*RMSNormCase)}
	g.Params.Act, g.Shift = spec.Activation{}, false
	n := g.geometry()
	g.Spread = calm(g.Spread, &n.Norm)
	return g
})

func (c *RMSNormGradCase) grad() spec.NormGrad { return gradNorm(c.geometry().Norm) }

func (c *RMSNormGradCase) affine() []int { return normShape(c.X, c.Params) }

// Inputs are dy, x, scale and, for differences, shift.
func (c *RMSNormGradCase) Inputs() []Input {
	return normGradInputs(c.X, c.Spread, c.Params.Eps, c.affine(), c.Scale)
}

// Call computes the gradients.
func (c *RMSNormGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	return threeGrads(ops.RMSNormGrad(in[0], in[1], in[2], c.Params))
}

// Oracle computes them in float64.
func (c *RMSNormGradCase) Oracle(in [][]float64) []Want {
	return momentsWants(in, c.affine(), c.grad())
}

// Loss is sum(dy * y).
func (c *RMSNormGradCase) Loss(in [][]float64) float64 { return normLoss(in, c.geometry().Norm) }

// Wrt names x, scale and shift.
func (c *RMSNormGradCase) Wrt() []int { return normWrt(c.Scale) }

// Work counts dy and x read and dx written.
func (c *RMSNormGradCase) Work() (flops, bytes float64) { return normGradWork(c.grad()) }
