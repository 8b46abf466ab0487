package simd

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// TestDepthwiseLayout holds the struct to the offsets that the generator knows.
func TestDepthwiseLayout(t *testing.T) {
	var d Depthwise
	require.Equal(t, []uintptr{0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 76, 80, 84, 96, 108, 112, 120, 128, 136}, []uintptr{
		unsafe.Offsetof(d.Dst), unsafe.Offsetof(d.Src), unsafe.Offsetof(d.W), unsafe.Offsetof(d.Offs),
		unsafe.Offsetof(d.Taps), unsafe.Offsetof(d.Rows), unsafe.Offsetof(d.N), unsafe.Offsetof(d.DstStride),
		unsafe.Offsetof(d.SrcStride), unsafe.Offsetof(d.Bias), unsafe.Offsetof(d.Lo), unsafe.Offsetof(d.Hi),
		unsafe.Offsetof(d.First), unsafe.Offsetof(d.Last), unsafe.Offsetof(d.Store), unsafe.Offsetof(d.Zero),
		unsafe.Offsetof(d.Height), unsafe.Offsetof(d.Top),
		unsafe.Offsetof(d.SrcOff)})
}

func TestCopyPlane(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for n := 1; n < 70; n++ {
			for step := 1; step <= 2; step++ {
				rows, ds, ss := 1+r.IntN(4), n+r.IntN(3), (n-1)*step+1+r.IntN(3)
				src := random(r, (rows-1)*ss+(n-1)*step+1)
				dst := newGuarded((rows-1)*ds + n)
				CopyPlane(&dst.s[0], &src[0], ds, ss, rows, n, step)
				dst.check(t, n, step)
				for i, v := range dst.s {
					want := float32(guardValue)
					if i%ds < n {
						want = src[i/ds*ss+i%ds*step]
					}
					require.Equal(t, want, v, "n %d step %d at %d", n, step, i)
				}
			}
		}
	})
}

func TestDepthwiseRun(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for n := 1; n < 140; n += 3 {
			taps, rows := 1+r.IntN(10), 1+r.IntN(3)
			ds, ss := n+r.IntN(3), n+20
			offs := make([]int, taps)
			for i := range offs {
				offs[i] = r.IntN(40)
			}
			src, w := random(r, rows*ss+64+40), random(r, taps)
			dst := newGuarded((rows-1)*ds + n)
			d := &Depthwise{Dst: &dst.s[0], Src: &src[0], W: &w[0], Offs: &offs[0], Taps: taps, Rows: rows, N: n,
				DstStride: ds, SrcStride: ss, Bias: 0.125, Lo: -0.5, Hi: 0.75}
			d.Run()
			dst.check(t, n)
			for i, v := range dst.s {
				if i%ds >= n {
					require.Equal(t, float32(guardValue), v)
					continue
				}
				want := 0.125
				for k, o := range offs {
					want += float64(w[k]) * float64(src[i/ds*ss+o+i%ds])
				}
				require.InDelta(t, min(max(want, -0.5), 0.75), float64(v), 2e-6, "n %d at %d", n, i)
			}
		}
	})
}

func TestSpreadPlane(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for n := 1; n < 70; n++ {
			for step := 1; step <= 3; step++ {
				rows, ds, ss := 1+r.IntN(4), (n-1)*step+1+r.IntN(3), n+r.IntN(3)
				src := random(r, (rows-1)*ss+n)
				dst := newGuarded((rows-1)*ds + (n-1)*step + 1)
				SpreadPlane(&dst.s[0], &src[0], ds, ss, rows, n, step)
				dst.check(t, n, step)
				for i, v := range dst.s {
					want := float32(guardValue)
					if c := i % ds; c%step == 0 && c/step < n {
						want = src[i/ds*ss+c/step]
					}
					require.Equal(t, want, v, "n %d step %d at %d", n, step, i)
				}
			}
		}
	})
}
