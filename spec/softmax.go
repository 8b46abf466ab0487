package spec

import (
	"fmt"
	"slices"
)

// SoftmaxKind says which function of the softmax family is meant.
type SoftmaxKind uint8

const (
	// Softmax is exp(x - max) / sum of exp(x - max).
	Softmax SoftmaxKind = iota
	// LogSoftmax is x - max - log(sum of exp(x - max)).
	LogSoftmax
	// Hardmax is 1 at the first maximum and 0 elsewhere.
	Hardmax
)

// String returns "softmax", "log_softmax" or "hardmax".
func (k SoftmaxKind) String() string {
	switch k {
	case Softmax:
		return "softmax"
	case LogSoftmax:
		return "log_softmax"
	case Hardmax:
		return "hardmax"
	}
	return fmt.Sprintf("SoftmaxKind(%d)", k)
}

// Along is a tensor seen as [Outer, N, Inner]: N elements along one axis, those
// before it and those after it.
type Along struct {
	Shape           []int
	Axis            int
	Outer, N, Inner int
}

func newAlong(x []int, axis int) (Along, error) {
	var g Along
	if err := checkShapes(x); err != nil {
		return g, err
	}
	a, err := Axis(axis, len(x))
	if err != nil {
		return g, err
	}
	return Along{Shape: slices.Clone(x), Axis: a, Outer: Count(x[:a]), N: x[a], Inner: Count(x[a+1:])}, nil
}

// OutShape returns the shape of the result, which is that of the input.
func (g *Along) OutShape() []int { return slices.Clone(g.Shape) }

// SoftmaxOf is a resolved softmax, log softmax or hardmax along one axis. Where
// a slice along the axis has a NaN, a +Inf or nothing but -Inf, softmax and log
// softmax are NaN in all of it, as in PyTorch; an -Inf beside finite values
// gives 0 and -Inf. Hardmax takes a NaN for the maximum.
type SoftmaxOf struct {
	Along
	Kind SoftmaxKind
}

// NewSoftmax checks and resolves a function of the softmax family along an axis
// of x; a negative axis counts from the end.
func NewSoftmax(x []int, axis int, kind SoftmaxKind) (SoftmaxOf, error) {
	if kind > Hardmax {
		return SoftmaxOf{}, paramErr("softmax kind %d does not exist", kind)
	}
	a, err := newAlong(x, axis)
	return SoftmaxOf{a, kind}, err
}

// Budget returns the error that an implementation may have. For Softmax it is
// WebNN's 3n+3 ULP, but no more than 24 however long the axis: 4 ULP for the
// exponential, the rest for the sum in blocks and the division. LogSoftmax has
// 12 ULP everywhere, also where it is close to 0: the largest term is left out
// of the sum, whose log1p is then taken. Hardmax is exact.
func (g *SoftmaxOf) Budget() Budget {
	switch g.Kind {
	case Softmax:
		return Budget{ULP: float64(min(3*g.N+3, 24))}
	case LogSoftmax:
		return Budget{ULP: 12}
	}
	return Budget{}
}

// Flops returns the arithmetic of the definition, an exponential counted as one.
func (g *SoftmaxOf) Flops() float64 { return 4 * float64(Count(g.Shape)) }
