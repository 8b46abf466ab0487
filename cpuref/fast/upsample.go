package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

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
	perElement := 1.5
	if simd.Active() == simd.Portable {
		perElement = 4
	}
	ParallelRange(rows, 1+pointwiseChunk/n/4, perElement*float64(len(y)), func(low, high int) {
		t := getScratch(g.In[2])
		defer putScratch(t)
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
			// The rows first, which are vectors, and then along the row.
			from := row(plane, d.at, h.at)
			if h.beyond > 0 || d.beyond > 0 {
				scale(t, from, d.near*h.near)
				if h.beyond > 0 {
					simd.BinAxpy.Apply(t, row(plane, d.at, h.next), t, d.near*h.beyond, 0, 0, false)
				}
				if d.beyond > 0 {
					simd.BinAxpy.Apply(t, row(plane, d.next, h.at), t, d.beyond*h.near, 0, 0, false)
				}
				if d.beyond > 0 && h.beyond > 0 {
					simd.BinAxpy.Apply(t, row(plane, d.next, h.next), t, d.beyond*h.beyond, 0, 0, false)
				}
				from = t
			}
			upsampleRow(out, from, places[2])
		}
	})
}

// upsampleRow interpolates along a row. What has no weight is not read: it may be
// infinite.
func upsampleRow(y, x []float32, places []upsamplePlace) {
	places = places[:len(y)]
	for o := range places {
		w := &places[o]
		v := x[w.at]
		if w.beyond > 0 {
			v = w.near*v + w.beyond*x[w.next]
		}
		y[o] = v
	}
}
