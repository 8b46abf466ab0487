package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// PadParams are the parameters of Pad; see spec.PadParams.
type PadParams = spec.PadParams

// Pad adds p.Begin[i] elements before and p.End[i] after those of an axis, for
// all axes or for the last ones: a value, or what the modes reflect, replicate
// and circular take from x. Negative numbers crop. Errors: ErrShape (nothing is
// left), ErrParam, ErrTooLarge, ErrReleased, ErrOutOfMemory.
func Pad(x *Tensor, p PadParams) (*Tensor, error) {
	e, err := engineOf("Pad", x)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewPad(x.shape, p)
	if err != nil {
		return nil, fail("Pad", err)
	}
	return e.one(call{
		name: "Pad", fn: "pad", in: []*Tensor{x},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) { return shaders.PlanPad(g, dev, force) },
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.Pad(out[0], in[0], g)
			} else {
				fast.Pad(out[0], in[0], g)
			}
			return nil
		},
	}, g.OutShape())
}
