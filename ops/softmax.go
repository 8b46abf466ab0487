package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// Softmax returns exp(x) / sum of exp(x) along an axis (negative counts from
// the end), computed from x - max so that nothing overflows. A slice that holds
// a NaN, a +Inf or nothing but -Inf becomes NaN, as in PyTorch. Softmax over
// several adjacent axes is that of a Flatten of them. Errors: ErrParam (no such
// axis), ErrReleased, ErrOutOfMemory.
func Softmax(x *Tensor, axis int) (*Tensor, error) { return softmax("Softmax", x, axis, spec.Softmax) }

// LogSoftmax returns log(softmax(x)) along an axis, with full relative accuracy
// also where it is close to 0; see Softmax.
func LogSoftmax(x *Tensor, axis int) (*Tensor, error) {
	return softmax("LogSoftmax", x, axis, spec.LogSoftmax)
}

// Hardmax returns 1 at the first maximum along an axis and 0 elsewhere. A NaN
// counts as the maximum.
func Hardmax(x *Tensor, axis int) (*Tensor, error) { return softmax("Hardmax", x, axis, spec.Hardmax) }

func softmax(name string, x *Tensor, axis int, kind spec.SoftmaxKind) (*Tensor, error) {
	e, err := engineOf(name, x)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewSoftmax(x.shape, axis, kind)
	if err != nil {
		return nil, fail(name, err)
	}
	return e.one(call{
		name: name, fn: "softmax", in: []*Tensor{x},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanSoftmax(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.Softmax(out[0], in[0], g)
			} else {
				fast.Softmax(out[0], in[0], g)
			}
			return nil
		},
	}, g.OutShape())
}
