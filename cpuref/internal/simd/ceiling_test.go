package simd

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// The ceiling does the work that it claims: every value counts the rounds.
func TestMultiplyAddCounts(t *testing.T) {
	onEach(t, func(t *testing.T) {
		for _, rounds := range []int{1, 2, 1000, 1<<16 - 1, 1 << 16, 1<<16 + 1, 1<<17 + 3} {
			g := newGuarded(MultiplyAddLen())
			for i := range g.s {
				g.s[i] = float32(i)
			}
			MultiplyAdd(g.s, rounds, 1, 1)
			for i, v := range g.s {
				require.Equal(t, float32(i+rounds), v, "value %d after %d rounds", i, rounds)
			}
			g.check(t, rounds)
		}
	})
}

// With a factor too: halves and ones are exact, fused or not.
func TestMultiplyAddFactor(t *testing.T) {
	onEach(t, func(t *testing.T) {
		v := make([]float32, MultiplyAddLen())
		for i := range v {
			v[i] = float32(256 * i)
		}
		MultiplyAdd(v, 8, 0.5, 1)
		for i, got := range v {
			want := float64(256 * i)
			for range 8 {
				want = 0.5*want + 1
			}
			require.Equal(t, math.Float32bits(float32(want)), math.Float32bits(got), "value %d", i)
		}
	})
}

func TestCopy(t *testing.T) {
	r := newRand(t)
	onEach(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 15, 16, 17, 100, 4097, 1<<15 + 5} {
			for _, stream := range []bool{false, true} {
				g, src := newGuarded(n), random(r, n)
				if n > 1 {
					src[0], src[n-1] = float32(math.Copysign(0, -1)), float32(math.Inf(-1))
				}
				Copy(g.s, src, stream)
				for i, v := range src {
					require.Equal(t, math.Float32bits(v), math.Float32bits(g.s[i]), "value %d of %d", i, n)
				}
				g.check(t, n, stream)
			}
		}
	})
}
