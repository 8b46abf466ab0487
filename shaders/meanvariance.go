package shaders

import "github.com/kansu-dev/kansu/spec"

// PlanMeanVariance plans a mean-variance normalization. Input: x; output: y.
// Inputs 1 and 2 are absent. Variants: those of the normalizations, see norm.go.
func PlanMeanVariance(g spec.MeanVariance, dev Device, force string) (Plan, error) {
	return planNorm("meanvariance", &g.Norm, usualNorm, nil, dev, force)
}
