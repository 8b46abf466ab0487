package ops

import (
	"unsafe"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// PoolParams are the parameters of MaxPool, AvgPool and LpPool; see
// spec.PoolParams.
type PoolParams = spec.PoolParams

// MaxPool takes the largest element of every window of x [N, C, spatial...].
// The rank of x decides between 1, 2 and 3 dimensions. The result is
// [N, C, out...] with
//
//	out = floor((in + padBegin + padEnd - dilation*(kernel-1) - 1)/stride) + 1
//
// (rounded up with Ceil). NaN is larger than every number, as in PyTorch, and a
// window without any element of the input, which dilation makes possible, gives
// -Inf. The formula is that of PyTorch's MaxPool1d, 2d and 3d; see spec.Pool.
// Errors: ErrShape, ErrParam, ErrTooLarge, ErrReleased, ErrOutOfMemory.
func MaxPool(x *Tensor, p PoolParams) (*Tensor, error) {
	return pool("MaxPool", x, func() (spec.Pool, error) { return spec.NewPool(spec.PoolMax, x.shape, 0, p) })
}

// MaxPoolIndices is MaxPool that also returns the place of each maximum in its
// input plane (an Int32 tensor of the result's shape; row-major; the first of
// equal maxima, the last NaN, -1 for an empty window), for MaxUnpool.
func MaxPoolIndices(x *Tensor, p PoolParams) (y, indices *Tensor, err error) {
	return poolIndices("MaxPoolIndices", x, func() (spec.Pool, error) { return spec.NewPool(spec.PoolMax, x.shape, 0, p) })
}

// AvgPool takes the mean of every window of x [N, C, spatial...]; see MaxPool
// for the shapes. As in PyTorch's AvgPool1d, 2d and 3d, declared padding counts
// as zeros unless ExcludePad is set, and Divisor takes the place of the count.
// Errors: those of MaxPool.
func AvgPool(x *Tensor, p PoolParams) (*Tensor, error) {
	return pool("AvgPool", x, func() (spec.Pool, error) { return spec.NewPool(spec.PoolAvg, x.shape, 0, p) })
}

// LpPool takes the p-norm of every window of x [N, C, spatial...], where norm is
// p > 0; see MaxPool for the shapes. As in PyTorch's LPPool1d and 2d it is
// (sum of x^p)^(1/p), which keeps signs: with an odd norm inputs of both signs
// cancel, and a negative sum gives NaN. PoolParams.PlainNorm makes it the norm
// of |x|, as in ONNX and WebNN. Errors: those of MaxPool.
func LpPool(x *Tensor, p PoolParams, norm float32) (*Tensor, error) {
	return pool("LpPool", x, func() (spec.Pool, error) { return spec.NewPool(spec.PoolLp, x.shape, norm, p) })
}

// GlobalMaxPool takes the largest element of every plane of x [N, C, spatial...].
// The result is [N, C, 1...]. Errors: ErrShape, ErrReleased, ErrOutOfMemory.
func GlobalMaxPool(x *Tensor) (*Tensor, error) {
	return pool("GlobalMaxPool", x, func() (spec.Pool, error) { return spec.NewGlobalPool(spec.PoolMax, x.shape, 0) })
}

// GlobalAvgPool takes the mean of every plane of x; see GlobalMaxPool.
func GlobalAvgPool(x *Tensor) (*Tensor, error) {
	return pool("GlobalAvgPool", x, func() (spec.Pool, error) { return spec.NewGlobalPool(spec.PoolAvg, x.shape, 0) })
}

// GlobalLpPool takes the norm (sum of |x|^p)^(1/p) of every plane of x, where
// norm is p > 0 (ErrParam otherwise); see GlobalMaxPool.
func GlobalLpPool(x *Tensor, norm float32) (*Tensor, error) {
	return pool("GlobalLpPool", x, func() (spec.Pool, error) { return spec.NewGlobalPool(spec.PoolLp, x.shape, norm) })
}

// AdaptiveMaxPool makes planes of the size out from x [N, C, spatial...]: one
// number, or one per axis; -1 keeps an axis as it is. Element o of an axis is
// the maximum over floor(o*in/out) to ceil((o+1)*in/out)-1, as in PyTorch's
// AdaptiveMaxPool1d, 2d and 3d. Errors: ErrShape, ErrParam, ErrTooLarge,
// ErrReleased, ErrOutOfMemory.
func AdaptiveMaxPool(x *Tensor, out ...int) (*Tensor, error) {
	return pool("AdaptiveMaxPool", x, func() (spec.Pool, error) { return spec.NewAdaptivePool(spec.PoolMax, x.shape, out) })
}

// AdaptiveMaxPoolIndices is AdaptiveMaxPool that also returns the place of each
// maximum in its input plane; see MaxPoolIndices.
func AdaptiveMaxPoolIndices(x *Tensor, out ...int) (y, indices *Tensor, err error) {
	return poolIndices("AdaptiveMaxPoolIndices", x, func() (spec.Pool, error) { return spec.NewAdaptivePool(spec.PoolMax, x.shape, out) })
}

// AdaptiveAvgPool takes means over the windows of AdaptiveMaxPool, as PyTorch's
// AdaptiveAvgPool1d, 2d and 3d do.
func AdaptiveAvgPool(x *Tensor, out ...int) (*Tensor, error) {
	return pool("AdaptiveAvgPool", x, func() (spec.Pool, error) { return spec.NewAdaptivePool(spec.PoolAvg, x.shape, out) })
}

func pool(name string, x *Tensor, resolve func() (spec.Pool, error)) (*Tensor, error) {
	out, err := runPool(name, x, false, resolve)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

func poolIndices(name string, x *Tensor, resolve func() (spec.Pool, error)) (y, indices *Tensor, err error) {
	out, err := runPool(name, x, true, resolve)
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1], nil
}

// runPool makes the call for every form of pooling. The geometry is resolved
// only after x has been checked.
func runPool(name string, x *Tensor, indices bool, resolve func() (spec.Pool, error)) ([]*Tensor, error) {
	e, err := engineOf(name, x)
	if err != nil {
		return nil, err
	}
	g, err := resolve()
	if err != nil {
		return nil, fail(name, err)
	}
	c := call{
		name: name, fn: g.Kind.String() + "pool", in: []*Tensor{x},
		out: []output{{g.OutShape(), Float32}},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanPool(g, indices, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			var idx []int32
			if indices {
				idx = asInt32(out[1])
			}
			if plain {
				cpuref.Pool(out[0], idx, in[0], g)
			} else {
				fast.Pool(out[0], idx, in[0], g)
			}
			return nil
		},
	}
	if indices {
		c.out = append(c.out, output{g.OutShape(), Int32})
	}
	return e.run(c)
}

// asInt32 views the memory of an Int32 tensor, which holds bits, as its numbers.
func asInt32(v []float32) []int32 {
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*int32)(unsafe.Pointer(&v[0])), len(v))
}
