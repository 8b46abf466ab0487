package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// Dropout computes a dropout on all cores; see cpuref.Dropout. mask may be nil.
func Dropout(y, mask, x []float32, g spec.Dropout) {
	if g.P >= 1 { // no word is large enough
		clear(y)
		clear(mask)
		return
	}
	const words = 4 // that a counter gives
	perElement := 0.6
	if simd.Active() == simd.Portable {
		perElement = 8
	}
	ParallelRange((len(x)+words-1)/words, elementTask/words, perElement*float64(len(x)), func(low, high int) {
		from, to := low*words, min(len(x), high*words)
		simd.Dropout(y[from:to], x[from:to], uint32(low), g.Seed, g.Threshold, g.Scale)
		if mask != nil {
			ones := getScratch(to - from)
			splat(ones, 1)
			simd.Dropout(mask[from:to], ones, uint32(low), g.Seed, g.Threshold, 1)
			putScratch(ones)
		}
	})
}
