package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// ReduceParams are the parameters of the reductions; see spec.ReduceParams.
type ReduceParams = spec.ReduceParams

// Sum returns the sum over the axes p.Axes, or over all. Errors of this and the
// other reductions: ErrParam (an axis that is not there, or twice), ErrReleased,
// ErrOutOfMemory.
func Sum(x *Tensor, p ReduceParams) (*Tensor, error) { return reduce("Sum", spec.ReduceSum, x, p) }

// Mean returns the mean over the axes p.Axes, or over all; see Sum.
func Mean(x *Tensor, p ReduceParams) (*Tensor, error) { return reduce("Mean", spec.ReduceMean, x, p) }

// Amax returns the greatest value over the axes p.Axes, or over all, NaN where
// there is one; see Sum.
func Amax(x *Tensor, p ReduceParams) (*Tensor, error) { return reduce("Amax", spec.ReduceMax, x, p) }

// Amin returns the least value over the axes p.Axes, or over all, NaN where there
// is one; see Sum.
func Amin(x *Tensor, p ReduceParams) (*Tensor, error) { return reduce("Amin", spec.ReduceMin, x, p) }

// SumSquare returns the sum of the squares over the axes p.Axes, or over all, in
// one pass; ONNX's ReduceSumSquare. See Sum. A square beyond the range of float32
// makes the sum infinite.
func SumSquare(x *Tensor, p ReduceParams) (*Tensor, error) {
	return reduce("SumSquare", spec.ReduceSumSquare, x, p)
}

func reduce(name string, f spec.ReduceFunc, x *Tensor, p ReduceParams) (*Tensor, error) {
	e, err := engineOf(name, x)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewReduce(f, x.shape, p)
	if err != nil {
		return nil, fail(name, err)
	}
	return e.one(call{
		name: name, fn: "reduce", in: []*Tensor{x},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) { return shaders.PlanReduce(g, dev, force) },
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.Reduce(out[0], in[0], g)
			} else {
				fast.Reduce(out[0], in[0], g)
			}
			return nil
		},
	}, g.OutShape())
}
