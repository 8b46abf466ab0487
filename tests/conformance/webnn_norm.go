package conformance

import (
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

func webnnBatchNormalization(c *call) []*Value {
	x := c.param("input")
	p := ops.BatchNormParams{Eps: c.epsilon("epsilon"), Axis: axis(c.attrs.Int("axis", 1), x.Rank())}
	if p.Axis == 0 { // 0 means the second axis to ops
		p.Axis = -x.Rank()
	}
	return one(c.do(ops.BatchNorm(x, c.param("mean"), c.param("variance"), c.optParam("scale"), c.optParam("bias"), p)))
}

func webnnInstanceNormalization(c *call) []*Value {
	layout := c.attrs.String("layout", "nchw")
	x := c.toLayout(c.param("input"), layout, "nchw")
	y := c.do(ops.InstanceNorm(x, c.optParam("scale"), c.optParam("bias"), ops.InstanceNormParams{Eps: c.epsilon("epsilon")}))
	return one(c.toLayout(y, "nchw", layout))
}

// webnnLayerNormalization: all axes but the first by default. Over no axes at
// all every element is its own mean.
func webnnLayerNormalization(c *call) []*Value {
	x, scale, shift := c.param("input"), c.optParam("scale"), c.optParam("bias")
	axes := c.attrs.Ints("axes")
	if axes == nil {
		axes = identityPerm(x.Rank())
		axes = axes[min(1, len(axes)):]
	}
	p := ops.LayerNormParams{Axes: axes, Eps: c.epsilon("epsilon")}
	if len(axes) > 0 {
		return one(c.do(ops.LayerNorm(x, scale, shift, p)))
	}
	single := func(t *ops.Tensor) *ops.Tensor {
		if t == nil {
			return nil
		}
		return c.reshape(t, 1)
	}
	p.Axes = []int{1}
	y := c.do(ops.LayerNorm(c.reshape(x, spec.Count(x.Shape()), 1), single(scale), single(shift), p))
	return one(c.reshape(y, x.Shape()...))
}

func webnnSoftmax(c *call) []*Value {
	return one(c.do(ops.Softmax(c.param("input"), c.attrs.Int("axis", -1))))
}
