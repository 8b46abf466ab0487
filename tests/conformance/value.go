package conformance

import (
	"math"
	"slices"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// Value is what goes into an operator and comes out of it: floats on the host
// or on the device, or integers on the host.
type Value struct {
	name  string // of a named result, as PyTorch's
	shape []int
	dtype string
	f     []float32
	i     []int64
	t     *ops.Tensor
}

// Host returns a float32 value from memory, for the input of a graph.
func Host(data []float32, shape ...int) *Value {
	return &Value{shape: slices.Clone(shape), dtype: "float32", f: data}
}

// Integers returns a value of integers, for shapes, axes and indices.
func Integers(data []int64, shape ...int) *Value {
	return &Value{shape: slices.Clone(shape), dtype: "int64", i: data}
}

// device returns the value of a tensor of floats.
func device(t *ops.Tensor) *Value { return &Value{shape: t.Shape(), dtype: "float32", t: t} }

// named is device with the name of the result.
func named(name string, t *ops.Tensor) *Value {
	v := device(t)
	v.name = name
	return v
}

// Value returns the tensor as a value, nil for none.
func (t *Tensor) Value() *Value {
	if t == nil {
		return nil
	}
	return &Value{shape: t.Shape, dtype: t.DType, f: t.F, i: t.I}
}

// Shape returns the value's shape.
func (v *Value) Shape() []int { return v.shape }

// IsFloat reports whether the value is of floats rather than integers.
func (v *Value) IsFloat() bool { return isFloat(v.dtype) }

// Floats returns the elements, read back where they are on the device. Integers
// are rounded to float32.
func (v *Value) Floats() ([]float32, error) {
	switch {
	case v.f != nil:
	case v.t != nil:
		f, err := v.t.Data()
		if err != nil {
			return nil, err
		}
		v.f = f
	default:
		v.f = make([]float32, len(v.i))
		for i, x := range v.i {
			v.f[i] = float32(x)
			if v.dtype == "uint64" {
				v.f[i] = float32(uint64(x))
			}
		}
	}
	return v.f, nil
}

// integers returns the elements of an integer value. Floats, where an operator
// takes sizes or axes, are refused unless they are whole.
func (v *Value) integers() []int {
	out := make([]int, spec.Count(v.shape))
	if v.i == nil && v.IsFloat() {
		f, err := v.Floats()
		if err != nil {
			panic(wrong{err})
		}
		for i, x := range f {
			if float64(x) != math.Trunc(float64(x)) {
				fail("%v is not an integer", x)
			}
			out[i] = int(x)
		}
		return out
	}
	for i, x := range v.i {
		out[i] = int(x)
	}
	return out
}
