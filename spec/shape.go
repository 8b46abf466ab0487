package spec

import "math"

// MaxElements is the largest number of elements of one tensor. Shaders index
// with 32-bit integers, and keep the sign bit free for intermediate sums.
const MaxElements = math.MaxInt32

// MaxRank is the largest rank of a tensor.
const MaxRank = 8

// Elements returns the number of elements of a tensor of this shape (1 for the
// empty shape, a scalar). It returns ErrShape for a zero or negative axis or a
// rank above MaxRank, and ErrTooLarge where the product exceeds MaxElements.
func Elements(shape []int) (int, error) {
	if len(shape) > MaxRank {
		return 0, shapeErr("shape %v has %d axes; at most %d are supported", shape, len(shape), MaxRank)
	}
	n := int64(1)
	for i, s := range shape {
		if s <= 0 {
			return 0, shapeErr("shape %v: axis %d has size %d; every axis needs at least 1", shape, i, s)
		}
		if int64(s) > MaxElements || n*int64(s) > MaxElements {
			return 0, sizeErr("shape %v has more than %d elements", shape, MaxElements)
		}
		n *= int64(s)
	}
	return int(n), nil
}

// Count returns the number of elements of a shape that was checked before.
func Count(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}

// Axis resolves an axis number that may be negative (-1 is the last axis) for a
// tensor of this rank. It returns ErrParam where there is no such axis.
func Axis(axis, rank int) (int, error) {
	a := axis
	if a < 0 {
		a += rank
	}
	if a < 0 || a >= rank {
		return 0, paramErr("axis %d is outside of a tensor with %d axes", axis, rank)
	}
	return a, nil
}

// EqualShapes reports whether two shapes are the same.
func EqualShapes(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// Broadcast returns the shape that both shapes broadcast to by NumPy's rules:
// aligned at the last axis, an axis of size 1 repeats. It returns ErrShape
// where two sizes differ and neither is 1.
func Broadcast(a, b []int) ([]int, error) {
	n := max(len(a), len(b))
	out := make([]int, n)
	for i := 1; i <= n; i++ {
		x, y := 1, 1
		if i <= len(a) {
			x = a[len(a)-i]
		}
		if i <= len(b) {
			y = b[len(b)-i]
		}
		switch {
		case x == y || y == 1:
			out[n-i] = x
		case x == 1:
			out[n-i] = y
		default:
			return nil, shapeErr("shapes %v and %v do not broadcast: %d and %d at axis %d from the end", a, b, x, y, i)
		}
	}
	if _, err := Elements(out); err != nil {
		return nil, err
	}
	return out, nil
}

// Reshape resolves a new shape, in which one axis may be -1, for a tensor of
// the old one. It returns ErrShape where the numbers of elements differ.
func Reshape(old, shape []int) ([]int, error) {
	out := append([]int{}, shape...)
	infer, known := -1, 1
	for i, s := range shape {
		switch {
		case s == -1 && infer < 0:
			infer = i
		case s == -1:
			return nil, shapeErr("shape %v has more than one -1", shape)
		case s <= 0:
			return nil, shapeErr("shape %v: axis %d has size %d; every axis needs at least 1", shape, i, s)
		case known > MaxElements/s:
			return nil, sizeErr("shape %v has more than %d elements", shape, MaxElements)
		default:
			known *= s
		}
	}
	n := Count(old)
	if infer >= 0 {
		if n%known != 0 {
			return nil, shapeErr("shape %v cannot hold the %d elements of %v: %d does not divide them", shape, n, old, known)
		}
		out[infer] = n / known
	}
	if c, err := Elements(out); err != nil {
		return nil, err
	} else if c != n {
		return nil, shapeErr("shape %v has %d elements, but %v has %d", out, c, old, n)
	}
	return out, nil
}

// Flatten returns the shape in which the axes start to end, inclusive, are one.
func Flatten(shape []int, start, end int) ([]int, error) {
	if len(shape) == 0 {
		return []int{1}, nil
	}
	a, err := Axis(start, len(shape))
	if err != nil {
		return nil, err
	}
	b, err := Axis(end, len(shape))
	if err != nil {
		return nil, err
	}
	if a > b {
		return nil, paramErr("flatten from axis %d to axis %d: the first comes after the last", start, end)
	}
	out := append([]int{}, shape[:a]...)
	out = append(out, Count(shape[a:b+1]))
	return append(out, shape[b+1:]...), nil
}

// Dims is a list of at most MaxRank numbers, one per axis. Unlike a slice it can
// be compared and copied with the geometry that holds it.
type Dims struct {
	Rank int
	V    [MaxRank]int
}

// MakeDims returns the list of these numbers, which are at most MaxRank.
func MakeDims(v []int) Dims {
	d := Dims{Rank: len(v)}
	copy(d.V[:], v)
	return d
}

// Slice returns the numbers.
func (d *Dims) Slice() []int { return append(make([]int, 0, d.Rank), d.V[:d.Rank]...) }

// Strides returns the row-major strides, in elements, of a dense tensor.
func Strides(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= shape[i]
	}
	return s
}

// PairAxis is one axis of a loop over two operands of which either may repeat
// along it. A and B are the steps, in elements, of the operands; 0 where one
// repeats.
type PairAxis struct{ Size, A, B int }

// pairAxes returns the axes of a loop over out, innermost first, to which the
// dense operands a and b broadcast; an element of a takes stepA, of b stepB
// numbers. Axes of size 1 are left out, and axes over which both operands step
// on evenly are one.
func pairAxes(out, a, b []int, stepA, stepB int) []PairAxis {
	var axes []PairAxis
	for i := 1; i <= len(out); i++ {
		axis := PairAxis{Size: out[len(out)-i]}
		if i <= len(a) && a[len(a)-i] != 1 {
			axis.A = stepA
			stepA *= axis.Size
		}
		if i <= len(b) && b[len(b)-i] != 1 {
			axis.B = stepB
			stepB *= axis.Size
		}
		if axis.Size == 1 {
			continue
		}
		if n := len(axes); n > 0 {
			inner := &axes[n-1]
			if axis.A == inner.A*inner.Size && axis.B == inner.B*inner.Size {
				inner.Size *= axis.Size
				continue
			}
		}
		axes = append(axes, axis)
	}
	return axes
}
