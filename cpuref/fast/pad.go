package fast

import "github.com/kansu-dev/kansu/spec"

// Pad adds to the sides of a tensor, or crops them; see spec.Pad.
func Pad(y, x []float32, g spec.Pad) {
	inner := g.Axis[0]
	n := inner.Out
	// The part of a row that is copied; it may be empty.
	first := min(max(inner.Begin, 0), n)
	last := max(min(inner.Begin+inner.In, n), first)
	ParallelRange(len(y)/n, 1+pointwiseChunk/n, 0.5*float64(len(y))+30*float64(len(y)/n), func(low, high int) {
		for i := low; i < high; i++ {
			row := y[i*n:][:n]
			at, ok := padRow(i, &g)
			if !ok {
				splat(row, g.Value)
				continue
			}
			from := x[at:][:inner.In]
			for o := range first {
				row[o] = padValue(from, o-inner.Begin, &g)
			}
			if first < last {
				copy(row[first:last], from[first-inner.Begin:])
			}
			for o := last; o < n; o++ {
				row[o] = padValue(from, o-inner.Begin, &g)
			}
		}
	})
}

// padRow returns where the row of x begins from which row i of y is made; ok is
// false where it lies outside of x.
func padRow(i int, g *spec.Pad) (at int, ok bool) {
	stride := g.Axis[0].In
	for _, axis := range g.Axis[1:max(1, g.Axes)] {
		p := padPosition(i%axis.Out-axis.Begin, axis.In, g.Mode)
		if p < 0 {
			return 0, false
		}
		i /= axis.Out
		at += p * stride
		stride *= axis.In
	}
	return at, true
}

// padValue returns what stands at position p of a row, which may lie outside.
func padValue(row []float32, p int, g *spec.Pad) float32 {
	if p = padPosition(p, len(row), g.Mode); p >= 0 {
		return row[p]
	}
	return g.Value
}

// padPosition maps a position along an axis of size n to the element that stands
// there, or to -1 where the value does.
func padPosition(p, n int, mode spec.PadMode) int {
	if p >= 0 && p < n {
		return p
	}
	switch mode {
	case spec.PadReflect:
		if p < 0 {
			return -p
		}
		return 2*(n-1) - p
	case spec.PadReplicate:
		return min(max(p, 0), n-1)
	case spec.PadCircular:
		return (p + n) % n
	}
	return -1
}
