//go:build !purego

package simd

import "unsafe"

func shiftedSums(x *float32, n int, k float32, other int) (s, q float64) {
	switch Active() {
	case AVX512:
		return shiftedSumsAVX512(x, n, k, other)
	case AVX2:
		return shiftedSumsAVX2(x, n, k, other)
	}
	return shiftedSumsPortable(unsafe.Slice(x, n), k)
}

func centerAhead(dst, x *float32, n int, a, b, c float32, ahead int) {
	switch Active() {
	case AVX512:
		centerAheadAVX512(dst, x, n, a, b, c, ahead)
	case AVX2:
		centerAheadAVX2(dst, x, n, a, b, c, ahead)
	default:
		centerPortable(unsafe.Slice(dst, n), unsafe.Slice(x, n), a, b, c)
	}
}
