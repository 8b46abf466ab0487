package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// LRNParams are the parameters of LRN; see spec.LRNParams.
type LRNParams = spec.LRNParams

// LRN is local response normalization across the channels of x [N, C, spatial...]:
//
//	y[c] = act(x[c] / (k + alpha/size * sum of x[i]^2)^beta)
//
// with i over the size channels around c, floor((size-1)/2) before it and
// ceil((size-1)/2) after, as in ONNX (PyTorch has the odd one of an even size
// before: p.EvenBefore). Errors: ErrShape, ErrParam, ErrReleased, ErrOutOfMemory.
func LRN(x *Tensor, p LRNParams) (*Tensor, error) {
	const name = "LRN"
	e, err := engineOf(name, x)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewLRN(x.shape, p)
	if err != nil {
		return nil, fail(name, err)
	}
	return e.one(call{
		name: name, fn: "lrn", in: []*Tensor{x},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanLRN(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.LRN(out[0], in[0], g)
			} else {
				fast.LRN(out[0], in[0], g)
			}
			return nil
		},
	}, g.OutShape())
}
