package simd

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// TestCorrelationLayout holds the struct to the offsets that the generator knows.
func TestCorrelationLayout(t *testing.T) {
	var c Correlation
	require.Equal(t, []uintptr{0, 8, 16, 24, 32, 40, 48, 56}, []uintptr{
		unsafe.Offsetof(c.Out), unsafe.Offsetof(c.A), unsafe.Offsetof(c.B), unsafe.Offsetof(c.Offs),
		unsafe.Offsetof(c.Rows), unsafe.Offsetof(c.N), unsafe.Offsetof(c.StrideA), unsafe.Offsetof(c.StrideB)})
}

func TestCorrelation(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for n := 1; n < 70; n++ {
			taps, rows := 1+r.IntN(21), 1+r.IntN(4)
			sa, sb := n+r.IntN(3), n+r.IntN(20)
			offs := make([]int, taps)
			far := 0
			for i := range offs {
				offs[i] = r.IntN(40)
				far = max(far, offs[i])
			}
			// As long as what may be read: no kernel may look behind the end.
			a, b := random(r, (rows-1)*sa+n), random(r, (rows-1)*sb+far+n)
			out := newGuarded(taps)
			for i := range out.s {
				out.s[i] = 0.5
			}
			c := &Correlation{Out: &out.s[0], A: &a[0], B: &b[0], Offs: &offs[0], Rows: rows, N: n, StrideA: sa, StrideB: sb}
			c.Run(taps)
			out.check(t, n)
			for k, off := range offs {
				want := 0.5
				for row := range rows {
					for i := range n {
						want += float64(a[row*sa+i]) * float64(b[row*sb+off+i])
					}
				}
				require.InDelta(t, want, float64(out.s[k]), 2e-5, "n %d taps %d tap %d", n, taps, k)
			}
		}
	})
}
