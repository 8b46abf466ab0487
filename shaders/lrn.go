package shaders

import "github.com/kansu-dev/kansu/spec"

// PlanLRN follows with its shader.
func PlanLRN(g spec.LRN, dev Device, force string) (Plan, error) {
	return choose("lrn", force, nil)
}
