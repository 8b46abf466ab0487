package shaders

import "github.com/kansu-dev/kansu/spec"

// PlanInstanceNorm plans an instance normalization. Inputs: x, scale, shift (the
// last two may be absent); output: y. Variants: those of the normalizations, see
// norm.go.
func PlanInstanceNorm(g spec.InstanceNorm, dev Device, force string) (Plan, error) {
	return planNorm("instancenorm", &g.Norm, usualNorm, nil, dev, force)
}

// PlanInstanceNormTrain plans an instance normalization that returns the
// statistics. Inputs: x, scale, shift, running mean, running variance (all but x
// may be absent); outputs: y, mean, variance, inverse standard deviation and,
// where g.Running is set, the new running mean and variance.
func PlanInstanceNormTrain(g spec.InstanceNorm, dev Device, force string) (Plan, error) {
	return planNorm("instancenorm", &g.Norm, usualNorm, publishRunning(g.N, g.C, g.Running, g.Momentum, unbias(&g.Norm, g.Biased)), dev, force)
}
