package shaders

import "github.com/kansu-dev/kansu/spec"

// ActivationSource is replaced when the pointwise functions land.
func ActivationSource(fn string, a spec.Activation) string {
	body := "v"
	switch a.Func {
	case spec.ReLU:
		body = "max(v, 0.0)"
	case spec.Sigmoid:
		body = "1.0 / (1.0 + exp(-v))"
	case spec.Tanh:
		body = "tanh(clamp(v, -15.0, 15.0))"
	}
	return "fn " + fn + "(v: f32, a: f32, b: f32) -> f32 { return " + body + "; }"
}
