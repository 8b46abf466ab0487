package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// PadGrad computes the gradient of a padding, given its passes, at least one; see
// spec.NewPadGrads. All passes are made at once: each row of dx gathers the rows of
// dy that show it. The sums are those of the passes: along the innermost axis first,
// and along each from an element's own position on, then over those in the padding,
// ascending.
func PadGrad(dx, dy []float32, passes []spec.PadGrad) {
	const wide = 256 // floats inside of an axis from which on they are the rows
	stride := passes[0].Inner
	row := padRowOf{in: 1, to: 1, n: stride}
	if row.n < wide {
		row, stride, passes = newPadRow(passes[0]), stride*passes[0].Out, passes[1:]
	}
	width := row.n * row.in
	axes, inner := make([]padGradAxis, 0, 2*len(passes)+1), width // those outside of a row, innermost first
	for _, g := range passes {
		if gap := g.Inner / inner; gap > 1 {
			axes = append(axes, padGradAxis{in: gap, stride: stride})
			stride *= gap
		}
		axes = append(axes, newPadGradAxis(g, stride))
		stride *= g.Out
		inner = g.Inner * g.In
	}
	axes = append(axes, padGradAxis{in: len(dx) / inner, stride: stride})
	rows := len(dx) / width
	ParallelRange(rows, 1+pointwiseChunk/width, 0.5*float64(len(dx)+len(dy))+20*float64(rows), func(low, high int) {
		p := padRows{row: row, axes: axes, at: make([]int, len(axes)), width: width, buf: getScratch(len(axes) * width)}
		for i := low; i < high; {
			rest := i
			for a := range axes {
				p.at[a] = rest % axes[a].in
				rest /= axes[a].in
			}
			for ; p.at[0] < axes[0].in && i < high; p.at[0]++ { // rows side by side
				askAhead(dx[i*width:], 512, width)
				p.sum(dx[i*width:][:width], dy, len(axes)-1)
				i++
			}
		}
		putScratch(p.buf)
	})
}

// askAhead asks for what lies so many floats further on than a row of n: rows that
// begin and end with single elements keep the processor from looking there itself.
func askAhead(s []float32, ahead, n int) {
	if n >= 64 && ahead+n <= len(s) {
		simd.Prefetch(s[ahead:][:n])
	}
}

// padRows computes rows one after the other.
type padRows struct {
	row   padRowOf
	axes  []padGradAxis
	at    []int // the row in hand, along each
	width int
	buf   []float32 // a row for each of axes
}

// sum computes a row, the axes up to number a being still to be resolved in dy.
func (p *padRows) sum(dx, dy []float32, a int) {
	for ; a >= 0; a-- {
		axis := &p.axes[a]
		if axis.shown == nil {
			dy = dy[p.at[a]*axis.stride:]
			continue
		}
		shown := axis.shown[p.at[a]]
		if len(shown) == 0 {
			clear(dx)
			return
		}
		if len(shown) > 1 {
			t := p.buf[a*p.width:][:p.width]
			for i, at := range shown {
				if i == 0 {
					p.sum(dx, dy[at:], a-1)
					continue
				}
				p.sum(t, dy[at:], a-1)
				simd.BinAdd.Apply(dx, dx, t, 0, 0, 0, false)
			}
			return
		}
		dy = dy[shown[0]:]
	}
	p.row.sum(dx, dy)
}

// padGradAxis is an axis outside of the rows.
type padGradAxis struct {
	in     int
	stride int     // of dy
	shown  [][]int // where in dy each element is shown, in floats; nil for an axis that is not padded
}

func newPadGradAxis(g spec.PadGrad, stride int) padGradAxis {
	a := padGradAxis{in: g.In, stride: stride, shown: make([][]int, g.In)}
	own, padding := padShown(g)
	for i := own.from; i < own.to; i++ {
		a.shown[i] = append(a.shown[i], (i+g.Begin)*stride)
	}
	for _, s := range padding {
		a.shown[s.element] = append(a.shown[s.element], s.at*stride)
	}
	return a
}

// interval is the elements from and before to.
type interval struct{ from, to int }

// shown is a position and the element that it shows.
type shown struct{ at, element int }

// padShown returns which elements have a position of their own, and the other
// positions that show an element, ascending.
func padShown(g spec.PadGrad) (own interval, padding []shown) {
	begin := min(max(g.Begin, 0), g.Out)
	end := min(max(g.Begin+g.In, begin), g.Out)
	if begin < end {
		own = interval{begin - g.Begin, end - g.Begin}
	}
	for o := range g.Out {
		if i := padPosition(o-g.Begin, g.In, g.Mode); i >= 0 && (o < begin || o >= end) {
			padding = append(padding, shown{o, i})
		}
	}
	return own, padding
}

// padRowOf is the innermost padded axis with what lies inside of it, or that alone.
type padRowOf struct {
	in, n    int
	from, to int // the elements that have a position of their own
	begin    int // that of the first of them
	padding  []shown
}

func newPadRow(g spec.PadGrad) padRowOf {
	own, padding := padShown(g)
	return padRowOf{in: g.In, n: g.Inner, from: own.from, to: own.to, begin: min(max(g.Begin, 0), g.Out), padding: padding}
}

// sum sets a row of dx to what a row of dy shows of it.
func (p *padRowOf) sum(dx, dy []float32) {
	n := p.n
	middle := dx[p.from*n : p.to*n]
	askAhead(dy, 768, len(middle))
	copy(middle, dy[p.begin*n:])
	if len(middle) < len(dx) {
		clear(dx[:p.from*n])
		clear(dx[p.to*n:])
	}
	if n == 1 {
		for _, s := range p.padding {
			dx[s.element] += dy[s.at]
		}
		return
	}
	for _, s := range p.padding {
		to, from := dx[s.element*n:][:n], dy[s.at*n:][:n]
		if n >= 16 {
			simd.BinAdd.Apply(to, to, from, 0, 0, 0, false)
			continue
		}
		for j, v := range from {
			to[j] += v
		}
	}
}
