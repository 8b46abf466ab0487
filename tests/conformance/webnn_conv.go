package conformance

import (
	"strings"

	"github.com/kansu-dev/kansu/ops"
)

// layoutPerm returns the permutation from a layout, one letter an axis, to
// another one: layoutPerm("nhwc", "nchw") is 0 3 1 2.
func layoutPerm(from, to string) []int {
	perm := make([]int, len(to))
	for i := range to {
		if perm[i] = strings.IndexByte(from, to[i]); perm[i] < 0 || len(from) != len(to) {
			fail("layout %q is none of %q", from, to)
		}
	}
	return perm
}

// toLayout reorders a tensor's axes.
func (c *call) toLayout(x *ops.Tensor, from, to string) *ops.Tensor {
	if len(from) != x.Rank() {
		fail("a tensor of shape %v has no layout %q", x.Shape(), from)
	}
	return c.transpose(x, layoutPerm(from, to)...)
}

// webnnPadding turns [beginH, endH, beginW, endW] into beginnings, then ends.
func (c *call) webnnPadding() []int {
	p := c.attrs.Ints("padding")
	if p == nil {
		return nil
	}
	if len(p) != 4 {
		fail("padding %v: want four numbers", p)
	}
	return []int{p[0], p[2], p[1], p[3]}
}

func webnnConv2d(c *call) []*Value {
	layout := c.attrs.String("inputLayout", "nchw")
	x := c.toLayout(c.param("input"), layout, "nchw")
	w := c.toLayout(c.param("filter"), c.attrs.String("filterLayout", "oihw"), "oihw")
	y := c.do(ops.Conv(x, w, c.optParam("bias"), ops.ConvParams{
		Stride: c.attrs.Ints("strides"), Dilation: c.attrs.Ints("dilations"),
		Padding: c.webnnPadding(), Groups: c.attrs.Int("groups", 1),
	}))
	return one(c.toLayout(y, "nchw", layout))
}

// webnnConvTranspose2d: outputSizes, where given, takes the place of
// outputPadding.
func webnnConvTranspose2d(c *call) []*Value {
	layout := c.attrs.String("inputLayout", "nchw")
	x := c.toLayout(c.param("input"), layout, "nchw")
	w := c.toLayout(c.param("filter"), c.attrs.String("filterLayout", "iohw"), "iohw")
	p := ops.ConvTransposeParams{
		Stride: c.attrs.Ints("strides"), Dilation: c.attrs.Ints("dilations"),
		Padding: c.webnnPadding(), Groups: c.attrs.Int("groups", 1),
	}
	if p.OutputSize = c.attrs.Ints("outputSizes"); p.OutputSize == nil {
		p.OutputPadding = c.attrs.Ints("outputPadding")
	}
	y := c.do(ops.ConvTranspose(x, w, c.optParam("bias"), p))
	return one(c.toLayout(y, "nchw", layout))
}
