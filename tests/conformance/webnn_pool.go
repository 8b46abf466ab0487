package conformance

import "github.com/kansu-dev/kansu/ops"

// webnnPool is a pooling of WebNN: the window is the whole plane by default, the
// strides are 1, outputSizes wins over roundingType, and averages leave the
// padding out.
func webnnPool(f func(x *ops.Tensor, p ops.PoolParams) (*ops.Tensor, error)) operator {
	return func(c *call) []*Value {
		layout := c.attrs.String("layout", "nchw")
		x := c.toLayout(c.param("input"), layout, "nchw")
		p := ops.PoolParams{
			Kernel: c.attrs.Ints("windowDimensions"), Stride: c.attrs.Ints("strides"),
			Dilation: c.attrs.Ints("dilations"), Padding: c.webnnPadding(),
			Ceil:    c.attrs.String("roundingType", "floor") == "ceil",
			OutSize: c.attrs.Ints("outputSizes"), ExcludePad: true, PlainNorm: true,
		}
		if p.Kernel == nil {
			p.Kernel = x.Shape()[2:]
		}
		if p.Stride == nil {
			p.Stride = []int{1}
		}
		return one(c.toLayout(c.do(f(x, p)), "nchw", layout))
	}
}

func l2Pool(x *ops.Tensor, p ops.PoolParams) (*ops.Tensor, error) { return ops.LpPool(x, p, 2) }
