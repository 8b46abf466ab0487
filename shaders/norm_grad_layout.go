package shaders

import "github.com/kansu-dev/kansu/spec"

// gradDim is a merged axis: its size and its strides in what is read, in the
// groups, and in scale.
type gradDim struct{ size, at, group, affine int }

// gradLayout says over which elements, or cells, there are sums.
type gradLayout struct {
	reduced, kept []gradDim // summed over; numbering the outputs. Outermost first
}

func (l *gradLayout) outputs() int { return countOf(l.kept) }
func (l *gradLayout) terms() int   { return countOf(l.reduced) }

func countOf(dims []gradDim) int {
	n := 1
	for _, d := range dims {
		n *= d.size
	}
	return n
}

// params returns the uniform's dims, and how many are summed over and are there.
func (l *gradLayout) params() Params {
	v := make([]int, 32)
	for i, d := range append(append([]gradDim{}, l.reduced...), l.kept...) {
		copy(v[4*i:], []int{d.size, d.at, d.group, d.affine})
	}
	return Params{}.U32(v...).U32(len(l.reduced), len(l.reduced)+len(l.kept))
}

// normGradSide is what sums are wanted of.
type normGradSide int

const (
	sideGroups normGradSide = iota
	sideAffine
	sideCells
)

// has reports whether an axis numbers the outputs of a side.
func (s normGradSide) has(d gradDim) bool {
	switch s {
	case sideGroups:
		return d.group != 0
	case sideAffine:
		return d.affine != 0
	}
	return d.group != 0 || d.affine != 0
}

// gradDims returns the axes of a normalization; scale plays no part where there
// is none.
func gradDims(g *spec.NormGrad) []gradDim {
	dims := make([]gradDim, len(g.Dims))
	for i, d := range g.Dims {
		dims[i] = gradDim{size: d.Size, group: d.Group}
		if g.Scale {
			dims[i].affine = d.Affine
		}
	}
	return number(dims)
}

// number gives axes the strides that they have in a dense array of their own.
func number(dims []gradDim) []gradDim {
	at := 1
	for i := len(dims) - 1; i >= 0; i-- {
		dims[i].at = at
		at *= dims[i].size
	}
	return dims
}

// apart splits axes into the sums and the outputs of a side.
func apart(dims []gradDim, side normGradSide) gradLayout {
	var l gradLayout
	for _, d := range dims {
		if side.has(d) {
			l.kept = append(l.kept, d)
		} else {
			l.reduced = append(l.reduced, d)
		}
	}
	return l
}

// outputsOf is the layout of sums that are there for each output of a side.
func outputsOf(dims []gradDim, side normGradSide) gradLayout {
	l := apart(dims, side)
	l.reduced = nil
	for i := range l.kept {
		if l.kept[i].at = l.kept[i].group; side == sideAffine {
			l.kept[i].at = l.kept[i].affine
		}
	}
	return l
}

// mostCells is how many cells a group or an affine element may have, for its one
// invocation to put them together.
const mostCells = 1 << 11

// normGradCells returns the layout of the sums of cells, that of their sums for
// the groups and for the affine elements, and the most chunks of a cell; ok is
// false where cells are too small, or too many, to be worth while.
func normGradCells(dims []gradDim) (cells, groups, affine gradLayout, most int, ok bool) {
	cells = apart(dims, sideCells)
	inner := number(append([]gradDim{}, cells.kept...))
	groups, affine = apart(inner, sideGroups), apart(inner, sideAffine)
	many := max(groups.terms(), affine.terms())
	// Where a cell is a group and an affine element at once there is nothing to
	// put together, however small it is.
	ok = many == 1 || many <= mostCells && cells.terms() >= 8
	return cells, groups, affine, mostParts / many, ok
}
