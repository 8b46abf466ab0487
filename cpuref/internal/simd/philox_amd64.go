//go:build !purego

package simd

func dropout(dst, src *float32, counters int, counter, low, high, threshold uint32, scale float32) {
	if Active() == AVX512 {
		dropoutAVX512(dst, src, counters, counter, low, high, threshold, scale)
		return
	}
	dropoutAVX2(dst, src, counters, counter, low, high, threshold, scale)
}
