package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// PadGrad computes the gradient of a padding, given its passes; see
// spec.NewPadGrads. An element's own position comes first, then those in the
// padding, ascending.
//
// What is the last pass's outside goes through all passes on its own, so that what
// is between them stays in the cache.
func PadGrad(dx, dy []float32, passes []spec.PadGrad) {
	const cache = 1 << 17 // floats
	each := make([]padPass, len(passes))
	for i, g := range passes {
		each[i] = newPadPass(g)
	}
	units := 1
	if n := len(passes); n > 0 {
		units = passes[n-1].Outer
	}
	ns := 0.7 * float64(len(dx)+len(dy))
	if len(passes) > 1 && len(dy)/units > cache {
		for i, p := range each {
			to := dx
			if i < len(each)-1 {
				to = getScratch(p.outer * p.in * p.n)
				defer putScratch(to)
			}
			ParallelRange(p.outer, 1+pointwiseChunk/(p.n*p.out), ns, func(low, high int) {
				p.apply(to[low*p.in*p.n:high*p.in*p.n], dy[low*p.out*p.n:high*p.out*p.n])
			})
			dy = to
		}
		return
	}
	in, out, most := len(dx)/units, len(dy)/units, 0
	for _, p := range each {
		most = max(most, p.outer/units*p.in*p.n) // larger than dy's, where an axis was cropped
	}
	ParallelRange(units, 1+pointwiseChunk/out, ns, func(low, high int) {
		t := getScratch(2 * most)
		defer putScratch(t)
		for u := low; u < high; u++ {
			from := dy[u*out:][:out]
			for i, p := range each {
				to := dx[u*in:][:in]
				if i < len(each)-1 {
					to = t[i%2*most:][:p.outer/units*p.in*p.n]
				}
				p.apply(to, from)
				from = to
			}
		}
	})
}

// padPass is one pass, resolved.
type padPass struct {
	outer, in, out, n int
	begin             int     // the position from which on elements have one of their own
	first, last       int     // those elements
	padding           []shown // the other positions that show an element
}

// shown is a position and the element that it shows.
type shown struct{ at, element int }

func newPadPass(g spec.PadGrad) padPass {
	p := padPass{outer: g.Outer, in: g.In, out: g.Out, n: g.Inner, begin: min(max(g.Begin, 0), g.Out)}
	end := min(max(g.Begin+g.In, p.begin), g.Out)
	if p.begin < end {
		p.first, p.last = p.begin-g.Begin, end-g.Begin
	}
	for o := range g.Out {
		if i := padPosition(o-g.Begin, g.In, g.Mode); i >= 0 && (o < p.begin || o >= end) {
			p.padding = append(p.padding, shown{o, i})
		}
	}
	return p
}

// apply computes dx for some of the axes outside.
func (p *padPass) apply(dx, dy []float32) {
	n := p.n
	for len(dx) > 0 {
		to, from := dx[:p.in*n], dy[:p.out*n]
		clear(to[:p.first*n])
		copy(to[p.first*n:p.last*n], from[p.begin*n:])
		clear(to[p.last*n:])
		for _, s := range p.padding {
			if n == 1 {
				to[s.element] += from[s.at]
				continue
			}
			row := to[s.element*n:][:n]
			simd.BinAdd.Apply(row, row, from[s.at*n:][:n], 0, 0, 0, false)
		}
		dx, dy = dx[p.in*n:], dy[p.out*n:]
	}
}
