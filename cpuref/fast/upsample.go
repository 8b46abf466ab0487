package fast

import "github.com/kansu-dev/kansu/spec"

// upsamplePlace is a position along an axis of the input: an element, how far to
// its next, and the weights of both. Where the next has no weight it is the
// element itself, with both weights its own.
type upsamplePlace struct {
	at, next     int
	near, beyond float32
}

// Upsample resamples the spatial axes of a tensor; see spec.Upsample.
func Upsample(y, x []float32, g spec.Upsample) {
	var places [3][]upsamplePlace
	for axis := range places {
		for o := range g.Out[axis] {
			at, beyond := g.Position(axis, o)
			p := upsamplePlace{at: at, next: at, near: 1}
			if g.Mode == spec.Linear && beyond > 0 {
				p.next, p.near, p.beyond = at+1, float32(1-beyond), float32(beyond)
			}
			places[axis] = append(places[axis], p)
		}
	}
	rows, n := g.N*g.Out[0]*g.Out[1], g.Out[2]
	row := func(n int, d, h int) []float32 { return x[((n*g.In[0]+d)*g.In[1]+h)*g.In[2]:][:g.In[2]] }
	ParallelRange(rows, 1+pointwiseChunk/n/4, 4*float64(len(y)), func(low, high int) {
		for i := low; i < high; i++ {
			out := y[i*n:][:n]
			d, h := places[0][i/g.Out[1]%g.Out[0]], places[1][i%g.Out[1]]
			plane := i / (g.Out[0] * g.Out[1])
			if g.Mode != spec.Linear {
				from := row(plane, d.at, h.at)
				for o, w := range places[2] {
					out[o] = from[w.at]
				}
				continue
			}
			upsampleRow(out, row(plane, d.at, h.at), places[2], d.near*h.near, false)
			if h.beyond > 0 {
				upsampleRow(out, row(plane, d.at, h.next), places[2], d.near*h.beyond, true)
			}
			if d.beyond > 0 {
				upsampleRow(out, row(plane, d.next, h.at), places[2], d.beyond*h.near, true)
			}
			if d.beyond > 0 && h.beyond > 0 {
				upsampleRow(out, row(plane, d.next, h.next), places[2], d.beyond*h.beyond, true)
			}
		}
	})
}

// upsampleRow sets or adds a row of x, interpolated and weighted.
func upsampleRow(y, x []float32, places []upsamplePlace, weight float32, add bool) {
	for o, w := range places {
		v := weight * w.near * x[w.at]
		if w.beyond > 0 {
			v += weight * w.beyond * x[w.next]
		}
		if add {
			v += y[o]
		}
		y[o] = v
	}
}
