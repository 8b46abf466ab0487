package shaders

import "github.com/kansu-dev/kansu/spec"

// PlanRMSNorm plans a root-mean-square normalization. Inputs: x, scale, shift
// (the last two may be absent); output: y. Variants: those of the
// normalizations, see norm.go.
func PlanRMSNorm(g spec.RMSNorm, dev Device, force string) (Plan, error) {
	return planNorm("rmsnorm", &g.Norm, usualNorm, nil, dev, force)
}
