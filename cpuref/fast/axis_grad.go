package fast

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// UpsampleGrad computes one pass of the gradient of a resampling; see
// spec.UpsampleGrad. Sums are taken along whole rows where the axis is not the
// last one, else in float64.
func UpsampleGrad(dx, dy []float32, g spec.UpsampleGrad) {
	ns := 1.5 * float64(len(dx)+len(dy))
	if g.Inner == 1 {
		ParallelRange(g.Outer, 1+pointwiseChunk/max(g.In, g.Out), ns, func(low, high int) {
			part := g
			part.Outer = high - low
			cpuref.UpsampleGrad(dx[low*g.In:high*g.In], dy[low*g.Out:high*g.Out], part)
		})
		return
	}
	n := g.Inner
	ParallelRange(g.Outer*g.In, 1+pointwiseChunk/n/4, ns, func(low, high int) {
		for r := low; r < high; r++ {
			outer, i := r/g.In, r%g.In
			to := dx[r*n:][:n]
			first, last := g.Start[i], g.Start[i+1]
			if first == last {
				clear(to)
			}
			for e := first; e < last; e++ {
				from, w := dy[(outer*g.Out+int(g.From[e]))*n:][:n], g.Weight[e]
				switch {
				case e > first:
					simd.BinAxpy.Apply(to, from, to, w, 0, 0, false)
				case w == 1:
					copy(to, from)
				default:
					pointwise(spec.Activation{Func: spec.Affine, A: w}, to, from)
				}
			}
		}
	})
}

// PadGrad computes one pass of the gradient of a padding; see spec.PadGrad. The
// order in which an element's positions are added is ascending.
func PadGrad(dx, dy []float32, g spec.PadGrad) {
	n := g.Inner
	shown := make([]int, g.Out) // the element that each position shows
	for o := range shown {
		shown[o] = padPosition(o-g.Begin, g.In, g.Mode)
	}
	ParallelRange(g.Outer, 1+pointwiseChunk/(n*g.Out), 1.5*float64(len(dx)+len(dy)), func(low, high int) {
		for outer := low; outer < high; outer++ {
			to, from := dx[outer*g.In*n:][:g.In*n], dy[outer*g.Out*n:][:g.Out*n]
			clear(to)
			for o, i := range shown {
				switch {
				case i < 0:
				case n == 1:
					to[i] += from[o]
				default:
					row := to[i*n:][:n]
					simd.BinAdd.Apply(row, row, from[o*n:][:n], 0, 0, 0, false)
				}
			}
		}
	})
}
