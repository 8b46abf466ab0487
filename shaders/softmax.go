package shaders

import "github.com/kansu-dev/kansu/spec"

// PlanSoftmax follows with its shader.
func PlanSoftmax(g spec.SoftmaxOf, dev Device, force string) (Plan, error) {
	return choose("softmax", force, nil)
}
