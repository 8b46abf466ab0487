package spec

import (
	"fmt"
	"math"
)

// AutoPad chooses the padding from the shapes, as ONNX's auto_pad does.
type AutoPad uint8

const (
	// Explicit takes the padding that was given. It is the default.
	Explicit AutoPad = iota
	// SameUpper pads so that out = ceil(in/stride); an odd excess goes to the end.
	SameUpper
	// SameLower is SameUpper with the odd excess at the beginning.
	SameLower
)

// String returns the name used in messages.
func (a AutoPad) String() string {
	switch a {
	case Explicit:
		return "explicit"
	case SameUpper:
		return "same-upper"
	case SameLower:
		return "same-lower"
	}
	return fmt.Sprintf("AutoPad(%d)", a)
}

// PadMode says what stands outside of the input.
type PadMode uint8

const (
	// PadZeros (for Pad: a constant) is the default.
	PadZeros PadMode = iota
	// PadReflect mirrors without repeating the edge: c b | a b c | b a.
	PadReflect
	// PadReplicate repeats the edge: a a | a b c | c c.
	PadReplicate
	// PadCircular wraps around: b c | a b c | a b.
	PadCircular
)

// String returns PyTorch's name of the mode.
func (m PadMode) String() string {
	switch m {
	case PadZeros:
		return "zeros"
	case PadReflect:
		return "reflect"
	case PadReplicate:
		return "replicate"
	case PadCircular:
		return "circular"
	}
	return fmt.Sprintf("PadMode(%d)", m)
}

// Window is the resolved geometry of a window that slides over one to three
// spatial axes. The arrays always describe three axes, depth, height and width;
// for lower ranks the leading ones have size 1, stride 1 and no padding, so that
// one kernel serves every rank.
type Window struct {
	Rank                     int // spatial axes as the caller sees them: 1, 2 or 3
	In, Out                  [3]int
	Kernel, Stride, Dilation [3]int
	PadBegin, PadEnd         [3]int
}

// Extent returns the input span of the dilated kernel along an axis.
func (w *Window) Extent(axis int) int { return (w.Kernel[axis]-1)*w.Dilation[axis] + 1 }

// InSize returns the number of elements in one input plane (or volume).
func (w *Window) InSize() int { return w.In[0] * w.In[1] * w.In[2] }

// OutSize returns the number of elements in one output plane (or volume).
func (w *Window) OutSize() int { return w.Out[0] * w.Out[1] * w.Out[2] }

// Taps returns the number of elements of the kernel's window.
func (w *Window) Taps() int { return w.Kernel[0] * w.Kernel[1] * w.Kernel[2] }

// Shape returns lead followed by the spatial sizes of the window's real axes.
func (w *Window) Shape(lead []int, sizes [3]int) []int {
	out := append(make([]int, 0, len(lead)+w.Rank), lead...)
	return append(out, sizes[3-w.Rank:]...)
}

// maxWindowParam bounds strides, dilations, paddings and kernels, so that no
// product of two of them leaves the 32-bit range of a shader's index.
const maxWindowParam = 1 << 15

// perAxis expands "one number where all axes agree, one per axis otherwise"
// into three axes. A nil slice gives def; values below low are refused.
func perAxis(name string, v []int, rank, def, low int) ([3]int, error) {
	out := [3]int{}
	for i := range out {
		out[i] = def
		if i < 3-rank {
			continue // an axis that the caller does not have keeps a neutral value
		}
		switch len(v) {
		case 0:
		case 1:
			out[i] = v[0]
		case rank:
			out[i] = v[i-(3-rank)]
		default:
			return out, paramErr("%s %v has %d numbers; a %d-D window takes 1 or %d", name, v, len(v), rank, rank)
		}
		if out[i] < low {
			return out, paramErr("%s %v: %d is below %d", name, v, out[i], low)
		}
		if out[i] > maxWindowParam {
			return out, paramErr("%s %v: %d is above %d", name, v, out[i], maxWindowParam)
		}
	}
	return out, nil
}

// padding expands a padding parameter: nil (none), one number, one per axis, or
// two per axis, all beginnings first and then all ends, as in ONNX.
func padding(v []int, rank int) (begin, end [3]int, err error) {
	if len(v) == 2*rank {
		if begin, err = perAxis("padding", v[:rank], rank, 0, 0); err != nil {
			return begin, end, err
		}
		end, err = perAxis("padding", v[rank:], rank, 0, 0)
		return begin, end, err
	}
	if len(v) > 1 && len(v) != rank {
		return begin, end, paramErr("padding %v has %d numbers; a %d-D window takes 1, %d (one per axis) or %d (beginnings, then ends)", v, len(v), rank, rank, 2*rank)
	}
	begin, err = perAxis("padding", v, rank, 0, 0)
	return begin, begin, err
}

// spatial copies the spatial sizes of x, whose first two axes are batch and
// channels, into three axes.
func spatial(x []int) (in [3]int) {
	in = [3]int{1, 1, 1}
	copy(in[3-(len(x)-2):], x[2:])
	return in
}

// resolvePadding fills w.PadBegin and w.PadEnd for the given auto padding. In,
// Kernel, Stride and Dilation are set before.
func (w *Window) resolvePadding(auto AutoPad, pad []int) error {
	switch auto {
	case Explicit:
		var err error
		w.PadBegin, w.PadEnd, err = padding(pad, w.Rank)
		return err
	case SameUpper, SameLower:
		if len(pad) > 0 {
			return paramErr("padding %v is given together with auto padding %v; give one of them", pad, auto)
		}
		for i := 3 - w.Rank; i < 3; i++ {
			out := (w.In[i] + w.Stride[i] - 1) / w.Stride[i]
			total := max(0, (out-1)*w.Stride[i]+w.Extent(i)-w.In[i])
			w.PadBegin[i] = total / 2
			if auto == SameLower {
				w.PadBegin[i] = total - total/2
			}
			w.PadEnd[i] = total - w.PadBegin[i]
		}
		return nil
	}
	return paramErr("auto padding %v is unknown", auto)
}

// checkPadMode refuses paddings that a mode cannot fill from the input.
func (w *Window) checkPadMode(m PadMode) error {
	for i := 3 - w.Rank; i < 3; i++ {
		p := max(w.PadBegin[i], w.PadEnd[i])
		switch m {
		case PadZeros, PadReplicate:
		case PadReflect:
			if p >= w.In[i] {
				return paramErr("padding %d reflects past the input: axis %d has size %d, so at most %d", p, i-(3-w.Rank)+2, w.In[i], w.In[i]-1)
			}
		case PadCircular:
			if p > w.In[i] {
				return paramErr("padding %d wraps around more than once: axis %d has size %d", p, i-(3-w.Rank)+2, w.In[i])
			}
		default:
			return paramErr("padding mode %v is unknown", m)
		}
	}
	return nil
}

// resolveOut fills w.Out for a forward window: floor((in+pads-extent)/stride)+1.
// With ceil the division rounds up, and a last window that would start in the
// padding at the end is dropped, as in PyTorch and ONNX. So a window that is
// larger than the padded input by less than a stride still has one place.
func (w *Window) resolveOut(ceil bool) error {
	for i := range w.Out {
		padded := w.In[i] + w.PadBegin[i] + w.PadEnd[i]
		span := padded - w.Extent(i)
		if ceil && span < 0 && span > -w.Stride[i] {
			w.Out[i] = 1
			continue
		}
		if span < 0 {
			return shapeErr("axis %d has size %d (%d with padding), smaller than the kernel's span of %d", i-(3-w.Rank)+2, w.In[i], padded, w.Extent(i))
		}
		w.Out[i] = span/w.Stride[i] + 1
		if ceil && span%w.Stride[i] != 0 && w.Out[i]*w.Stride[i] < w.In[i]+w.PadBegin[i] {
			w.Out[i]++
		}
	}
	return nil
}

// finite reports whether a float parameter is neither NaN nor infinite.
func finite(v float32) bool {
	f := float64(v)
	return !math.IsNaN(f) && !math.IsInf(f, 0)
}
