package spec

// UpsampleGrad is one pass of the gradient of a resampling, along one axis: a
// resampling takes, along each axis, a weighted sum of elements, and its gradient
// sums over the outputs that took each,
//
//	dx[outer, i, inner] = sum over e from Start[i] to Start[i+1] of Weight[e] * dy[outer, From[e], inner]
type UpsampleGrad struct {
	Outer, Inner int // elements outside of and within the axis
	In, Out      int
	Start        []int32 // In+1 of them
	From         []int32
	Weight       []float32
}

// Passes returns the gradient's passes, from the first axis to the last, and the
// shape after each: the pass along memory, which is the slowest, then finds the
// fewest elements where axes were enlarged. Axes that do not change are left out.
func (g *Upsample) Passes() (passes []UpsampleGrad, shapes [][]int) {
	now := g.Shape.Slice()
	for axis := 3 - g.Rank; axis < 3; axis++ {
		at := axis - (3 - g.Rank) + 2
		if g.In[axis] == g.Out[axis] && g.Mul[axis] == g.Den[axis] && g.Add[axis] == 0 {
			continue
		}
		p := UpsampleGrad{Outer: Count(now[:at]), Inner: Count(now[at+1:]), In: g.In[axis], Out: g.Out[axis]}
		p.fill(g, axis)
		now[at] = g.In[axis]
		passes, shapes = append(passes, p), append(shapes, append([]int{}, now...))
	}
	return passes, shapes
}

// fill makes the table of an axis.
func (p *UpsampleGrad) fill(g *Upsample, axis int) {
	takers := make([][]int32, p.In)
	weights := make([][]float32, p.In)
	take := func(i, o int, w float64) {
		if w > 0 {
			takers[i], weights[i] = append(takers[i], int32(o)), append(weights[i], float32(w))
		}
	}
	for o := range p.Out {
		i, beyond := g.Position(axis, o)
		if g.Mode != Linear {
			take(i, o, 1)
			continue
		}
		take(i, o, 1-beyond)
		if beyond > 0 {
			take(i+1, o, beyond)
		}
	}
	for i := range takers {
		p.Start = append(p.Start, int32(len(p.From)))
		p.From, p.Weight = append(p.From, takers[i]...), append(p.Weight, weights[i]...)
	}
	p.Start = append(p.Start, int32(len(p.From)))
	if len(p.From) == 0 { // no output takes anything: keep the tables non-empty
		p.From, p.Weight = []int32{0}, []float32{0}
	}
}

// UpsampleGradBudget is the error of the gradient of a resampling: sums of a few
// products in each of three axes, with weights of one rounding.
func UpsampleGradBudget(g Upsample) Budget {
	n := 8
	for i := range g.In {
		n += 2*g.Out[i]/g.In[i] + 2
	}
	return SumBudget(n)
}
