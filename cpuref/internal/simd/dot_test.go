package simd

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDots(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for rows := 1; rows <= DotRows(); rows++ {
			for _, cols := range []int{1, 4} {
				for _, k := range []int{0, 1, 7, 8, 9, 15, 16, 17, 33, 100} {
					ldx, ldw := k+r.IntN(4), k+r.IntN(4)
					x, w := random(r, (rows-1)*ldx+k), random(r, (cols-1)*ldw+k)
					var out [16]float32
					Dots(&out, ptr(x), ptr(w), ldx, ldw, k, rows, cols)
					for i := range rows {
						for j := range cols {
							want := 0.0
							for t := range k {
								want += float64(x[i*ldx+t]) * float64(w[j*ldw+t])
							}
							require.InDelta(t, want, float64(out[4*i+j]), 5e-6, "rows %d cols %d k %d", rows, cols, k)
						}
					}
				}
			}
		}
	})
}
