package simd

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPool2x2(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, out := range []int{1, 3, 7, 8, 9, 15, 16, 17, 28, 56, 100} {
			for _, more := range []int{0, 1, 9} {
				width := 2*out + more
				rows := 3
				if out == 100 {
					rows = 2*maxCall/(2*width) + 5 // several calls
				}
				src := random(r, 2*rows*width)
				special(src[:width/2], 7)
				largest, sums := newGuarded(rows*out), newGuarded(rows*out)
				PoolMax2x2(largest.s, src, out, width)
				PoolSum2x2(sums.s, src, out, width, 0.25)
				largest.check(t, out, width)
				sums.check(t, out, width)
				for i := range largest.s {
					a, b := src[i/out*2*width+i%out*2:], src[(i/out*2+1)*width+i%out*2:]
					m, s := max(a[0], a[1], b[0], b[1]), 0.25*((a[0]+b[0])+(a[1]+b[1]))
					require.True(t, same(m, largest.s[i]), "%d of %d: %v, not %v", i, out, largest.s[i], m)
					require.True(t, same(s, sums.s[i]) || s == sums.s[i], "%d of %d: %v, not %v", i, out, sums.s[i], s)
				}
			}
		}
	})
}
