package simd

import "unsafe"

// CopyRows copies n floats, and w-n zeros behind them, for each of rows rows:
// dst[r*dstStride+j] = src[r*srcStride+j]. n <= w, and w is at most
// ActiveTiles().Cols.
func CopyRows(dst, src *float32, dstStride, srcStride, rows, n, w int) {
	if rows <= 0 || w <= 0 {
		return
	}
	copyRows(dst, src, dstStride, srcStride, rows, n, w)
}

// Transpose writes, for each c < cols, the n floats src[i*srcStride+c] to
// dst[c*dstStride+i] and w-n zeros behind them. dstStride may be negative.
// 1 <= n <= w, and w is at most
// ActiveTiles().Lanes.
func Transpose(dst, src *float32, dstStride, srcStride, cols, n, w int) {
	if cols <= 0 || n <= 0 {
		return
	}
	transpose(dst, src, dstStride, srcStride, cols, n, w)
}

func copyRowsPortable(dst, src *float32, dstStride, srcStride, rows, n, w int) {
	for r := range rows {
		d := unsafe.Slice(at(dst, r*dstStride), w)
		copy(d, unsafe.Slice(at(src, r*srcStride), n))
		clear(d[n:])
	}
}

func transposePortable(dst, src *float32, dstStride, srcStride, cols, n, w int) {
	for c := range cols {
		d := unsafe.Slice(at(dst, c*dstStride), w)
		for i := range n {
			d[i] = *at(src, i*srcStride+c)
		}
		clear(d[n:])
	}
}
