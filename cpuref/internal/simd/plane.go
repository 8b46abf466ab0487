package simd

import "unsafe"

// CopyPlane sets dst[r*dstStride+i] = src[r*srcStride+i*step] for r < rows and
// i < n; step is 1 or 2.
func CopyPlane(dst, src *float32, dstStride, srcStride, rows, n, step int) {
	if rows > 0 && n > 0 {
		copyPlane(dst, src, dstStride, srcStride, rows, n, step)
	}
}

// SpreadPlane sets dst[r*dstStride+i*step] = src[r*srcStride+i] for r < rows and
// i < n, and leaves what lies between alone.
func SpreadPlane(dst, src *float32, dstStride, srcStride, rows, n, step int) {
	switch {
	case rows <= 0 || n <= 0:
	case step == 1:
		copyPlane(dst, src, dstStride, srcStride, rows, n, 1)
	case step == 2 && Active() != Portable:
		spreadPlane(dst, src, dstStride, srcStride, rows, n)
	default:
		for r := range rows {
			d, s := unsafe.Slice(at(dst, r*dstStride), (n-1)*step+1), unsafe.Slice(at(src, r*srcStride), n)
			for i, v := range s {
				d[i*step] = v
			}
		}
	}
}

func copyPlanePortable(dst, src *float32, dstStride, srcStride, rows, n, step int) {
	for r := range rows {
		d, s := unsafe.Slice(at(dst, r*dstStride), n), unsafe.Slice(at(src, r*srcStride), (n-1)*step+1)
		if step == 1 {
			copy(d, s)
			continue
		}
		for i := range d {
			d[i] = s[i*step]
		}
	}
}

// Depthwise is the convolution of one plane. Run computes, for each of Rows rows
// and N columns,
//
//	Dst[r*DstStride+i] = min(max(Bias + sum over t of W[t]*Src[r*SrcStride+Offs[t]+i], Lo), Hi)
//
// and reads Src for N rounded up to a vector.
//
// Strip computes a strip of N columns, up to Strip3x3() of them, of a 3x3
// convolution of stride 1 with at most one column of padding, straight from a
// plane of Height rows at Src: SrcOff is the column of the first output's left
// tap, and Top the row of its upper one, which may both be negative. The masks have a bit for each
// lane whose tap (left, middle, right) lies on the plane: First for the first
// vector of the strip, Last for the last (which may be the same), and Store for
// the outputs of the last. Zero is a row of zeros, as long as the strip and two.
type Depthwise struct {
	Dst, Src, W          *float32
	Offs                 *int
	Taps, Rows, N        int
	DstStride, SrcStride int
	Bias, Lo, Hi         float32
	First, Last          [3]uint32
	Store                uint32
	Zero                 *float32
	Height, Top          int
	SrcOff               int
}

// Run computes rows of a plane with any kernel.
func (d *Depthwise) Run() {
	if d.Rows > 0 && d.N > 0 {
		depthwise(d)
	}
}

func (d *Depthwise) portable() {
	w, offs := unsafe.Slice(d.W, d.Taps), unsafe.Slice(d.Offs, d.Taps)
	for r := range d.Rows {
		dst := unsafe.Slice(at(d.Dst, r*d.DstStride), d.N)
		for i := range dst {
			dst[i] = d.Bias
		}
		for t, f := range w {
			src := unsafe.Slice(at(d.Src, r*d.SrcStride+offs[t]), d.N)
			for i, v := range src {
				dst[i] += f * v
			}
		}
		for i, v := range dst {
			if v < d.Lo {
				v = d.Lo
			}
			if v > d.Hi {
				v = d.Hi
			}
			dst[i] = v
		}
	}
}
