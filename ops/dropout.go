package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// Dropout sets each element of x to 0 with probability p and multiplies the
// others by 1/(1-p), the training form; in inference dropout is the identity,
// which is x itself. What is dropped depends on the seed and the position alone
// and is the same on every device: use a new seed for each step. Errors:
// ErrParam (p outside of [0, 1]), ErrReleased, ErrOutOfMemory.
func Dropout(x *Tensor, p float64, seed uint64) (*Tensor, error) {
	ts, err := dropout("Dropout", x, p, seed, false)
	if err != nil {
		return nil, err
	}
	return ts[0], nil
}

// DropoutMask is Dropout that also returns the mask: 1 where an element was
// kept, 0 where it was dropped.
func DropoutMask(x *Tensor, p float64, seed uint64) (y, mask *Tensor, err error) {
	ts, err := dropout("DropoutMask", x, p, seed, true)
	if err != nil {
		return nil, nil, err
	}
	return ts[0], ts[1], nil
}

func dropout(name string, x *Tensor, p float64, seed uint64, mask bool) ([]*Tensor, error) {
	e, err := engineOf(name, x)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewDropout(x.shape, p, seed, mask)
	if err != nil {
		return nil, fail(name, err)
	}
	out := []output{{g.OutShape(), Float32}}
	if mask {
		out = append(out, output{g.OutShape(), Float32})
	}
	return e.run(call{
		name: name, fn: "dropout", in: []*Tensor{x}, out: out,
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanDropout(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			var m []float32
			if mask {
				m = out[1]
			}
			if plain {
				cpuref.Dropout(out[0], m, in[0], g)
			} else {
				fast.Dropout(out[0], m, in[0], g)
			}
			return nil
		},
	})
}
