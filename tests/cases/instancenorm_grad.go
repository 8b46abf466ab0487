package cases

import (
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// InstanceNormGradCase is the gradients of one instance normalization.
type InstanceNormGradCase struct{ InstanceNormCase }

var instanceNormGradRow = gradRow(instanceNormRow, normGradKernels, func() Case { return &InstanceNormGradCase{} }, func(c Case) Case {
	g := &InstanceNormGradCase{*c.(*InstanceNormCase)}
	g.Params.Act, g.Shift, g.Train, g.Running = spec.Activation{}, false, false, false
	n := g.geometry()
	g.Spread = calm(g.Spread, &n.Norm)
	return g
})

func (c *InstanceNormGradCase) grad() spec.NormGrad { return gradNorm(c.geometry().Norm) }

func (c *InstanceNormGradCase) affine() []int { return channelsOf(c.X, c.Params.Axis) }

// Inputs are dy, x, scale and, for differences, shift.
func (c *InstanceNormGradCase) Inputs() []Input {
	return normGradInputs(c.X, c.Spread, c.Params.Eps, c.affine(), c.Scale)
}

// Call computes the gradients.
func (c *InstanceNormGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	return threeGrads(ops.InstanceNormGrad(in[0], in[1], in[2], ops.InstanceNormParams{Eps: c.Params.Eps, Axis: c.Params.Axis}))
}

// Oracle computes them in float64.
func (c *InstanceNormGradCase) Oracle(in [][]float64) []Want {
	return momentsWants(in, c.affine(), c.grad())
}

// Loss is sum(dy * y).
func (c *InstanceNormGradCase) Loss(in [][]float64) float64 { return normLoss(in, c.geometry().Norm) }

// Wrt names x, scale and shift.
func (c *InstanceNormGradCase) Wrt() []int { return normWrt(c.Scale) }

// Work counts dy and x read and dx written.
func (c *InstanceNormGradCase) Work() (flops, bytes float64) { return normGradWork(c.grad()) }
