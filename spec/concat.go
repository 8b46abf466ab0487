package spec

// Concat is a resolved concatenation. Input i is [Outer, Part[i]] and the output
// is [Outer, Row], Row being the sum of the parts: what follows the axis belongs
// to its elements.
type Concat struct {
	Outer, Row int
	Part       []int
	Out        Dims
}

// NewConcat checks and resolves the concatenation of tensors along an axis,
// negative from the back, as PyTorch's cat. All other axes must agree. It
// returns ErrShape, ErrParam or ErrTooLarge, naming the value.
func NewConcat(axis int, shapes ...[]int) (Concat, error) {
	var g Concat
	if len(shapes) == 0 {
		return g, shapeErr("nothing to concatenate")
	}
	first := shapes[0]
	if err := checkShapes(shapes...); err != nil {
		return g, err
	}
	if len(first) == 0 {
		return g, shapeErr("input 0 is a scalar, which has no axis to concatenate along")
	}
	at, err := Axis(axis, len(first))
	if err != nil {
		return g, err
	}
	out := append([]int{}, first...)
	inner := Count(first[at+1:])
	g.Outer = Count(first[:at])
	out[at] = 0
	for i, s := range shapes {
		if len(s) != len(first) {
			return g, shapeErr("input %d is %v and input 0 is %v: the numbers of axes differ", i, s, first)
		}
		for j := range s {
			if j != at && s[j] != first[j] {
				return g, shapeErr("input %d is %v and input 0 is %v: only axis %d may differ", i, s, first, at)
			}
		}
		out[at] += s[at]
		if out[at] > MaxElements {
			return g, sizeErr("the inputs have more than %d elements along axis %d together", MaxElements, at)
		}
		g.Part = append(g.Part, s[at]*inner)
	}
	if _, err := Elements(out); err != nil {
		return g, err
	}
	g.Row = out[at] * inner
	g.Out = MakeDims(out)
	return g, nil
}

// OutShape returns the shape of y.
func (g *Concat) OutShape() []int { return g.Out.Slice() }
