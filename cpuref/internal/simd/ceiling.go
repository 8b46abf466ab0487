package simd

import "math"

// multiplyAddChains is how many vectors a MultiplyAdd works on: chains of the
// generator.
const multiplyAddChains = 12

// MultiplyAddLen returns how many floats MultiplyAdd takes: what the registers
// of the active level hold in 12 vectors.
func MultiplyAddLen() int { return multiplyAddChains * max(1, Active().Lanes()) }

// MultiplyAdd replaces each v of dst by m*v + c, rounds times (at least once),
// and keeps the values in registers meanwhile: what it reaches is the
// processor's own multiply-add rate. dst has the length MultiplyAddLen. A call
// does 2*rounds*len(dst) operations.
func MultiplyAdd(dst []float32, rounds int, m, c float32) {
	dst = dst[:MultiplyAddLen()]
	const most = 1 << 16 // assembly cannot be preempted, and the collector should not wait for it
	for rounds = max(rounds, 1); rounds > 0; rounds -= most {
		multiplyAdd(dst, min(rounds, most), m, c)
	}
}

func multiplyAddPortable(dst []float32, rounds int, m, c float32) {
	v0, v1, v2, v3, v4, v5 := dst[0], dst[1], dst[2], dst[3], dst[4], dst[5]
	v6, v7, v8, v9, v10, v11 := dst[6], dst[7], dst[8], dst[9], dst[10], dst[11]
	for range rounds {
		v0, v1, v2, v3, v4, v5 = m*v0+c, m*v1+c, m*v2+c, m*v3+c, m*v4+c, m*v5+c
		v6, v7, v8, v9, v10, v11 = m*v6+c, m*v7+c, m*v8+c, m*v9+c, m*v10+c, m*v11+c
	}
	copy(dst, []float32{v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11})
}

// Copy copies src to dst. stream asks for stores that bypass the cache.
func Copy(dst, src []float32, stream bool) {
	if inf := float32(math.Inf(1)); !stream || !Clamp.Apply(dst, src, -inf, inf, 0, true) {
		copy(dst, src)
	}
}
