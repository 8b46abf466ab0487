package shaders

import "github.com/kansu-dev/kansu/spec"

// PlanLpNormalize follows with its shader.
func PlanLpNormalize(g spec.LpNormalize, dev Device, force string) (Plan, error) {
	return choose("lpnormalize", force, nil)
}
