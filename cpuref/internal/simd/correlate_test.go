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

func TestCorrelation3x3(t *testing.T) {
	var c Correlation3x3
	require.Equal(t, []uintptr{0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80}, []uintptr{
		unsafe.Offsetof(c.Out), unsafe.Offsetof(c.A), unsafe.Offsetof(c.B), unsafe.Offsetof(c.Masks), unsafe.Offsetof(c.Strips),
		unsafe.Offsetof(c.Rows), unsafe.Offsetof(c.Height), unsafe.Offsetof(c.Top), unsafe.Offsetof(c.StrideA), unsafe.Offsetof(c.StrideB), unsafe.Offsetof(c.Left)})
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for n := range 300 {
			rows, height, left, top := 1+r.IntN(7), 1+r.IntN(7), r.IntN(2), -r.IntN(3)
			cols, width := 1+r.IntN(60), 1+r.IntN(60)
			a, b := random(r, rows*cols), random(r, height*width)
			if n%3 == 0 { // what is left out must not spoil a sum
				special(a[:min(len(a), cols/2)], 101)
				special(b[len(b)-min(len(b), 7):], 97)
			}
			strips := (cols + 15) / 16
			masks := make([]uint16, 4*strips)
			out := newGuarded(9)
			var want [9]float64
			for y := range 3 {
				for x := range 3 {
					out.s[3*y+x] = 0.5
					want[3*y+x] = 0.5
					for i := range cols {
						masks[i/16*4] |= 1 << (i % 16)
						w := i + x - left
						if w < 0 || w >= width {
							continue
						}
						masks[i/16*4+1+x] |= 1 << (i % 16)
						for row := range rows {
							if h := top + row + y; h >= 0 && h < height {
								want[3*y+x] += float64(a[row*cols+i]) * float64(b[h*width+w])
							}
						}
					}
				}
			}
			(&Correlation3x3{Out: &out.s[0], A: &a[0], B: &b[0], Left: -left, Masks: &masks[0], Strips: strips,
				Rows: rows, Height: height, Top: top, StrideA: cols, StrideB: width}).Run()
			out.check(t, n)
			for i, w := range want {
				close(t, w, out.s[i], 2e-5, n, i)
			}
		}
	})
}
