package simd

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShiftedSums(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, n := range []int{0, 1, 15, 31, 32, 33, 63, 64, 96, 127, 128, 129, 160, 250, 1000, 4096, maxCall, maxCall + 37, 3*maxCall + 224} {
			for _, k := range []float32{0, 0.25, -3} {
				x := random(r, n)
				var s, q, size float64
				for _, v := range x {
					d := float64(v - k)
					s += d
					q += d * d
					size += math.Abs(d)
				}
				sum, squares := ShiftedSums(x, k, nil)
				const u = 0x1p-24
				require.InDelta(t, s, sum, 4*u*size, "%d %v", n, k)
				require.InDelta(t, q, squares, 6*u*q, "%d %v", n, k)
				again, too := ShiftedSums(x, k, random(r, n))
				require.Equal(t, []float64{sum, squares}, []float64{again, too})
			}
		}
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e25} {
			x := random(r, 300)
			for i := range x {
				was := x[i]
				x[i] = float32(v)
				_, q := ShiftedSums(x, 0.5, nil)
				require.False(t, q <= math.MaxFloat32, "%v at %d", v, i)
				x[i] = was
			}
		}
	})
}

// The bits are those of Center.
func TestCenterAhead(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, n := range []int{0, 1, 15, 16, 17, 33, 160, 1000, maxCall + 21} {
			x := random(r, n)
			if n > 20 {
				x[3], x[17] = float32(math.NaN()), float32(math.Inf(-1))
			}
			a, b, c := float32(0.3), float32(1.7), float32(-0.2)
			want := make([]float32, n)
			if !Center.Apply(want, x, a, b, c, false) {
				centerPortable(want, x, a, b, c)
			}
			for _, ahead := range []int{0, 64, 50176, -4096} {
				got := newGuarded(n)
				CenterAhead(got.s, x, a, b, c, ahead)
				got.check(t, n)
				copy(got.s, x)
				CenterAhead(got.s, got.s, a, b, c, ahead) // in place
				got.check(t, n)
				for i := range want {
					require.True(t, same(want[i], got.s[i]), "%d of %d: %v, not %v", i, n, got.s[i], want[i])
				}
			}
		}
	})
}
