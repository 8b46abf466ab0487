package spec

import "fmt"

// ReduceFunc names a function that makes one number of many.
type ReduceFunc uint8

const (
	// ReduceSum is the sum.
	ReduceSum ReduceFunc = iota
	// ReduceMean is the sum over the count.
	ReduceMean
	// ReduceMax is the greatest; NaN where any is NaN.
	ReduceMax
	// ReduceMin is the least; NaN where any is NaN.
	ReduceMin
	// ReduceSumSquare is the sum of the squares.
	ReduceSumSquare
	reduceCount
)

// String returns the function's name in lower case.
func (f ReduceFunc) String() string {
	switch f {
	case ReduceSum:
		return "sum"
	case ReduceMean:
		return "mean"
	case ReduceMax:
		return "max"
	case ReduceMin:
		return "min"
	case ReduceSumSquare:
		return "sum_square"
	}
	return fmt.Sprintf("reduce(%d)", uint8(f))
}

// ReduceFuncs returns every reduction.
func ReduceFuncs() []ReduceFunc {
	return []ReduceFunc{ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceSumSquare}
}

// ReduceParams are the parameters of the reductions.
type ReduceParams struct {
	Axes []int // the axes to reduce, negative from the back; none means all
	Keep bool  // keep the reduced axes, with size 1
}

// Reduce is a resolved reduction. Each output has a place among the kept axes of
// x, and runs over the reduced ones.
type Reduce struct {
	Func                  ReduceFunc
	KeptAxes, ReducedAxes int               // in use; axes that step alike are one
	Kept, Reduced         [MaxRank]StepAxis // innermost first; unused ones have size 1 and step 0
	Out                   Dims              // the caller's shape of y
}

// NewReduce checks and resolves a reduction of x. It returns ErrShape or
// ErrParam, naming the value.
func NewReduce(f ReduceFunc, x []int, p ReduceParams) (Reduce, error) {
	g := Reduce{Func: f}
	if f >= reduceCount {
		return g, paramErr("reduction %d does not exist", uint8(f))
	}
	if _, err := Elements(x); err != nil {
		return g, err
	}
	var reduced [MaxRank]bool
	for _, a := range p.Axes {
		axis, err := Axis(a, len(x))
		if err != nil {
			return g, err
		}
		if reduced[axis] {
			return g, paramErr("axes %v name axis %d twice", p.Axes, axis)
		}
		reduced[axis] = true
	}
	if len(p.Axes) == 0 {
		for i := range reduced {
			reduced[i] = true
		}
	}
	for i := range g.Kept {
		g.Kept[i], g.Reduced[i] = StepAxis{Size: 1}, StepAxis{Size: 1}
	}
	var out []int
	from := Strides(x)
	for i := len(x) - 1; i >= 0; i-- {
		if reduced[i] {
			addAxis(&g.Reduced, &g.ReducedAxes, x[i], from[i])
		} else {
			addAxis(&g.Kept, &g.KeptAxes, x[i], from[i])
		}
	}
	for i, s := range x {
		switch {
		case !reduced[i]:
			out = append(out, s)
		case p.Keep:
			out = append(out, 1)
		}
	}
	g.Out = MakeDims(out)
	return g, nil
}

// OutShape returns the shape of y.
func (g *Reduce) OutShape() []int { return g.Out.Slice() }

// Terms returns how many elements make one output.
func (g *Reduce) Terms() int {
	n := 1
	for _, axis := range g.Reduced {
		n *= axis.Size
	}
	return n
}

// Outputs returns how many outputs there are.
func (g *Reduce) Outputs() int { return Count(g.OutShape()) }

// Budget returns the error that an implementation may have: none for a choice;
// for a sum see SumBudget, and one rounding more for a mean, or for squares, of
// which each may also lose what lies below the least normal number.
func (g *Reduce) Budget() Budget {
	switch g.Func {
	case ReduceMax, ReduceMin:
		return Budget{}
	case ReduceMean:
		return SumBudget(g.Terms() + 1)
	case ReduceSumSquare:
		b := SumBudget(g.Terms() + 1)
		b.Abs = float64(g.Terms()) * minNormal32
		return b
	}
	return SumBudget(g.Terms())
}
