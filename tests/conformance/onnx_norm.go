package conformance

import (
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// exactly returns a parameter of which ops takes 0 for "the default" and a
// negative value for 0.
func exactly(v float32) float32 {
	if v == 0 {
		return -1
	}
	return v
}

func (c *call) epsilon(name string) float32 { return exactly(c.attrs.F32(name, 1e-5)) }

// onnxBatchNormalization trains where training_mode says so (opset 14 and up),
// where statistics are asked for (7 to 13), or without is_test (up to 6). Its
// momentum weights the old value, and its running variance takes the population
// variance. With spatial 0 (up to opset 8) each element of x[n] has statistics
// of its own.
func onnxBatchNormalization(c *call) []*Value {
	x, scale, shift, mean, variance := c.x(0), c.x(1), c.x(2), c.opt(3), c.opt(4)
	shape := x.Shape()
	train := c.attrs.Bool("training_mode", false)
	switch {
	case c.opset < 7:
		train = !c.attrs.Bool("is_test", false)
	case c.opset < 14:
		train = c.outputs > 1
	}
	flat := func(t *ops.Tensor) *ops.Tensor { return t }
	if c.opset < 9 && !c.attrs.Bool("spatial", true) {
		n := spec.Count(shape[1:])
		flat = func(t *ops.Tensor) *ops.Tensor {
			if t == nil {
				return nil
			}
			return c.reshape(t, n)
		}
		x = c.reshape(x, shape[0], n)
	}
	eps := c.epsilon("epsilon")
	if !train {
		y := c.do(ops.BatchNorm(x, flat(mean), flat(variance), flat(scale), flat(shift), ops.BatchNormParams{Eps: eps, Axis: channelAxis(x)}))
		return one(c.reshape(y, shape...))
	}
	r, err := ops.BatchNormTrain(x, flat(scale), flat(shift), flat(mean), flat(variance), ops.BatchNormTrainParams{
		Eps: eps, Momentum: exactly(float32(1 - c.attrs.Float("momentum", 0.9))), Biased: true, Axis: channelAxis(x),
	})
	if err != nil {
		panic(wrong{err})
	}
	out := []*Value{device(c.reshape(c.do(r.Y, nil), shape...))}
	for _, t := range []*ops.Tensor{r.RunningMean, r.RunningVar, r.Mean, r.Var, r.InvStd} {
		if t != nil {
			out = append(out, device(c.do(t, nil)))
		}
	}
	return out
}

// channelAxis is the second axis, or the only one.
func channelAxis(x *ops.Tensor) int {
	if x.Rank() == 1 {
		return -1
	}
	return 1
}

func onnxInstanceNormalization(c *call) []*Value {
	return one(c.do(ops.InstanceNorm(c.x(0), c.x(1), c.x(2), ops.InstanceNormParams{Eps: c.epsilon("epsilon")})))
}

// onnxGroupNormalization has a scale and a bias for each group before opset 21,
// and for each channel since.
func onnxGroupNormalization(c *call) []*Value {
	x, scale, shift := c.x(0), c.x(1), c.x(2)
	groups, channels := c.attrs.Int("num_groups", 1), x.Shape()[1]
	if c.opset < 21 && groups != channels {
		each := func(t *ops.Tensor) *ops.Tensor {
			t = c.expand(c.reshape(t, groups, 1), groups, channels/groups)
			return c.reshape(t, channels)
		}
		scale, shift = each(scale), each(shift)
	}
	return one(c.do(ops.GroupNorm(x, scale, shift, ops.GroupNormParams{Groups: groups, Eps: c.epsilon("epsilon")})))
}

// trailing returns the axes from the attribute axis on, and their shape.
func (c *call) trailing(x *ops.Tensor) (axes, shape []int) {
	first := axis(c.attrs.Int("axis", -1), x.Rank())
	for a := first; a < x.Rank(); a++ {
		axes = append(axes, a)
	}
	return axes, x.Shape()[first:]
}

// affine brings an optional scale or bias to the shape that it broadcasts to.
func (c *call) affine(t *ops.Tensor, shape []int) *ops.Tensor {
	if t == nil {
		return nil
	}
	return c.expand(t, shape...)
}

func onnxLayerNormalization(c *call) []*Value {
	x := c.x(0)
	axes, shape := c.trailing(x)
	p := ops.LayerNormParams{Axes: axes, Eps: c.epsilon("epsilon")}
	scale, shift := c.affine(c.opt(1), shape), c.affine(c.opt(2), shape)
	if c.outputs == 1 {
		return one(c.do(ops.LayerNorm(x, scale, shift, p)))
	}
	y, mean, inv, err := ops.LayerNormStats(x, scale, shift, p)
	return []*Value{device(c.do(y, err)), device(c.do(mean, err)), device(c.do(inv, err))}
}

func onnxRMSNormalization(c *call) []*Value {
	x := c.x(0)
	axes, shape := c.trailing(x)
	return one(c.do(ops.RMSNorm(x, c.affine(c.opt(1), shape), nil, ops.LayerNormParams{Axes: axes, Eps: c.epsilon("epsilon")})))
}

func onnxMeanVarianceNormalization(c *call) []*Value {
	axes := c.attrs.Ints("axes")
	if axes == nil {
		axes = []int{0, 2, 3}
	}
	return one(c.do(ops.MeanVarianceNorm(c.x(0), ops.MeanVarianceParams{Axes: axes})))
}

func onnxLpNormalization(c *call) []*Value {
	return one(c.do(ops.LpNormalize(c.x(0), c.attrs.Int("axis", -1), ops.LpNormalizeParams{P: c.attrs.F32("p", 2), Eps: -1})))
}

// onnxLRN: alpha is divided by the size, as everywhere. With beta 0 nothing is
// divided.
func onnxLRN(c *call) []*Value {
	beta := c.attrs.F32("beta", 0.75)
	if beta == 0 {
		return []*Value{c.value(0)}
	}
	return one(c.do(ops.LRN(c.x(0), ops.LRNParams{
		Size: c.attrs.Int("size", 0), Alpha: exactly(c.attrs.F32("alpha", 1e-4)), Beta: beta, K: exactly(c.attrs.F32("bias", 1)),
	})))
}

// onnxSoftmax is a function of the softmax family. Before opset 13 the axes from
// axis on, by default the second, are one.
func onnxSoftmax(f func(x *ops.Tensor, axis int) (*ops.Tensor, error)) operator {
	return func(c *call) []*Value {
		x := c.x(0)
		if c.opset >= 13 {
			return one(c.do(f(x, c.attrs.Int("axis", -1))))
		}
		y := c.do(f(c.matrix(x, c.attrs.Int("axis", 1)), 1))
		return one(c.reshape(y, x.Shape()...))
	}
}

// matrix makes two axes of all: those before an axis and those from it on.
func (c *call) matrix(x *ops.Tensor, at int) *ops.Tensor {
	shape := x.Shape()
	if at < 0 {
		at += len(shape)
	}
	if at < 0 || at > len(shape) {
		fail("axis %d is outside of %d axes", at, len(shape))
	}
	return c.reshape(x, spec.Count(shape[:at]), spec.Count(shape[at:]))
}

// onnxDropout is the identity but in training, whose mask comes from a generator
// that ONNX leaves open: only where nothing is dropped is there one answer.
func onnxDropout(c *call) []*Value {
	x := c.x(0)
	ratio := c.scalar(1, c.attrs.F32("ratio", 0.5))
	train := c.scalar(2, 0) != 0
	if c.opset < 7 {
		train = !c.attrs.Bool("is_test", false)
	}
	y, mask := x, (*ops.Tensor)(nil)
	if train {
		if ratio != 0 {
			outside("dropout in training, with a mask of another generator")
		}
		y, mask = c.do2(ops.DropoutMask(x, float64(ratio), uint64(c.attrs.Int("seed", 0))))
	} else {
		mask = c.filled(1, x.Shape()...)
	}
	if c.opset < 10 {
		return []*Value{device(y), device(mask)}
	}
	m := device(mask)
	kept, err := m.Floats()
	if err != nil {
		panic(wrong{err})
	}
	b := &Value{shape: m.shape, dtype: "bool", i: make([]int64, len(kept))}
	for i, v := range kept {
		b.i[i] = int64(v)
	}
	return []*Value{device(y), b}
}
