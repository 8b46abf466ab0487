package conformance

import (
	"slices"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

type binaryFunc = func(a, b *ops.Tensor) (*ops.Tensor, error)

// onnxBinary is an arithmetic operator. Before opset 7 the second operand lines
// up with the first one's axis that an attribute names, by default with the last.
func onnxBinary(f binaryFunc) operator {
	return func(c *call) []*Value {
		a, b := c.x(0), c.x(1)
		if c.opset < 7 {
			b = c.alignAt(a, b, c.attrs.Int("axis", -1))
		}
		return one(c.do(f(a, b)))
	}
}

// alignAt appends axes of size 1 to b so that its first axis is a's axis at.
func (c *call) alignAt(a, b *ops.Tensor, at int) *ops.Tensor {
	if at < 0 {
		return b
	}
	after := a.Rank() - at - b.Rank()
	if after < 0 {
		fail("axis %d does not fit %v into %v", at, b.Shape(), a.Shape())
	}
	return c.reshape(b, append(b.Shape(), slices.Repeat([]int{1}, after)...)...)
}

// onnxPow takes integers too, and has the type of its first operand: a power of
// integers is truncated.
func onnxPow(c *call) []*Value {
	out := onnxBinary(ops.Pow)(c)
	if c.in[0].IsFloat() {
		return out
	}
	y, err := out[0].Floats()
	if err != nil {
		panic(wrong{err})
	}
	v := &Value{shape: out[0].shape, dtype: c.in[0].dtype, i: make([]int64, len(y))}
	for i, f := range y {
		v.i[i] = int64(f)
	}
	return []*Value{v}
}

// variadic folds any number of operands.
func variadic(f binaryFunc) operator {
	return func(c *call) []*Value { return one(c.fold(f)) }
}

func (c *call) fold(f binaryFunc) *ops.Tensor {
	y := c.x(0)
	for _, x := range c.all()[1:] {
		y = c.do(f(y, x))
	}
	return y
}

func onnxMean(c *call) []*Value {
	n := float32(len(c.in))
	return one(c.do(ops.Div(c.fold(ops.Add), c.constant(n))))
}

// onnxPRelu: the slope broadcasts to x, and before opset 7 it has one value for
// each channel, or one in all, which is how ops takes a slope of one axis.
func onnxPRelu(c *call) []*Value {
	x, slope := c.x(0), c.x(1)
	if c.opset >= 7 {
		slope = c.sameRank(slope, x.Rank())
	}
	return one(c.do(ops.PReLU(x, slope)))
}

// sameRank prepends axes of size 1.
func (c *call) sameRank(t *ops.Tensor, rank int) *ops.Tensor {
	if missing := rank - t.Rank(); missing > 0 {
		return c.reshape(t, append(slices.Repeat([]int{1}, missing), t.Shape()...)...)
	}
	return t
}

// onnxSwiGLU is swish(a)*b.
func onnxSwiGLU(c *call) []*Value {
	return one(c.do(ops.Mul(c.activate(c.x(0), act(spec.Swish, c.attrs.F32("alpha", 1))), c.x(1))))
}

// expand repeats a tensor along axes of size 1, to a shape or, where that is
// longer in an axis, beyond it.
func (c *call) expand(t *ops.Tensor, shape ...int) *ops.Tensor {
	if spec.EqualShapes(t.Shape(), shape) {
		return t
	}
	return c.do(ops.Mul(t, c.filled(1, shape...)))
}

// reduction is a reduction: a function of each element before it, the reduction
// itself, and a function of each result. Over no axes at all it is the function
// each of an element: the reduction of that element alone.
type reduction struct {
	before spec.Pointwise
	reduce func(*ops.Tensor, ops.ReduceParams) (*ops.Tensor, error)
	after  spec.Pointwise
	each   spec.Pointwise
}

// reductions are those of ONNX by the rest of their name; WebNN's are the same
// with a small first letter in "reduce". LogSumExp has its own.
var reductions = map[string]reduction{
	"L1":        {spec.Abs, ops.Sum, spec.Identity, spec.Abs},
	"L2":        {spec.Identity, ops.SumSquare, spec.Sqrt, spec.Abs},
	"LogSum":    {spec.Identity, ops.Sum, spec.Log, spec.Log},
	"Max":       {spec.Identity, ops.Amax, spec.Identity, spec.Identity},
	"Mean":      {spec.Identity, ops.Mean, spec.Identity, spec.Identity},
	"Min":       {spec.Identity, ops.Amin, spec.Identity, spec.Identity},
	"Sum":       {spec.Identity, ops.Sum, spec.Identity, spec.Identity},
	"SumSquare": {spec.Identity, ops.SumSquare, spec.Identity, spec.Square},
}

// each applies f to each element; the identity is x itself, in a new tensor.
func (c *call) each(x *ops.Tensor, f spec.Pointwise) *ops.Tensor {
	if f == spec.Identity {
		return c.reshape(x, x.Shape()...)
	}
	return c.activate(x, act(f))
}

func (c *call) reduce(x *ops.Tensor, r reduction, axes []int, keep bool) *ops.Tensor {
	if r.before != spec.Identity {
		x = c.activate(x, act(r.before))
	}
	y := c.do(r.reduce(x, ops.ReduceParams{Axes: axes, Keep: keep}))
	if r.after != spec.Identity {
		y = c.activate(y, act(r.after))
	}
	return y
}

// logSumExp is log(sum(exp(x))), from x less its maximum.
func (c *call) logSumExp(x *ops.Tensor, axes []int, keep bool) *ops.Tensor {
	top := c.do(ops.Amax(x, ops.ReduceParams{Axes: axes, Keep: true}))
	sum := c.do(ops.Sum(c.activate(c.do(ops.Sub(x, top)), act(spec.Exp)), ops.ReduceParams{Axes: axes, Keep: true}))
	y := c.do(ops.Add(c.activate(sum, act(spec.Log)), top))
	if keep {
		return y
	}
	return c.reshape(y, c.do(ops.Amax(x, ops.ReduceParams{Axes: axes})).Shape()...)
}

// onnxAxes takes a reduction's axes from an attribute or, in later versions, an
// input. Without any it reduces all, or with noop_with_empty_axes nothing.
func (c *call) onnxAxes() (axes []int, none bool) {
	axes = c.ints(1, "axes")
	return axes, len(axes) == 0 && c.attrs.Bool("noop_with_empty_axes", false)
}

func onnxReduce(r reduction) operator {
	return func(c *call) []*Value {
		axes, none := c.onnxAxes()
		if none {
			return one(c.each(c.x(0), r.each))
		}
		return one(c.reduce(c.x(0), r, axes, c.attrs.Bool("keepdims", true)))
	}
}

func onnxReduceLogSumExp(c *call) []*Value {
	axes, none := c.onnxAxes()
	if none {
		return one(c.each(c.x(0), spec.Identity))
	}
	return one(c.logSumExp(c.x(0), axes, c.attrs.Bool("keepdims", true)))
}

// onnxReductions are the operators of the reductions.
func onnxReductions() map[string]operator {
	all := map[string]operator{"ReduceLogSumExp": onnxReduceLogSumExp}
	for name, r := range reductions {
		all["Reduce"+name] = onnxReduce(r)
	}
	return all
}
