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
	along := newUpsampleRow(&g, places[2])
	perElement := 0.8
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
			from := row(plane, d.at, h.at)
			if g.Mode != spec.Linear {
				if i > low && i%g.Out[1] > 0 && places[1][i%g.Out[1]-1].at == h.at {
					copy(out, y[(i-1)*n:])
				} else {
					along.apply(out, from)
				}
				continue
			}
			// The rows first, which are vectors, and then along the row.
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
			along.apply(out, from)
		}
	})
}

// upsampleRow resamples along a row.
type upsampleRow struct {
	table *simd.Gathering // linear
	at    []upsamplePlace // nearest
	form  upsampleForm
}

type upsampleForm uint8

const (
	upsampleTable  upsampleForm = iota // weighted sums of two
	upsamplePick                       // elements
	upsampleDouble                     // each element twice
	upsampleSame                       // the row itself
)

func newUpsampleRow(g *spec.Upsample, places []upsamplePlace) *upsampleRow {
	r := &upsampleRow{at: places, form: upsamplePick}
	same, double := len(places) == g.In[2], len(places) == 2*g.In[2]
	for o, p := range places {
		same = same && p.at == o && p.beyond == 0
		double = double && p.at == o/2 && p.beyond == 0
	}
	switch {
	case same:
		r.form = upsampleSame
	case double:
		r.form = upsampleDouble
	case g.Mode == spec.Linear:
		r.form, r.table = upsampleTable, simd.NewGathering(len(places), 2)
		for o, p := range places {
			r.table.Set(o, 0, p.at, p.near)
			if p.beyond > 0 {
				r.table.Set(o, 1, p.next, p.beyond)
			}
		}
	}
	return r
}

// apply computes the row y of the row x. What has no weight is not read: it may
// be infinite.
func (r *upsampleRow) apply(y, x []float32) {
	switch r.form {
	case upsampleSame:
		copy(y, x)
	case upsampleDouble:
		simd.RepeatPairs(y, x, 1)
	case upsampleTable:
		r.table.Apply(y, x)
	default:
		for o := range r.at {
			y[o] = x[r.at[o].at]
		}
	}
}
