package spec

// NewTranspose checks and resolves a permutation of axes: axis i of the result
// is axis perm[i] of x (negative from the back), as in NumPy's transpose and
// PyTorch's permute. An empty perm reverses the axes. It returns ErrShape or
// ErrParam, naming the value.
func NewTranspose(x, perm []int) (Gather, error) {
	n, err := Elements(x)
	if err != nil {
		return Gather{}, err
	}
	if len(perm) == 0 {
		for i := range x {
			perm = append(perm, len(x)-1-i)
		}
	}
	if len(perm) != len(x) {
		return Gather{}, paramErr("permutation %v has %d axes, the input %v has %d", perm, len(perm), x, len(x))
	}
	var seen [MaxRank]bool
	from := Strides(x)
	out, steps := make([]int, len(x)), make([]int, len(x))
	for i, p := range perm {
		axis, err := Axis(p, len(x))
		if err != nil {
			return Gather{}, paramErr("permutation %v: axis %d is outside of the input %v", perm, p, x)
		}
		if seen[axis] {
			return Gather{}, paramErr("permutation %v names axis %d twice", perm, axis)
		}
		seen[axis] = true
		out[i], steps[i] = x[axis], from[axis]
	}
	return newGather(n, out, steps, 0), nil
}
