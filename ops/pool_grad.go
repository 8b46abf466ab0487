package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// MaxPoolGrad returns the gradient of MaxPool with respect to its input, of shape
// x, for a gradient dy of the output and the indices of MaxPoolIndices: each
// element of dy goes to the maximum it came from. Errors of this and the other
// gradients of poolings: ErrShape, ErrParam, ErrType, ErrReleased, ErrEngine.
func MaxPoolGrad(dy, indices *Tensor, x []int, p PoolParams) (*Tensor, error) {
	g, err := spec.NewPool(spec.PoolMax, x, 0, p)
	return poolGrad("MaxPoolGrad", dy, indices, nil, g, err)
}

// AvgPoolGrad returns the gradient of AvgPool with respect to its input, of shape
// x; see MaxPoolGrad.
func AvgPoolGrad(dy *Tensor, x []int, p PoolParams) (*Tensor, error) {
	g, err := spec.NewPool(spec.PoolAvg, x, 0, p)
	return poolGrad("AvgPoolGrad", dy, nil, nil, g, err)
}

// LpPoolGrad returns the gradient of LpPool with respect to its input x, for a
// gradient dy of the output y; see MaxPoolGrad.
func LpPoolGrad(dy, x, y *Tensor, p PoolParams, norm float32) (*Tensor, error) {
	const name = "LpPoolGrad"
	if _, err := engineOf(name, x, y); err != nil {
		return nil, err
	}
	g, err := spec.NewPool(spec.PoolLp, x.shape, norm, p)
	return poolGrad(name, dy, y, x, g, err)
}

// GlobalAvgPoolGrad returns the gradient of GlobalAvgPool with respect to its
// input, of shape x; see MaxPoolGrad.
func GlobalAvgPoolGrad(dy *Tensor, x []int) (*Tensor, error) {
	g, err := spec.NewGlobalPool(spec.PoolAvg, x, 0)
	return poolGrad("GlobalAvgPoolGrad", dy, nil, nil, g, err)
}

// AdaptiveAvgPoolGrad returns the gradient of AdaptiveAvgPool with respect to its
// input, of shape x; see MaxPoolGrad.
func AdaptiveAvgPoolGrad(dy *Tensor, x []int) (*Tensor, error) {
	const name = "AdaptiveAvgPoolGrad"
	g, err := adaptiveOf(spec.PoolAvg, dy, x)
	return poolGrad(name, dy, nil, nil, g, err)
}

// AdaptiveMaxPoolGrad returns the gradient of AdaptiveMaxPool with respect to its
// input, of shape x, for the indices of AdaptiveMaxPoolIndices; see MaxPoolGrad.
func AdaptiveMaxPoolGrad(dy, indices *Tensor, x []int) (*Tensor, error) {
	const name = "AdaptiveMaxPoolGrad"
	g, err := adaptiveOf(spec.PoolMax, dy, x)
	return poolGrad(name, dy, indices, nil, g, err)
}

// adaptiveOf resolves the adaptive pooling of x whose output has dy's shape.
func adaptiveOf(kind spec.PoolKind, dy *Tensor, x []int) (spec.Pool, error) {
	if dy == nil {
		return spec.Pool{}, fmt.Errorf("%w: the gradient", ErrNil)
	}
	if len(dy.shape) != len(x) || len(x) < 3 {
		return spec.Pool{}, &spec.Error{Kind: ErrShape, Message: fmt.Sprintf("the gradient is %v, but the input is %v", dy.shape, x)}
	}
	return spec.NewAdaptivePool(kind, x, dy.shape[2:])
}

// poolGrad runs the gradient of pooling g, unless that could not be resolved.
// aux are the indices of a max or the output of an Lp pooling.
func poolGrad(name string, dy, aux, x *Tensor, pool spec.Pool, err error) (*Tensor, error) {
	if err != nil {
		return nil, fail(name, err)
	}
	e, err := engineOfGrad(name, dy, x)
	if err != nil {
		return nil, err
	}
	g, err := spec.NewPoolGrad(pool, dy.shape)
	if err != nil {
		return nil, fail(name, err)
	}
	if pool.Kind != spec.PoolAvg {
		switch {
		case aux == nil:
			return nil, fail(name, fmt.Errorf("%w: what the pooling returned", ErrNil))
		case pool.Kind == spec.PoolMax:
			if err := e.checkIndices(aux); err != nil {
				return nil, fail(name, err)
			}
		}
		if !spec.EqualShapes(aux.shape, dy.shape) {
			return nil, fail(name, &spec.Error{Kind: ErrShape, Message: fmt.Sprintf("the gradient is %v, but what the pooling returned is %v", dy.shape, aux.shape)})
		}
	}
	return e.one(call{
		name: name, fn: pool.Kind.String() + "pool_grad", in: []*Tensor{dy, aux, x},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanPoolGrad(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			var idx []int32
			if g.Kind == spec.PoolMax {
				idx = asInt32(in[1])
			}
			if plain {
				cpuref.PoolGrad(out[0], in[0], idx, in[2], in[1], g)
			} else {
				fast.PoolGrad(out[0], in[0], idx, in[2], in[1], g)
			}
			return nil
		},
	}, g.InShape())
}

// MaxUnpoolGrad returns the gradient of MaxUnpool with respect to its input, of
// the shape of indices, for a gradient dy of the output: the element of dy at
// each index. Where two inputs share an index the later one stands in the output,
// and takes the gradient. Errors: as MaxPoolGrad.
func MaxUnpoolGrad(dy, indices *Tensor, p UnpoolParams) (*Tensor, error) {
	const name = "MaxUnpoolGrad"
	e, err := engineOfGrad(name, dy)
	if err != nil {
		return nil, err
	}
	if err := e.checkIndices(indices); err != nil {
		return nil, fail(name, err)
	}
	g, err := spec.NewUnpool(indices.shape, indices.shape, p)
	if err != nil {
		return nil, fail(name, err)
	}
	if !spec.EqualShapes(dy.shape, g.OutShape()) {
		return nil, fail(name, &spec.Error{Kind: ErrShape, Message: fmt.Sprintf("the gradient is %v, but the unpooling's output is %v", dy.shape, g.OutShape())})
	}
	return e.one(call{
		name: name, fn: "unpool_grad", in: []*Tensor{dy, indices},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanUnpoolGrad(g, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.UnpoolGrad(out[0], in[0], asInt32(in[1]), g)
			} else {
				fast.UnpoolGrad(out[0], in[0], asInt32(in[1]), g)
			}
			return nil
		},
	}, indices.shape)
}
