package spec

// StepAxis is one axis of a loop over an output, and the step, in elements of
// the input, from one position to the next. Steps may be negative or 0.
type StepAxis struct{ Size, Step int }

// Gather is a resolved copy of elements in another order: the common form of
// Transpose and Slice. The element of y at positions p is that of x at
// Base + sum of p[j]*Axis[j].Step.
type Gather struct {
	Base int
	Axes int               // in use; axes that step alike are one
	Axis [MaxRank]StepAxis // innermost first; unused ones have size 1 and step 0
	In   int               // elements of x
	Out  Dims              // the caller's shape of y
}

// newGather resolves a loop over out with these steps of x.
func newGather(in int, out, steps []int, base int) Gather {
	g := Gather{Base: base, In: in, Out: MakeDims(out)}
	for i := range g.Axis {
		g.Axis[i] = StepAxis{Size: 1}
	}
	for i := len(out) - 1; i >= 0; i-- {
		addAxis(&g.Axis, &g.Axes, out[i], steps[i])
	}
	return g
}

// addAxis adds an axis outside of those there are, or widens the outermost where
// that steps on evenly. An axis of size 1 is left out.
func addAxis(axes *[MaxRank]StepAxis, n *int, size, step int) {
	if size == 1 {
		return
	}
	if *n > 0 {
		inner := &axes[*n-1]
		if step == inner.Step*inner.Size {
			inner.Size *= size
			return
		}
	}
	axes[*n] = StepAxis{size, step}
	*n++
}

// OutShape returns the shape of y.
func (g *Gather) OutShape() []int { return g.Out.Slice() }

// IsView reports whether y has the elements of x in the order of x.
func (g *Gather) IsView() bool {
	return g.Base == 0 && Count(g.OutShape()) == g.In && (g.Axes == 0 || g.Axes == 1 && g.Axis[0].Step == 1)
}

// Offset returns which element of x is the i-th of y.
func (g *Gather) Offset(i int) int {
	at := g.Base
	for _, axis := range g.Axis[:g.Axes] {
		at += i % axis.Size * axis.Step
		i /= axis.Size
	}
	return at
}
