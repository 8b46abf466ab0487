package conformance

import (
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// onnxPool reads the attributes of a pooling. Strides are 1 by default, unlike
// PyTorch's.
func (c *call) onnxPool() ops.PoolParams {
	w := c.onnxWindow()
	if w.strides == nil {
		w.strides = []int{1}
	}
	return ops.PoolParams{
		Kernel: w.kernel, Stride: w.strides, Dilation: w.dilations, Padding: w.pads, AutoPad: w.auto,
		Ceil: c.attrs.Bool("ceil_mode", false),
	}
}

func onnxAveragePool(c *call) []*Value {
	p := c.onnxPool()
	p.ExcludePad = !c.attrs.Bool("count_include_pad", false)
	return one(c.do(ops.AvgPool(c.x(0), p)))
}

func onnxLpPool(c *call) []*Value {
	p := c.onnxPool()
	p.PlainNorm = true
	return one(c.do(ops.LpPool(c.x(0), p, c.attrs.F32("p", 2))))
}

// onnxMaxPool: its indices count over the whole tensor, and with storage_order 1
// each plane is numbered from its first axis on.
func onnxMaxPool(c *call) []*Value {
	x, p := c.x(0), c.onnxPool()
	if c.outputs < 2 {
		return one(c.do(ops.MaxPool(x, p)))
	}
	y, idx := c.do2(ops.MaxPoolIndices(x, p))
	v := c.indices(idx)
	plane, planes := x.Shape()[2:], x.Shape()[0]*x.Shape()[1]
	size, windows := spec.Count(plane), len(v.i)/planes
	for i, at := range v.i {
		if c.attrs.Int("storage_order", 0) == 1 {
			at = columnMajor(at, plane)
		}
		v.i[i] = int64(i/windows)*int64(size) + at
	}
	return []*Value{device(y), v}
}

// columnMajor renumbers a place in a plane so that the first axis runs fastest.
func columnMajor(at int64, plane []int) int64 {
	step := int64(spec.Count(plane))
	out := int64(0)
	for a := len(plane) - 1; a >= 0; a-- {
		n := int64(plane[a])
		step /= n
		out += at % n * step
		at /= n
	}
	return out
}

// do2 is do for a function with indices.
func (c *call) do2(y, idx *ops.Tensor, err error) (*ops.Tensor, *ops.Tensor) {
	return c.do(y, err), c.do(idx, err)
}

// indices reads indices back.
func (c *call) indices(t *ops.Tensor) *Value {
	raw, err := t.Int32s()
	if err != nil {
		panic(wrong{err})
	}
	v := &Value{shape: t.Shape(), dtype: "int64", i: make([]int64, len(raw))}
	for i, x := range raw {
		v.i[i] = int64(x)
	}
	return v
}

// onnxMaxUnpool: the indices count over the whole tensor of the size that the
// attributes give. A larger output_shape adds zeros at the end of each axis.
func onnxMaxUnpool(c *call) []*Value {
	x, w, at := c.x(0), c.onnxWindow(), c.value(1)
	if at == nil || at.i == nil {
		fail("MaxUnpool takes indices")
	}
	if w.strides == nil {
		w.strides = []int{1}
	}
	shape := x.Shape()
	size := 1
	for i, k := range w.kernel {
		s := w.strides[min(i, len(w.strides)-1)]
		n := (shape[2+i]-1)*s + k
		if len(w.pads) == 2*len(w.kernel) {
			n -= w.pads[i] + w.pads[i+len(w.kernel)]
		}
		size *= n
	}
	idx := make([]int32, len(at.i))
	windows := spec.Count(shape[2:])
	for i, v := range at.i {
		idx[i] = int32(v - int64(i/windows)*int64(size))
	}
	t := c.do(c.eng.Indices(idx, shape...))
	y := c.do(ops.MaxUnpool(x, t, ops.UnpoolParams{Kernel: w.kernel, Stride: w.strides, Padding: w.pads}))
	if want := c.ints(2, ""); want != nil {
		y = c.extend(y, want)
	}
	return one(y)
}

func onnxGlobalLpPool(c *call) []*Value {
	return one(c.do(ops.GlobalLpPool(c.x(0), c.attrs.F32("p", 2))))
}

// unary is an operator that is an ops function of one tensor.
func unary(f func(*ops.Tensor) (*ops.Tensor, error)) operator {
	return func(c *call) []*Value { return one(c.do(f(c.x(0)))) }
}
