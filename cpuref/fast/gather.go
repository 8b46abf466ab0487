package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// Concat joins tensors along an axis; see spec.Concat.
func Concat(y []float32, in [][]float32, g spec.Concat) {
	ParallelRange(g.Outer, 1+pointwiseChunk/g.Row, 0.3*float64(len(y)), func(low, high int) {
		for o := low; o < high; o++ {
			at := o * g.Row
			for i, part := range g.Part {
				at += copy(y[at:], in[i][o*part:][:part])
			}
		}
	})
}

// Gather copies elements in another order; see spec.Gather. Rows that stay rows
// are copied whole, and rows that become columns by blocks of vectors.
func Gather(y, x []float32, g spec.Gather) {
	inner := g.Axis[0]
	if g.Axes > 1 && inner.Step > 1 {
		for j := 1; j < g.Axes; j++ {
			if g.Axis[j].Step == 1 && g.Axis[j].Size > 1 {
				gatherTransposed(y, x, g, j)
				return
			}
		}
	}
	n := inner.Size
	ParallelRange(len(y)/n, 1+pointwiseChunk/n, float64(len(y))+20*float64(len(y)/n), func(low, high int) {
		for i := low; i < high; i++ {
			at := g.Offset(i * n)
			row := y[i*n:][:n]
			if inner.Step == 1 {
				copy(row, x[at:])
				continue
			}
			for k := range row {
				row[k] = x[at]
				at += inner.Step
			}
		}
	})
}

// gatherTransposed copies a tensor whose axis j runs along rows of x, and whose
// innermost axis runs across them.
func gatherTransposed(y, x []float32, g spec.Gather, j int) {
	lanes := simd.ActiveTiles().Lanes
	cols, rows := g.Axis[0].Size, g.Axis[j].Size
	blocks := (cols + lanes - 1) / lanes
	rowStep := 1 // in y, from one row to the next
	for _, axis := range g.Axis[:j] {
		rowStep *= axis.Size
	}
	matrices := len(y) / (cols * rows)
	Parallel(matrices*blocks, float64(len(y)), func(i int) {
		c := i % blocks * lanes
		from, to := g.Base+c*g.Axis[0].Step, c
		rest, step := i/blocks, cols
		for k, axis := range g.Axis[1:g.Axes] {
			if k+1 != j {
				from += rest % axis.Size * axis.Step
				to += rest % axis.Size * step
				rest /= axis.Size
			}
			step *= axis.Size
		}
		n := min(lanes, cols-c)
		simd.Transpose(&y[to], &x[from], rowStep, g.Axis[0].Step, rows, n, n)
	})
}
