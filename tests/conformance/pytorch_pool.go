package conformance

import "github.com/kansu-dev/kansu/ops"

func (c *call) torchPool() ops.PoolParams {
	return ops.PoolParams{
		Kernel: c.attrs.Ints("kernel_size"), Stride: c.attrs.Ints("stride"), Padding: c.attrs.Ints("padding"),
		Dilation: c.attrs.Ints("dilation"), Ceil: c.attrs.Bool("ceil_mode", false),
	}
}

func torchMaxPool(c *call) []*Value {
	y, idx := c.do2(ops.MaxPoolIndices(c.param("input"), c.torchPool()))
	return c.withIndices(y, idx)
}

func (c *call) withIndices(y, idx *ops.Tensor) []*Value {
	v := c.indices(idx)
	v.name = "indices"
	return []*Value{named("output", y), v}
}

func (c *call) torchAverage() ops.PoolParams {
	p := c.torchPool()
	p.ExcludePad = !c.attrs.Bool("count_include_pad", true)
	p.Divisor = c.attrs.Int("divisor_override", 0)
	return p
}

func torchAvgPool(c *call) []*Value {
	return output(c.do(ops.AvgPool(c.param("input"), c.torchAverage())))
}

func torchLpPool(c *call) []*Value {
	return output(c.do(ops.LpPool(c.param("input"), c.torchPool(), c.attrs.F32("norm_type", 2))))
}

func torchAdaptiveAvgPool(c *call) []*Value {
	return output(c.do(ops.AdaptiveAvgPool(c.param("input"), c.attrs.Ints("output_size")...)))
}

func torchAdaptiveMaxPool(c *call) []*Value {
	y, idx := c.do2(ops.AdaptiveMaxPoolIndices(c.param("input"), c.attrs.Ints("output_size")...))
	return c.withIndices(y, idx)
}
