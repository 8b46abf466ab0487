package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
)

// stripWeights transforms the weights of a strip of output channels, and has the
// guard look at them on the way where nobody has yet.
type stripWeights struct {
	p      *wino
	s      int
	look   bool
	buf    []float32
	taps   []float32 // of a chunk, and room for the kernels' intermediate results
	tmp    []float32
	limits []float32 // of the strip's output channels
	stats  []float32 // per tap and half, statLines vectors; see simd.WinogradDeficits
}

const (
	statLines = 2
	unitCount = 32 // input channels that the units are taken from
)

func (p *wino) newWeights(s int, look bool) *stripWeights {
	L := p.lanes
	w := &stripWeights{p: p, s: s, look: look}
	w.buf = getScratch(18*L*p.chunk + 18*L + 2*L + 18*statLines*L)
	rest := w.buf
	take := func(n int) []float32 {
		t := rest[:n:n]
		rest = rest[n:]
		return t
	}
	w.taps, w.tmp, w.limits, w.stats = take(18*L*p.chunk), take(18*L), take(2*L), take(18*statLines*L)
	return w
}

// release gives the memory back, when all input channels have been transformed.
func (w *stripWeights) release() {
	if w.look {
		w.p.guard.summarize(w.s, w.stats)
	}
	putScratch(w.buf)
}

// transform sets u to the transformed weights of a chunk of input channels from c0
// on; chunks come in order.
func (w *stripWeights) transform(u []float32, c0 int) {
	p, L := w.p, w.p.lanes
	n := min(p.chunk, p.cg-c0)
	w.gather(c0, n)
	if w.look {
		if c0 == 0 {
			w.setLimits(min(n, unitCount))
		}
		for half := range 2 {
			simd.WinogradDeficits(&w.stats[half*statLines*L], &w.taps[half*L], &w.limits[half*L], n)
		}
	}
	padded := (n + L - 1) / L * L
	clear(w.taps[18*L*n : 18*L*padded])
	simd.WinogradWeights(&u[0], &w.taps[0], &w.tmp[0], padded)
}

// gather sets taps to those of n input channels from c0 on, zero for channels
// that there are none of.
func (w *stripWeights) gather(c0, n int) {
	p, L, k := w.p, w.p.lanes, &w.p.kernels
	for half := range 2 {
		k0 := w.s*p.width + half*L
		count := min(L, p.kg-k0)
		switch {
		case count == L:
			simd.WinogradTaps(&w.taps[half*L], &k.w[k0*k.out+c0*k.in], n, k.out, k.in, k.flip)
		case count <= 0:
			for i := range 9 * n {
				clear(w.taps[(2*i+half)*L:][:L])
			}
		default:
			copied := getScratch(L * 9 * n)
			for l := range L {
				for c := range n {
					dst := copied[(l*n+c)*9:][:9]
					if l < count {
						copy(dst, k.w[(k0+l)*k.out+(c0+c)*k.in:])
					} else {
						clear(dst)
					}
				}
			}
			simd.WinogradTaps(&w.taps[half*L], &copied[0], n, 9*n, 9, k.flip)
			putScratch(copied)
		}
	}
}

// setLimits sets the strip's limits in units of its output channels: the root mean
// square of the weights of the first n input channels. Any unit will do for the
// bounds; this one suits guardLimit.
func (w *stripWeights) setLimits(n int) {
	p, L := w.p, w.p.lanes
	units := p.guard.units[w.s*p.width:][:min(p.width, p.kg-w.s*p.width)]
	clear(w.stats)
	clear(w.limits)
	for half := range 2 {
		simd.WinogradDeficits(&w.stats[half*statLines*L], &w.taps[half*L], &w.limits[half*L], n)
	}
	for i := range units {
		sum := float32(0)
		for t := range 9 {
			sum += w.stats[((2*t+i/L)*statLines+1)*L+i%L]
		}
		units[i] = float32(math.Sqrt(float64(sum) / float64(9*n)))
		w.limits[i] = guardLimit * units[i]
	}
	clear(w.stats)
}

// matrix returns the group's kernels as the rows of a matrix, one row for each
// output channel; give back what comes second.
func (p *wino) matrix() (w, scratch []float32) {
	k := &p.kernels
	if !k.flip {
		return k.w, nil
	}
	scratch = getScratch(p.kg * p.cg * 9)
	ParallelRange(p.kg, 8, float64(len(scratch)), func(low, high int) {
		for o := low; o < high; o++ {
			for c := range p.cg {
				from, to := k.w[o*k.out+c*k.in:][:9], scratch[(o*p.cg+c)*9:][:9]
				for t, v := range from {
					to[8-t] = v
				}
			}
		}
	})
	return scratch, scratch
}
