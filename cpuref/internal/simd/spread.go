package simd

import "unsafe"

// Spread3 spreads a row of sums over windows of 3 elements that lie 2 apart: dst[2*j]
// and dst[2*j+1] are a times src[j] and src[j]+src[j+1], or with sumFirst
// src[j]+src[j+1] and src[j+1], for j < n. n counts as a multiple of 16: so many
// pairs are written, and one float more is read.
func Spread3(dst, src *float32, n int, a float32, sumFirst bool) {
	const lanes = 16
	if n = (n + lanes - 1) / lanes * lanes; n > 0 {
		spread3(dst, src, n, a, sumFirst)
	}
}

func spread3Portable(dst, src *float32, n int, a float32, sumFirst bool) {
	from, to := unsafe.Slice(src, n+1), unsafe.Slice(dst, 2*n)
	for j := range n {
		u, v := a*from[j], a*from[j+1]
		if sumFirst {
			to[2*j], to[2*j+1] = u+v, v
		} else {
			to[2*j], to[2*j+1] = u, u+v
		}
	}
}
