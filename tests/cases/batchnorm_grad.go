package cases

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// BatchNormTrainGradCase is the gradients of one batch normalization with the
// statistics of x.
type BatchNormTrainGradCase struct{ BatchNormTrainCase }

var batchNormTrainGradRow = gradRow(batchNormTrainRow, normGradKernels, func() Case { return &BatchNormTrainGradCase{} }, func(c Case) Case {
	g := &BatchNormTrainGradCase{*c.(*BatchNormTrainCase)}
	g.Params.Act, g.Shift, g.Running = spec.Activation{}, false, false
	n := g.geometry()
	g.Spread = calm(g.Spread, &n.Norm)
	return g
})

func (c *BatchNormTrainGradCase) grad() spec.NormGrad {
	g := gradNorm(c.geometry().Norm)
	g.Given = true
	return g
}

// Inputs are dy, x, scale and, for differences, shift. The statistics are those
// that the forward call returns.
func (c *BatchNormTrainGradCase) Inputs() []Input {
	return normGradInputs(c.X, c.Spread, c.Params.Eps, channelsOf(c.X, c.Params.Axis), c.Scale)
}

// Call makes the forward call, which has the statistics, and the gradient's.
func (c *BatchNormTrainGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	return callBackward(c, in)
}

// Save returns the statistics.
func (c *BatchNormTrainGradCase) Save(in []*ops.Tensor) ([]*ops.Tensor, error) {
	r, err := ops.BatchNormTrain(in[1], in[2], nil, nil, nil, c.Params)
	if err != nil {
		return nil, err
	}
	r.Y.Release()
	return []*ops.Tensor{r.Mean, r.InvStd}, nil
}

// Gradient makes the gradient's call.
func (c *BatchNormTrainGradCase) Gradient(in, stats []*ops.Tensor) ([]*ops.Tensor, error) {
	return threeGrads(ops.BatchNormTrainGrad(in[0], in[1], in[2], stats[0], stats[1], c.Params))
}

// Oracle computes them in float64.
func (c *BatchNormTrainGradCase) Oracle(in [][]float64) []Want {
	g := c.grad()
	mean, variance := cpuref.Moments(in[1], &g.Norm)
	inv := cpuref.InvStd(variance, &g.Norm)
	return normGradWants(in[0], in[1], in[2], mean, variance, channelsOf(c.X, c.Params.Axis), g, func(d cpuref.NormGrads[float64]) {
		cpuref.BatchNormTrainGrad(d, in[0], in[1], in[2], mean, inv, g)
	})
}

// Loss is sum(dy * y).
func (c *BatchNormTrainGradCase) Loss(in [][]float64) float64 { return normLoss(in, c.geometry().Norm) }

// Wrt names x, scale and shift.
func (c *BatchNormTrainGradCase) Wrt() []int { return normWrt(c.Scale) }

// Work counts the gradient's call alone.
func (c *BatchNormTrainGradCase) Work() (flops, bytes float64) { return normGradWork(c.grad()) }

// BatchNormGradCase is the gradients of one batch normalization with given
// statistics.
type BatchNormGradCase struct{ BatchNormCase }

var batchNormGradRow = gradRow(batchNormRow, normGradKernels, func() Case { return &BatchNormGradCase{} }, func(c Case) Case {
	g := &BatchNormGradCase{*c.(*BatchNormCase)}
	g.Params.Act, g.Shift = spec.Activation{}, false
	return g
})

func (c *BatchNormGradCase) grad() spec.NormGrad {
	g := gradNorm(c.geometry().Norm)
	g.Fixed = true
	return g
}

// Inputs are dy, x, mean, variance, scale and, for differences, shift.
func (c *BatchNormGradCase) Inputs() []Input {
	in := append([]Input{{Shape: c.X}}, c.BatchNormCase.Inputs()...)
	in[5] = in[4]
	return in
}

// Call computes the gradients.
func (c *BatchNormGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	return threeGrads(ops.BatchNormGrad(in[0], in[1], in[2], in[3], in[4], c.Params))
}

// Oracle computes them in float64.
func (c *BatchNormGradCase) Oracle(in [][]float64) []Want {
	g := c.grad()
	return normGradWants(in[0], in[1], in[4], in[2], in[3], channelsOf(c.X, c.Params.Axis), g, func(d cpuref.NormGrads[float64]) {
		cpuref.BatchNormGrad(d, in[0], in[1], in[2], in[3], in[4], g)
	})
}

// Loss is sum(dy * y).
func (c *BatchNormGradCase) Loss(in [][]float64) float64 {
	g := c.geometry()
	return statLoss(in[0], in[1], in[4], in[5], in[2], in[3], &g.Norm)
}

// Wrt names x, scale and shift.
func (c *BatchNormGradCase) Wrt() []int {
	if c.Scale {
		return []int{1, 4, 5}
	}
	return []int{1}
}

// Work counts dy and x read and dx written.
func (c *BatchNormGradCase) Work() (flops, bytes float64) { return normGradWork(c.grad()) }
