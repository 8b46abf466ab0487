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

// PadGrad computes one pass of the gradient of a padding; see spec.PadGrad. An
// element's own position comes first, then those in the padding, ascending.
func PadGrad(dx, dy []float32, g spec.PadGrad) {
	n := g.Inner
	// In between each position shows the element of its own; the others, which show
	// one, are in the padding.
	begin := min(max(g.Begin, 0), g.Out)
	end := min(max(g.Begin+g.In, begin), g.Out)
	first, last := 0, 0 // elements with a position of their own
	if begin < end {
		first, last = begin-g.Begin, end-g.Begin
	}
	type place struct{ at, shows int }
	var padding []place
	for o := range g.Out {
		if i := padPosition(o-g.Begin, g.In, g.Mode); i >= 0 && (o < begin || o >= end) {
			padding = append(padding, place{o, i})
		}
	}
	ParallelRange(g.Outer, 1+pointwiseChunk/(n*g.Out), 0.7*float64(len(dx)+len(dy)), func(low, high int) {
		for outer := low; outer < high; outer++ {
			to, from := dx[outer*g.In*n:][:g.In*n], dy[outer*g.Out*n:][:g.Out*n]
			clear(to[:first*n])
			copy(to[first*n:last*n], from[begin*n:])
			clear(to[last*n:])
			if n == 1 {
				for _, p := range padding {
					to[p.shows] += from[p.at]
				}
				continue
			}
			for _, p := range padding {
				row := to[p.shows*n:][:n]
				simd.BinAdd.Apply(row, row, from[p.at*n:][:n], 0, 0, 0, false)
			}
		}
	})
}
