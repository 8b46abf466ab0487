package spec

// PoolGrad is the gradient of a pooling with respect to its input. The geometry
// is the pooling's; the gradient of each output goes to the elements of its
// window:
//
//	max:  to the one that the index names
//	avg:  to each, over the count
//	lp:   to each, times c * (x/y)^(p-1) with the factor c that the sum of powers had
type PoolGrad struct{ Pool }

// NewPoolGrad checks the gradient dy of a pooling g.
func NewPoolGrad(g Pool, dy []int) (PoolGrad, error) {
	if !EqualShapes(dy, g.OutShape()) {
		return PoolGrad{g}, shapeErr("the gradient is %v, but the pooling's output is %v", dy, g.OutShape())
	}
	return PoolGrad{g}, nil
}

// InShape returns the shape of the pooling's input.
func (g *Pool) InShape() []int { return g.Shape([]int{g.N, g.C}, g.In) }

// Over returns the outputs along an axis whose windows, taps between them
// included, reach over input position i: first to last, none where last < first.
func (g *Pool) Over(axis, i int) (first, last int) {
	in, out := g.In[axis], g.Out[axis]
	if g.Adaptive {
		return i * out / in, ((i+1)*out+in-1)/in - 1
	}
	s, at := g.Stride[axis], i+g.PadBegin[axis]
	if low := at - (g.Kernel[axis]-1)*g.Dilation[axis]; low > 0 {
		first = (low + s - 1) / s
	}
	return first, min(out-1, at/s)
}

// Meets reports whether a tap of window o along an axis lies on input position i.
func (g *Pool) Meets(axis, o, i int) bool {
	if g.Adaptive {
		first, n := g.Inside(axis, o)
		return i >= first && i < first+n
	}
	off := i + g.PadBegin[axis] - o*g.Stride[axis]
	return off >= 0 && off%g.Dilation[axis] == 0 && off/g.Dilation[axis] < g.Kernel[axis]
}

// Windows returns the largest number of windows that meet one element.
func (g *Pool) Windows() int {
	n := 1
	for i := range g.In {
		if g.Adaptive {
			n *= (g.Out[i]+g.In[i]-1)/g.In[i] + 1
			continue
		}
		n *= (g.Extent(i)-1)/g.Stride[i] + 1
	}
	return n
}

// Budget returns the error of the gradient. The magnitude is the sum of the
// absolute values of the parts.
func (g *PoolGrad) Budget() Budget {
	b := SumBudget(g.Windows() + 2)
	if g.Kind == PoolLp { // powers of quotients
		b.Scaled += 64 + 8*float64(g.Norm)
	}
	return b
}
