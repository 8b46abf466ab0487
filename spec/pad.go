package spec

// PadParams are the parameters of Pad. Begin and End have one number for each
// axis, or fewer for the last axes only, as in PyTorch; a negative number crops.
// The zero value pads nothing.
type PadParams struct {
	Begin, End []int
	Mode       PadMode // PadZeros fills with Value; the other modes take from the input
	Value      float32 // any, NaN too
}

// Pad is a resolved padding. Position o of an axis of y is position o-Begin of
// x, or, where that is outside of x, what the mode puts there. Adjacent axes
// without padding are one.
type Pad struct {
	Mode  PadMode
	Value float32
	Axes  int              // in use
	Axis  [MaxRank]PadAxis // innermost first; unused ones have sizes 1 and no padding
	Shape Dims             // the caller's shape of y
}

// PadAxis is one axis of a padding: its size in x and in y, and what was added
// at its beginning (negative where it was cropped).
type PadAxis struct{ In, Out, Begin int }

// NewPad checks and resolves a padding of x. It returns ErrShape, ErrParam or
// ErrTooLarge, naming the value.
func NewPad(x []int, p PadParams) (Pad, error) {
	g := Pad{Mode: p.Mode, Value: p.Value}
	if _, err := Elements(x); err != nil {
		return g, err
	}
	if p.Mode > PadCircular {
		return g, paramErr("padding mode %v is unknown", p.Mode)
	}
	if p.Mode != PadZeros && p.Value != 0 {
		return g, paramErr("value %v is given together with the mode %v, which takes from the input", p.Value, p.Mode)
	}
	for _, v := range []struct {
		name string
		v    []int
	}{{"begin", p.Begin}, {"end", p.End}} {
		if len(v.v) > len(x) {
			return g, paramErr("%s %v has %d numbers, the input %v has %d axes", v.name, v.v, len(v.v), x, len(x))
		}
	}
	if len(p.Begin) != len(p.End) && len(p.Begin) > 0 && len(p.End) > 0 {
		return g, paramErr("begin %v and end %v have different numbers of axes", p.Begin, p.End)
	}
	for i := range g.Axis {
		g.Axis[i] = PadAxis{In: 1, Out: 1}
	}
	out := append([]int{}, x...)
	for i := len(x) - 1; i >= 0; i-- {
		begin, end := lastAxes(p.Begin, i, len(x)), lastAxes(p.End, i, len(x))
		if err := checkPad(p.Mode, i, x[i], begin, end); err != nil {
			return g, err
		}
		out[i] += begin + end
		axis := PadAxis{x[i], out[i], begin}
		if axis == (PadAxis{1, 1, 0}) {
			continue
		}
		if n := g.Axes; n > 0 && begin == 0 && end == 0 && g.Axis[n-1].plain() {
			g.Axis[n-1].In *= x[i]
			g.Axis[n-1].Out *= x[i]
			continue
		}
		g.Axis[g.Axes] = axis
		g.Axes++
	}
	g.Shape = MakeDims(out)
	_, err := Elements(out)
	return g, err
}

// lastAxes returns the number for axis i of n, where v has those of the last.
func lastAxes(v []int, i, n int) int {
	if j := i - (n - len(v)); j >= 0 {
		return v[j]
	}
	return 0
}

// checkPad refuses paddings that cannot be filled, or that crop everything.
func checkPad(mode PadMode, axis, size, begin, end int) error {
	for _, p := range []int{begin, end} {
		switch {
		case p > MaxElements:
			return sizeErr("padding %d of axis %d is more than %d", p, axis, MaxElements)
		case mode == PadReflect && p >= size:
			return paramErr("padding %d reflects past the input: axis %d has size %d, so at most %d", p, axis, size, size-1)
		case mode == PadCircular && p > size:
			return paramErr("padding %d wraps around more than once: axis %d has size %d", p, axis, size)
		case p < -size:
			return paramErr("padding %d crops more than axis %d has, which is %d", p, axis, size)
		}
	}
	if size+begin+end < 1 {
		return shapeErr("padding %d and %d leave nothing of axis %d, which has size %d", begin, end, axis, size)
	}
	return nil
}

func (a PadAxis) plain() bool { return a.In == a.Out && a.Begin == 0 }

// OutShape returns the shape of y.
func (g *Pad) OutShape() []int { return g.Shape.Slice() }
