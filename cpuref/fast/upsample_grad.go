package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// UpsampleGrad computes the gradient of a resampling; see spec.UpsampleGrad for
// the sums, which are taken over all axes here: the rows of dy whose outputs took
// of a row of the input become one by vector operations, along which each element
// sums what took of it.
func UpsampleGrad(dx, dy []float32, g spec.Upsample) {
	depth, height := takersOf(&g, 0), takersOf(&g, 1)
	along := newTakenRow(&g)
	if same, _ := takenForm(depth); same && along.form == upsampleDouble {
		if _, double := takenForm(height); double { // rows follow each other through all planes
			in := g.In[2]
			ParallelRange(len(dx)/in, 1+pointwiseChunk/(4*in), 0.2*float64(len(dy)), func(low, high int) {
				simd.PoolSum2x2(dx[low*in:high*in], dy[4*low*in:4*high*in], in, 2*in, 1)
			})
			return
		}
	}
	rows := g.N * g.In[0] * g.In[1]
	perElement := 0.8
	if simd.Active() == simd.Portable {
		perElement = 4
	}
	ParallelRange(rows, 1+pointwiseChunk/g.In[2]/4, perElement*float64(len(dx)+len(dy)), func(low, high int) {
		t := getScratch(g.Out[2] + along.scratch())
		defer putScratch(t)
		sum, spare := t[:g.Out[2]], t[g.Out[2]:]
		for r := low; r < high; r++ {
			plane := dy[r/(g.In[0]*g.In[1])*g.OutSize():][:g.OutSize()]
			var from []float32
			for _, d := range depth[r/g.In[1]%g.In[0]] {
				for _, h := range height[r%g.In[1]] {
					row, w := plane[(d.from*g.Out[1]+h.from)*g.Out[2]:][:g.Out[2]], d.weight*h.weight
					switch {
					case from != nil && w == 1:
						simd.BinAdd.Apply(sum, row, from, 0, 0, 0, false)
						from = sum
					case from != nil:
						simd.BinAxpy.Apply(sum, row, from, w, 0, 0, false)
						from = sum
					case w == 1:
						from = row
					default:
						scale(sum, row, w)
						from = sum
					}
				}
			}
			to := dx[r*g.In[2] : high*g.In[2]]
			if from == nil {
				clear(to[:g.In[2]])
				continue
			}
			along.apply(to, from, spare)
		}
	})
}

// taker is an output along an axis that took of an element, and how much.
type taker struct {
	from   int
	weight float32
}

// takersOf returns the takers of each element along an axis, ascending.
func takersOf(g *spec.Upsample, axis int) [][]taker {
	takers := make([][]taker, g.In[axis])
	for o := range g.Out[axis] {
		i, beyond := g.Position(axis, o)
		if g.Mode != spec.Linear {
			beyond = 0
		}
		takers[i] = append(takers[i], taker{o, float32(1 - beyond)})
		if beyond > 0 {
			takers[i+1] = append(takers[i+1], taker{o, float32(beyond)})
		}
	}
	return takers
}

// takenRow sums along a row.
type takenRow struct {
	takers [][]taker
	table  *simd.Gathering // nil where a few elements have most of the takers
	form   upsampleForm
}

// takenForm reports whether each element along an axis is taken once, in its place,
// or twice, side by side.
func takenForm(takers [][]taker) (same, double bool) {
	same, double = true, true
	for i, of := range takers {
		same = same && len(of) == 1 && of[0] == taker{i, 1}
		double = double && len(of) == 2 && of[0] == taker{2 * i, 1} && of[1] == taker{2*i + 1, 1}
	}
	return same, double
}

func newTakenRow(g *spec.Upsample) *takenRow {
	r := &takenRow{takers: takersOf(g, 2), form: upsamplePick}
	most, all := 0, 0
	for _, of := range r.takers {
		most, all = max(most, len(of)), all+len(of)
	}
	same, double := takenForm(r.takers)
	switch {
	case same:
		r.form = upsampleSame
	case double:
		r.form = upsampleDouble
	case most*len(r.takers) <= 4*all+4096:
		r.form, r.table = upsampleTable, simd.NewGathering(len(r.takers), most)
		for i, of := range r.takers {
			for t, from := range of {
				r.table.Set(i, t, from.from, from.weight)
			}
		}
	}
	return r
}

// scratch returns how many floats apply needs: whole vectors of the row.
func (r *takenRow) scratch() int {
	if r.form != upsampleDouble {
		return 0
	}
	return 3*r.whole() + 1
}

// whole is the length of the row in whole vectors.
func (r *takenRow) whole() int {
	return (len(r.takers) + vectorLanes - 1) / vectorLanes * vectorLanes
}

// apply computes the row at the beginning of dx, behind which other rows may
// follow that are yet to come.
func (r *takenRow) apply(dx, dy, spare []float32) {
	n := len(r.takers)
	switch r.form {
	case upsampleSame:
		copy(dx, dy)
	case upsampleDouble: // writes whole vectors, and reads them and one float more
		whole := r.whole()
		to := dx
		if len(dx) < whole {
			to = spare[:whole]
		}
		if cap(dy) <= 2*whole {
			copy(spare[whole:], dy)
			dy = spare[whole:]
		}
		simd.WindowSum(&to[0], &dy[0], n, 2, 1, 2)
		if len(dx) < whole {
			copy(dx, to[:n])
		}
	case upsampleTable:
		r.table.Apply(dx, dy)
	default:
		for i, of := range r.takers {
			sum := float32(0)
			for _, from := range of {
				sum += from.weight * dy[from.from]
			}
			dx[i] = sum
		}
	}
}
