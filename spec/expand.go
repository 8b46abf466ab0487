package spec

// NewExpand resolves the repetition of x to a shape that it broadcasts to by
// NumPy's rules. It returns ErrShape where it does not.
func NewExpand(x, shape []int) (Gather, error) {
	if err := checkShapes(x, shape); err != nil {
		return Gather{}, err
	}
	to, err := Broadcast(x, shape)
	if err != nil {
		return Gather{}, err
	}
	if !EqualShapes(to, shape) {
		return Gather{}, shapeErr("%v does not broadcast to %v", x, shape)
	}
	steps, step := make([]int, len(shape)), 1
	for i := len(x) - 1; i >= 0; i-- {
		if x[i] > 1 {
			steps[i+len(shape)-len(x)] = step
		}
		step *= x[i]
	}
	return newGather(Count(x), shape, steps, 0), nil
}

// SumToAxes returns the axes of x to sum over so that it gets a shape that
// broadcasts to it, up to the leading axes, which then have size 1.
func SumToAxes(x, shape []int) ([]int, error) {
	to, err := Broadcast(x, shape)
	if err != nil {
		return nil, err
	}
	if !EqualShapes(to, x) {
		return nil, shapeErr("%v does not broadcast to %v", shape, x)
	}
	var axes []int
	lead := len(x) - len(shape)
	for i := range x {
		if i < lead || shape[i-lead] == 1 && x[i] > 1 {
			axes = append(axes, i)
		}
	}
	return axes, nil
}
