package simd

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSpread3(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, n := range []int{1, 15, 16, 17, 48, 100} {
			whole := (n + 15) / 16 * 16
			src := random(r, whole+1)
			for _, sumFirst := range []bool{false, true} {
				dst := newGuarded(2 * whole)
				Spread3(&dst.s[0], &src[0], n, 0.25, sumFirst)
				dst.check(t, n)
				for j := range n {
					first, second := 0.25*src[j], 0.25*src[j]+0.25*src[j+1]
					if sumFirst {
						first, second = second, 0.25*src[j+1]
					}
					require.Equal(t, []float32{first, second}, dst.s[2*j:][:2], "n %d at %d", n, j)
				}
			}
		}
	})
}
