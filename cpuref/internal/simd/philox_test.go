package simd

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDropout compares every level with the words themselves, for lengths with
// and without a rest, counters that wrap, and values of all kinds.
func TestDropout(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, n := range append([]int{63, 64, 65, 127, 128, 4096 + 37, 1 << 16}, sizes...) {
			x := special(random(r, n), 29)
			for _, counter := range []uint32{0, 12345, math.MaxUint32 - 7} {
				seed, threshold := r.Uint64(), r.Uint32()
				dst := newGuarded(n)
				Dropout(dst.s, x, counter, seed, threshold, 1.5)
				dst.check(t, n, counter)
				for i, v := range dst.s {
					want := float32(0)
					if Philox([4]uint32{counter + uint32(i/4)}, seed)[i%4] >= threshold {
						want = x[i] * 1.5
					}
					require.True(t, same(want, v), "%d of %d: %v, not %v", i, n, v, want)
				}
			}
		}
	})
}
