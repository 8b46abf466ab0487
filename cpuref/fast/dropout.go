package fast

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
)

// Dropout computes a dropout on all cores; see cpuref.Dropout. mask may be nil.
func Dropout(y, mask, x []float32, g spec.Dropout) {
	const words = 4 // that a counter gives
	ParallelRange((len(x)+words-1)/words, elementTask/words, 8*float64(len(x)), func(low, high int) {
		for c := low; c < high; c++ {
			draw := cpuref.Philox(uint32(c), g.Seed)
			for i := c * words; i < min(len(x), (c+1)*words); i++ {
				keep := g.Keeps(draw[i%words])
				y[i] = 0
				if keep {
					y[i] = x[i] * g.Scale
				}
				if mask != nil {
					mask[i] = 0
					if keep {
						mask[i] = 1
					}
				}
			}
		}
	})
}
