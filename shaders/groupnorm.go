package shaders

import "github.com/kansu-dev/kansu/spec"

// PlanGroupNorm plans a group normalization. Inputs: x, scale, shift (the last
// two may be absent); output: y. Variants: those of the normalizations, see
// norm.go.
func PlanGroupNorm(g spec.GroupNorm, dev Device, force string) (Plan, error) {
	return planNorm("groupnorm", &g.Norm, usualNorm, nil, dev, force)
}
