package spec

// NewSlice checks and resolves x[begin:end:step] along each axis, with NumPy's
// meaning: negative positions count from the end, positions past an end stop
// there, and a negative step walks backwards. Where begin, end or step is nil
// the axis starts at its first element, ends after its last (with a negative
// step: starts at the last, ends before the first), or takes every one; where
// they have fewer numbers than x has axes, they are of the first axes. It
// returns ErrShape for a slice without elements and ErrParam for a step of 0,
// naming the value.
func NewSlice(x, begin, end, step []int) (Gather, error) {
	n, err := Elements(x)
	if err != nil {
		return Gather{}, err
	}
	axes, err := SliceAxes(x, begin, end, step)
	if err != nil {
		return Gather{}, err
	}
	from := Strides(x)
	out, steps := make([]int, len(x)), make([]int, len(x))
	base := 0
	for i, a := range axes {
		out[i], steps[i] = a.Count, a.Step*from[i]
		base += a.First * from[i]
	}
	return newGather(n, out, steps, base), nil
}

// SliceAxis is what a slice takes of one axis: Count positions from First on,
// Step apart.
type SliceAxis struct{ First, Step, Count int }

// SliceAxes resolves a slice of x axis by axis; see NewSlice.
func SliceAxes(x, begin, end, step []int) ([]SliceAxis, error) {
	for _, v := range []struct {
		name string
		v    []int
	}{{"begin", begin}, {"end", end}, {"step", step}} {
		if len(v.v) > len(x) {
			return nil, paramErr("%s %v has %d numbers, the input %v has %d axes", v.name, v.v, len(v.v), x, len(x))
		}
	}
	axes := make([]SliceAxis, len(x))
	for i, size := range x {
		s := 1
		if i < len(step) {
			s = step[i]
		}
		if s == 0 || s > MaxElements || s < -MaxElements {
			return nil, paramErr("step %v: axis %d has step %d", step, i, s)
		}
		low, high := 0, size // what begin and end are clamped to
		first, last := 0, size
		if s < 0 {
			low, high = -1, size-1
			first, last = size-1, -1
		}
		if i < len(begin) {
			first = clampPosition(begin[i], size, low, high)
		}
		if i < len(end) {
			last = clampPosition(end[i], size, low, high)
		}
		count := 0
		if s > 0 {
			count = (last - first + s - 1) / s
		} else {
			count = (first - last - s - 1) / -s
		}
		if count <= 0 {
			return nil, shapeErr("begin %v, end %v, step %v take nothing from axis %d of %v", begin, end, step, i, x)
		}
		axes[i] = SliceAxis{First: first, Step: s, Count: count}
	}
	return axes, nil
}

// clampPosition resolves a position of an axis, negative from the end.
func clampPosition(p, size, low, high int) int {
	if p < 0 {
		p = max(p, -MaxElements-1) + size
	}
	return min(max(p, low), high)
}
