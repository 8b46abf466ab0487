package cases

import (
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// MeanVarianceGradCase is the gradient of one mean-variance normalization.
type MeanVarianceGradCase struct{ MeanVarianceCase }

var meanVarianceGradRow = gradRow(meanVarianceRow, normGradKernels, func() Case { return &MeanVarianceGradCase{} }, func(c Case) Case {
	g := &MeanVarianceGradCase{*c.(*MeanVarianceCase)}
	g.Params.Act = spec.Activation{}
	n := g.geometry()
	g.Spread = calm(g.Spread, &n.Norm)
	return g
})

func (c *MeanVarianceGradCase) grad() spec.NormGrad { return gradNorm(c.geometry().Norm) }

// Inputs are dy and x.
func (c *MeanVarianceGradCase) Inputs() []Input {
	return normGradInputs(c.X, c.Spread, c.Params.Eps, nil, false)
}

// Call computes the gradient.
func (c *MeanVarianceGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	dx, err := ops.MeanVarianceNormGrad(in[0], in[1], c.Params)
	return []*ops.Tensor{dx}, err
}

// Oracle computes it in float64.
func (c *MeanVarianceGradCase) Oracle(in [][]float64) []Want { return momentsWants(in, nil, c.grad()) }

// Loss is sum(dy * y).
func (c *MeanVarianceGradCase) Loss(in [][]float64) float64 { return normLoss(in, c.geometry().Norm) }

// Wrt names x.
func (c *MeanVarianceGradCase) Wrt() []int { return normWrt(false) }

// Work counts dy and x read and dx written.
func (c *MeanVarianceGradCase) Work() (flops, bytes float64) { return normGradWork(c.grad()) }
