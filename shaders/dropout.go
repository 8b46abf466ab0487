package shaders

import "github.com/kansu-dev/kansu/spec"

// PlanDropout follows with its shader.
func PlanDropout(g spec.Dropout, dev Device, force string) (Plan, error) {
	return choose("dropout", force, nil)
}
