package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// UpsampleGrad computes one pass of the gradient of a resampling; see
// spec.UpsampleGrad. Sums are taken along whole rows; where the axis is the last
// one, some of its lines are made into the columns of such rows, and back.
func UpsampleGrad(dx, dy []float32, g spec.UpsampleGrad) {
	ns := 1.5 * float64(len(dx)+len(dy))
	if g.Inner == 1 {
		const lines = 64
		ParallelRange((g.Outer+lines-1)/lines, 1, ns, func(low, high int) {
			t := getScratch((g.In + g.Out) * lines)
			defer putScratch(t)
			from, to := t[:g.Out*lines], t[g.Out*lines:]
			for i := low; i < high; i++ {
				first := i * lines
				n := min(lines, g.Outer-first)
				transposeRows(from, dy[first*g.Out:], n, g.Out, g.Out, n, n)
				for i := range g.In {
					upsampleTakers(to[i*n:][:n], from, &g, i)
				}
				transposeRows(dx[first*g.In:], to, g.In, n, n, g.In, g.In)
			}
		})
		return
	}
	n := g.Inner
	ParallelRange(g.Outer*g.In, 1+pointwiseChunk/n/4, ns, func(low, high int) {
		for r := low; r < high; r++ {
			upsampleTakers(dx[r*n:][:n], dy[r/g.In*g.Out*n:], &g, r%g.In)
		}
	})
}

// upsampleTakers sets to to the weighted sum of the rows of dy that took element i.
func upsampleTakers(to, dy []float32, g *spec.UpsampleGrad, i int) {
	n := len(to)
	first, last := g.Start[i], g.Start[i+1]
	if first == last {
		clear(to)
	}
	for e := first; e < last; e++ {
		from, w := dy[int(g.From[e])*n:][:n], g.Weight[e]
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

// PadGrad computes one pass of the gradient of a padding; see spec.PadGrad. The
// order in which an element's positions are added is ascending.
func PadGrad(dx, dy []float32, g spec.PadGrad) {
	n := g.Inner
	shown := make([]int, g.Out) // the element that each position shows
	for o := range shown {
		shown[o] = padPosition(o-g.Begin, g.In, g.Mode)
	}
	// In between each position shows the element of its own.
	begin := min(max(g.Begin, 0), g.Out)
	end := min(max(g.Begin+g.In, begin), g.Out)
	ParallelRange(g.Outer, 1+pointwiseChunk/(n*g.Out), 1.5*float64(len(dx)+len(dy)), func(low, high int) {
		for outer := low; outer < high; outer++ {
			to, from := dx[outer*g.In*n:][:g.In*n], dy[outer*g.Out*n:][:g.Out*n]
			clear(to)
			edge := func(first, last int) {
				for o := first; o < last; o++ {
					switch i := shown[o]; {
					case i < 0:
					case n == 1:
						to[i] += from[o]
					default:
						row := to[i*n:][:n]
						simd.BinAdd.Apply(row, row, from[o*n:][:n], 0, 0, 0, false)
					}
				}
			}
			edge(0, begin)
			if begin < end {
				rows := to[(begin-g.Begin)*n : (end-g.Begin)*n]
				simd.BinAdd.Apply(rows, rows, from[begin*n:end*n], 0, 0, 0, false)
			}
			edge(end, g.Out)
		}
	})
}
