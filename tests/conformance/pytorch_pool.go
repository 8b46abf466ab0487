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

// outputSize reads the size of an adaptive pooling, where null keeps an axis.
func (c *call) outputSize() []int {
	if !c.attrs.Has("output_size") || c.attrs["output_size"][0] != '[' {
		return c.attrs.Ints("output_size")
	}
	var list []*int
	c.attrs.decode("output_size", &list)
	size := make([]int, len(list))
	for i, n := range list {
		if size[i] = -1; n != nil {
			size[i] = *n
		}
	}
	return size
}

func torchAdaptiveAvgPool(c *call) []*Value {
	return output(c.do(ops.AdaptiveAvgPool(c.param("input"), c.outputSize()...)))
}

func torchAdaptiveMaxPool(c *call) []*Value {
	y, idx := c.do2(ops.AdaptiveMaxPoolIndices(c.param("input"), c.outputSize()...))
	return c.withIndices(y, idx)
}
