package conformance

import (
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// window is what ONNX's operators with a sliding window have in common.
type window struct {
	kernel, strides, dilations, pads []int
	auto                             spec.AutoPad
}

// onnxWindow reads the attributes of a window over some spatial axes. Pads that
// stand beside an auto_pad are ignored, as old exporters write both.
func (c *call) onnxWindow() window {
	w := window{
		kernel:    c.attrs.Ints("kernel_shape"),
		strides:   c.attrs.Ints("strides"),
		dilations: c.attrs.Ints("dilations"),
		pads:      c.attrs.Ints("pads"),
	}
	switch auto := c.attrs.String("auto_pad", "NOTSET"); auto {
	case "NOTSET", "":
	case "VALID":
		w.pads = nil
	case "SAME_UPPER":
		w.auto, w.pads = spec.SameUpper, nil
	case "SAME_LOWER":
		w.auto, w.pads = spec.SameLower, nil
	default:
		fail("auto_pad is %q", auto)
	}
	return w
}

// checkKernel compares kernel_shape, where it is given, with the weight.
func (w *window) checkKernel(weight []int) {
	if w.kernel != nil && len(weight) >= 2 && !spec.EqualShapes(w.kernel, weight[2:]) {
		fail("kernel_shape %v does not fit the weight %v", w.kernel, weight)
	}
}

func onnxConv(c *call) []*Value {
	w := c.onnxWindow()
	w.checkKernel(c.x(1).Shape())
	return one(c.do(ops.Conv(c.x(0), c.x(1), c.opt(2), ops.ConvParams{
		Stride: w.strides, Dilation: w.dilations, Padding: w.pads, AutoPad: w.auto,
		Groups: c.attrs.Int("group", 1),
	})))
}

// onnxConvTranspose: output_shape takes the place of pads, and its excess is
// cut at the beginning unless auto_pad says SAME_UPPER.
func onnxConvTranspose(c *call) []*Value {
	w := c.onnxWindow()
	w.checkKernel(c.x(1).Shape())
	p := ops.ConvTransposeParams{
		Stride: w.strides, Dilation: w.dilations, Padding: w.pads, AutoPad: w.auto,
		OutputPadding: c.attrs.Ints("output_padding"), Groups: c.attrs.Int("group", 1),
	}
	if size := c.attrs.Ints("output_shape"); size != nil {
		if r := c.x(0).Rank(); len(size) == r { // with the batch and the channels
			size = size[2:]
		}
		p.OutputSize, p.Padding = size, nil
		if p.AutoPad == spec.Explicit {
			p.AutoPad = spec.SameLower
		}
	}
	return one(c.do(ops.ConvTranspose(c.x(0), c.x(1), c.opt(2), p)))
}
