package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
)

// stripWeights has the taps of some input channels for a strip of output channels
// in hand, as the transforms take them, and has the guard look at them on the way
// where nobody has yet.
type stripWeights struct {
	p      *wino
	s      int
	look   bool
	taps   []float32
	copied []float32 // room for the kernels of a piece
	limits []float32 // of the strip's output channels
	stats  []float32 // per tap and half, statLines vectors; see simd.WinogradDeficits
}

const (
	statLines = 2
	unitCount = 32 // input channels that the units are taken from, in hand at once; a multiple of all pieces
)

// weightsLen returns the floats of memory for the taps of n input channels.
func (p *wino) weightsLen(n int) int {
	n = min(n, p.vectors*p.lanes)
	return 9*p.width*n + 9*p.lanes*min(n, p.piece) + p.width + 18*statLines*p.lanes
}

func (p *wino) newWeights(s int, look bool, n int, a *scratchArena) *stripWeights {
	n = min(n, p.vectors*p.lanes)
	return &stripWeights{p: p, s: s, look: look, taps: a.take(9 * p.width * n), copied: a.take(9 * p.lanes * min(n, p.piece)),
		limits: a.take(p.width), stats: a.take(18 * statLines * p.lanes)}
}

// finish tells the guard what was found in all input channels.
func (w *stripWeights) finish() {
	if w.look {
		w.p.guard.summarize(w.s, w.stats)
	}
}

// gather takes the taps of input channels c0 to c1 in hand, zero for channels that
// there are none of up to whole vectors, whose number it returns. Calls come in
// the channels' order.
func (w *stripWeights) gather(c0, c1 int) int {
	p, L := w.p, w.p.lanes
	taps := func(c int) []float32 { return w.taps[(c-c0)*9*p.width:] }
	for c := c0; c < c1; c += p.piece {
		w.pieceTaps(taps(c), c, min(p.piece, c1-c))
		if n := min(c1, unitCount); w.look && c0 == 0 && c < n && c+p.piece >= n {
			w.setLimits(n)
			w.deficits(taps(0), n)
		} else if w.look && (c0 > 0 || c >= n) {
			w.deficits(taps(c), min(p.piece, c1-c))
		}
	}
	n := p.padded(c1 - c0)
	clear(w.taps[18*L*(c1-c0) : 18*L*n])
	return n
}

// pieceTaps sets taps to those of n input channels from c0 on, no more than a
// piece.
func (w *stripWeights) pieceTaps(taps []float32, c0, n int) {
	p, L, k := w.p, w.p.lanes, &w.p.kernels
	for half := range 2 {
		k0 := w.s*p.width + half*L
		count := min(L, p.kg-k0)
		switch {
		case count == L:
			simd.WinogradTaps(&taps[half*L], &k.w[k0*k.out+c0*k.in], n, k.out, k.in, k.flip)
		case count <= 0:
			for i := range 9 * n {
				clear(taps[(2*i+half)*L:][:L])
			}
		default:
			for l := range L {
				for c := range n {
					dst := w.copied[(l*n+c)*9:][:9]
					if l < count {
						copy(dst, k.w[(k0+l)*k.out+(c0+c)*k.in:])
					} else {
						clear(dst)
					}
				}
			}
			simd.WinogradTaps(&taps[half*L], &w.copied[0], n, 9*n, 9, k.flip)
		}
	}
}

// deficits has the guard look at the taps of n input channels.
func (w *stripWeights) deficits(taps []float32, n int) {
	L := w.p.lanes
	for half := range 2 {
		simd.WinogradDeficits(&w.stats[half*statLines*L], &taps[half*L], &w.limits[half*L], n)
	}
}

// setLimits sets the strip's limits in units of its output channels: the root mean
// square of the weights of the first n input channels, which are in hand. Any unit will do for the
// bounds; this one suits guardLimit.
func (w *stripWeights) setLimits(n int) {
	p, L := w.p, w.p.lanes
	units := p.guard.units[w.s*p.width:][:min(p.width, p.kg-w.s*p.width)]
	clear(w.stats)
	clear(w.limits)
	w.deficits(w.taps, n)
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
