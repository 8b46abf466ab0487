package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// Activation is a pointwise function with its parameters; see spec.Activation.
type Activation = spec.Activation

// Pointwise applies a pointwise function to every element: y = f(x). The result
// has the shape of x. The named functions of this file are short forms of it.
// Errors: ErrParam (a NaN or impossible parameter), ErrReleased, ErrOutOfMemory.
func Pointwise(x *Tensor, f Activation) (*Tensor, error) { return pointwise("Pointwise", x, f) }

func pointwise(name string, x *Tensor, f Activation) (*Tensor, error) {
	e, err := engineOf(name, x)
	if err != nil {
		return nil, err
	}
	if err := f.Check(); err != nil {
		return nil, fail(name, err)
	}
	n := x.Len()
	return e.one(call{
		name: name, fn: "activation", in: []*Tensor{x},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanActivation(f, n, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			for i, v := range in[0] {
				out[0][i] = float32(cpuref.Pointwise64(f, float64(v)))
			}
			return nil
		},
	}, x.shape)
}

// ReLU returns max(0, x). NaN stays NaN.
func ReLU(x *Tensor) (*Tensor, error) { return pointwise("ReLU", x, Activation{Func: spec.ReLU}) }
