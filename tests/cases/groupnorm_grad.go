package cases

import (
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// GroupNormGradCase is the gradients of one group normalization.
type GroupNormGradCase struct{ GroupNormCase }

var groupNormGradRow = gradRow(groupNormRow, normGradKernels, func() Case { return &GroupNormGradCase{} }, func(c Case) Case {
	g := &GroupNormGradCase{*c.(*GroupNormCase)}
	g.Params.Act, g.Shift = spec.Activation{}, false
	n := g.geometry()
	g.Spread = calm(g.Spread, &n.Norm)
	return g
})

func (c *GroupNormGradCase) grad() spec.NormGrad { return gradNorm(c.geometry().Norm) }

func (c *GroupNormGradCase) affine() []int { return channelsOf(c.X, c.Params.Axis) }

// Inputs are dy, x, scale and, for differences, shift.
func (c *GroupNormGradCase) Inputs() []Input {
	return normGradInputs(c.X, c.Spread, c.Params.Eps, c.affine(), c.Scale)
}

// Call computes the gradients.
func (c *GroupNormGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	return threeGrads(ops.GroupNormGrad(in[0], in[1], in[2], c.Params))
}

// Oracle computes them in float64.
func (c *GroupNormGradCase) Oracle(in [][]float64) []Want {
	return momentsWants(in, c.affine(), c.grad())
}

// Loss is sum(dy * y).
func (c *GroupNormGradCase) Loss(in [][]float64) float64 { return normLoss(in, c.geometry().Norm) }

// Wrt names x, scale and shift.
func (c *GroupNormGradCase) Wrt() []int { return normWrt(c.Scale) }

// Work counts dy and x read and dx written.
func (c *GroupNormGradCase) Work() (flops, bytes float64) { return normGradWork(c.grad()) }
