//go:build !amd64 || purego

package simd

import "unsafe"

func shiftedSums(x *float32, n int, k float32, _ int) (s, q float64) {
	return shiftedSumsPortable(unsafe.Slice(x, n), k)
}

func centerAhead(dst, x *float32, n int, a, b, c float32, _ int) {
	centerPortable(unsafe.Slice(dst, n), unsafe.Slice(x, n), a, b, c)
}
