package simd

import "math/bits"

// Dropout sets dst = word >= threshold ? src*scale : 0 with the words that
// Philox4x32-10 has for the counters from the given one on and the key seed, four
// for each counter. dst has the length of src, 4 elements for a counter but for
// the last; dst may be src.
func Dropout(dst, src []float32, counter uint32, seed uint64, threshold uint32, scale float32) {
	dst = dst[:len(src)]
	whole := len(src) / 64 * 16 // counters
	if Active() == Portable {
		whole = 0
	}
	for i := 0; i < whole; i += maxCall / 4 {
		dropout(&dst[4*i], &src[4*i], min(whole-i, maxCall/4), counter+uint32(i), uint32(seed), uint32(seed>>32), threshold, scale)
	}
	for i := 4 * whole; i < len(src); i += 4 {
		words := Philox([4]uint32{counter + uint32(i/4)}, seed)
		for j := i; j < min(len(src), i+4); j++ {
			v := float32(0)
			if words[j-i] >= threshold {
				v = src[j] * scale
			}
			dst[j] = v
		}
	}
}

// Philox returns the words that Philox4x32-10 has for a counter and a key, the
// key's low word first (Salmon et al., Parallel Random Numbers: As Easy as 1, 2,
// 3, 2011).
func Philox(c [4]uint32, seed uint64) [4]uint32 {
	low, high := uint32(seed), uint32(seed>>32)
	for range 10 {
		hi0, lo0 := bits.Mul32(0xD2511F53, c[0])
		hi1, lo1 := bits.Mul32(0xCD9E8D57, c[2])
		c = [4]uint32{hi1 ^ c[1] ^ low, lo1, hi0 ^ c[3] ^ high, lo0}
		low += 0x9E3779B9
		high += 0xBB67AE85
	}
	return c
}
