package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// UpsampleParams are the parameters of Upsample; see spec.UpsampleParams.
type UpsampleParams = spec.UpsampleParams

// Upsample resamples the spatial axes of x [N, C, spatial...], of which there are
// one to three, to a size or by a scale, with the meaning of PyTorch's
// interpolate: nearest, or linear (bilinear, trilinear) with or without aligned
// corners. It makes smaller as well as larger. Positions are computed in
// integers, so a size of any ratio hits the element that the formula says.
// Errors: ErrShape, ErrParam, ErrTooLarge, ErrReleased, ErrOutOfMemory.
func Upsample(x *Tensor, p UpsampleParams) (*Tensor, error) {
	e, err := engineOf("Upsample", x)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewUpsample(x.shape, p)
	if err != nil {
		return nil, fail("Upsample", err)
	}
	return e.one(call{
		name: "Upsample", fn: "upsample", in: []*Tensor{x},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanUpsample(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.Upsample(out[0], in[0], g)
			} else {
				fast.Upsample(out[0], in[0], g)
			}
			return nil
		},
	}, g.OutShape())
}
