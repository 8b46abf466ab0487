package simd

import "unsafe"

// TailRows sets, for r < rows and i < n,
//
//	y[r*stride+i] = min(max((y[r*stride+i] - a[r])*b[r] + c[r] + z[r*stride+i], lo), hi)
//
// without the first two operations where a is nil, and without the addition where
// z is. Every operation but the product is rounded, and a NaN passes: the bits are
// those of Center, BinAdd and Clamp one after the other.
func TailRows(y, z, a, b, c *float32, stride, rows, n int, lo, hi float32) {
	if rows > 0 && n > 0 {
		tailRows(y, z, a, b, c, stride, rows, n, lo, hi)
	}
}

func tailRowsPortable(y, z, a, b, c *float32, stride, rows, n int, lo, hi float32) {
	for r := range rows {
		row := unsafe.Slice(at(y, r*stride), n)
		for i, x := range row {
			if a != nil {
				x = (x-*at(a, r))**at(b, r) + *at(c, r)
			}
			if z != nil {
				x += *at(z, r*stride+i)
			}
			if lo > x {
				x = lo
			}
			if hi < x {
				x = hi
			}
			row[i] = x
		}
	}
}

// tailKernel is a kernel of TailRows.
type tailKernel = func(y, z, a, b, c *float32, stride, rows, n int, lo, hi float32)

// tailIndex numbers the kernels: with a normalization 2, with an addition 1.
func tailIndex(z, a *float32) int {
	i := 0
	if a != nil {
		i = 2
	}
	if z != nil {
		i++
	}
	return i
}
