package spec

// PadGrad is the gradient of a padding along one axis, which has In elements
// and Out with its padding, Begin of them in front:
//
//	dx[outer, i, inner] = sum over the positions o that show element i of dy[outer, o, inner]
type PadGrad struct {
	Mode           PadMode
	Outer, Inner   int // elements outside of and within the axis
	In, Out, Begin int
}

// NewPadGrads resolves the gradient of a padding of x that takes from x (not
// PadZeros), for a gradient of shape dy: one pass for each padded axis, from the
// last to the first, and the shape after each.
func NewPadGrads(x, dy []int, p PadParams) (passes []PadGrad, shapes [][]int, err error) {
	g, err := NewPad(x, p)
	if err != nil {
		return nil, nil, err
	}
	if !EqualShapes(dy, g.OutShape()) {
		return nil, nil, shapeErr("the gradient is %v, but the padded input is %v", dy, g.OutShape())
	}
	now := append([]int{}, dy...)
	for i := len(x) - 1; i >= 0; i-- {
		if now[i] == x[i] && lastAxes(p.Begin, i, len(x)) == 0 {
			continue
		}
		passes = append(passes, PadGrad{
			Mode: p.Mode, Outer: Count(now[:i]), Inner: Count(now[i+1:]),
			In: x[i], Out: now[i], Begin: lastAxes(p.Begin, i, len(x)),
		})
		now[i] = x[i]
		shapes = append(shapes, append([]int{}, now...))
	}
	return passes, shapes, nil
}

// PadGradBudget is the error of a sum over the few positions that show one
// element, three times over for three axes.
func PadGradBudget() Budget { return Budget{ULP: 3, Scaled: 16} }
