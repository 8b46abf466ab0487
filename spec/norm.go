package spec

import (
	"math"
	"slices"
)

// DefaultEps is what a zero Eps means in a normalization.
const DefaultEps = 1e-5

// Norm is what all normalizations share: which elements of x have their mean
// and variance in common (a group), and which element of scale and shift each
// element gets. With m and v the mean and the population variance of an
// element's group and a its affine index,
//
//	y = act((x - m) / sqrt(v + eps) * scale[a] + shift[a])
//
// RMS takes m as 0, so that v is the mean of the squares; EpsOnStd has
// sqrt(v) + eps in the denominator instead.
//
// Squares of deviations must be normal float32 numbers to be exact: where they
// pass 2^128 the group comes out as zeros or NaN, and where v + eps is below
// 2^-126 it counts as 0.
type Norm struct {
	Shape    []int     // of x and y
	Dims     []NormDim // the axes of x, those that go together merged, those of size 1 left out
	Groups   int       // how many means and variances there are
	Count    int       // elements of a group
	Affine   int       // elements of scale and of shift
	Scale    bool      // there is a scale
	Shift    bool      // there is a shift
	RMS      bool      // the mean is taken as 0
	Eps      float32
	EpsOnStd bool // eps is added to the standard deviation, not to the variance
	Act      Activation
}

// NormDim is one (merged) axis of x, in memory order.
type NormDim struct {
	Size   int
	Group  int // stride in the numbering of the groups; 0 where the axis is averaged over
	Affine int // stride in scale and shift; 0 where they do not vary along it
}

// newNorm lays out a normalization of x. reduced marks the axes that are
// averaged over; affine has the stride of each axis in scale and shift. Groups
// are numbered row-major over the other axes.
func newNorm(shape []int, reduced []bool, affine []int) Norm {
	g := Norm{Shape: slices.Clone(shape), Groups: 1, Count: 1, Affine: 1}
	var dims []NormDim // innermost first
	for i := len(shape) - 1; i >= 0; i-- {
		d := NormDim{Size: shape[i], Affine: affine[i]}
		if affine[i] != 0 {
			g.Affine += (d.Size - 1) * affine[i]
		}
		if reduced[i] {
			g.Count *= d.Size
		} else {
			d.Group = g.Groups
			g.Groups *= d.Size
		}
		if d.Size == 1 {
			continue
		}
		if n := len(dims); n > 0 {
			in := &dims[n-1]
			if (in.Group == 0) == (d.Group == 0) && d.Affine == in.Affine*in.Size {
				in.Size *= d.Size
				continue
			}
		}
		dims = append(dims, d)
	}
	slices.Reverse(dims)
	g.Dims = dims
	return g
}

// Runs calls f for each contiguous run of elements along the last merged axis:
// elements first..first+n-1 of x belong to the groups group, group+groupStep,
// ... and take the affine elements affine, affine+affineStep, ...
func (g *Norm) Runs(f func(first, n, group, groupStep, affine, affineStep int)) {
	if len(g.Dims) == 0 {
		f(0, 1, 0, 0, 0, 0)
		return
	}
	last := g.Dims[len(g.Dims)-1]
	outer := g.Dims[:len(g.Dims)-1]
	at := make([]int, len(outer))
	group, affine, first := 0, 0, 0
	for {
		f(first, last.Size, group, last.Group, affine, last.Affine)
		first += last.Size
		i := len(outer) - 1
		for ; i >= 0; i-- {
			at[i]++
			group, affine = group+outer[i].Group, affine+outer[i].Affine
			if at[i] < outer[i].Size {
				break
			}
			group, affine = group-at[i]*outer[i].Group, affine-at[i]*outer[i].Affine
			at[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// Planes returns the form [n, c, s] of x in which group c is the elements
// [:, c, :]; ok is false where the groups cannot be had so.
func (g *Norm) Planes() (n, c, s int, ok bool) {
	n, c, s = 1, 1, 1
	stage := 0 // averaged, kept, averaged
	for _, d := range g.Dims {
		kept := d.Group != 0
		switch {
		case !kept && stage == 0:
			n *= d.Size
		case kept && stage <= 1:
			stage, c = 1, c*d.Size
		case !kept:
			stage, s = 2, s*d.Size
		default:
			return 0, 0, 0, false
		}
	}
	if stage == 0 { // one group of everything: one row
		n, s = 1, n
	}
	return n, c, s, true
}

// Columns returns the form [o, n, i] of x in which group (o, i) is the elements
// [o, :, i]; ok is false where the groups cannot be had so.
func (g *Norm) Columns() (o, n, i int, ok bool) {
	o, n, i = 1, 1, 1
	stage := 0 // kept, averaged, kept
	for _, d := range g.Dims {
		kept := d.Group != 0
		switch {
		case kept && stage == 0:
			o *= d.Size
		case !kept && stage <= 1:
			stage, n = 1, n*d.Size
		case kept:
			stage, i = 2, i*d.Size
		default:
			return 0, 0, 0, false
		}
	}
	return o, n, i, true
}

// OutShape returns the shape of y, which is that of x.
func (g *Norm) OutShape() []int { return slices.Clone(g.Shape) }

// Flops returns the arithmetic of the definition: an addition for the mean, a
// subtraction and a multiply-add for the variance, a subtraction and a
// multiply-add for the result.
func (g *Norm) Flops() float64 { return 7 * float64(g.Groups) * float64(g.Count) }

// Budget returns the error that an implementation may have in y. It is WebNN's
// for layer normalization, 14 ULP, which is also far inside of the 840 that
// WebNN gives instance normalization. Near a zero crossing, where ULPs are
// hopeless, it is 14*2^-24 times the magnitude
//
//	max(|x-m| / sqrt(v+eps), 1) * |scale| + |shift|
//
// It holds for any number of elements in a group and for a mean that is 10^4
// times the deviation, so sums are in blocks or trees, and the mean is carried
// as a float32 and a remainder.
func (g *Norm) Budget() Budget { return Budget{ULP: 14, Scaled: 14}.ThenActivation(g.Act) }

// MeanBudget is the error of a mean that is an output: one rounding, and
// 14*2^-24 times the standard deviation, which is passed as the magnitude.
func (g *Norm) MeanBudget() Budget { return Budget{ULP: 1, Scaled: 14} }

// SpreadBudget is the error of an output variance or inverse standard deviation.
func (g *Norm) SpreadBudget() Budget { return Budget{ULP: 14} }

// RunningBudget is the error of an updated running statistic; the magnitude is
// the sum of the two terms' magnitudes, and of the standard deviation times the
// momentum for a mean.
func (g *Norm) RunningBudget() Budget { return Budget{ULP: 14, Scaled: 14} }

// orDefault resolves a number whose zero value means a default and whose
// negative values mean exactly 0. It returns ErrParam for NaN and infinities.
func orDefault(name string, v, def float32) (float32, error) {
	switch {
	case isNaN(v) || isInf(v):
		return 0, paramErr("%s is %v; it must be finite", name, v)
	case v == 0:
		return def, nil
	case v < 0:
		return 0, nil
	}
	return v, nil
}

// channelAxis resolves an axis whose zero value means the second one. Only a
// negative number can name the first: -rank.
func channelAxis(shape []int, axis int) (int, error) {
	if axis == 0 {
		axis = 1
		if len(shape) < 2 {
			return 0, shapeErr("input is %v: it needs a batch and a channel axis, [N C ...]", shape)
		}
	}
	return Axis(axis, len(shape))
}

// channelNorm lays out a normalization whose scale and shift vary along the
// channel axis, and which averages over the spatial axes, and the first axis
// too where batch is set.
func channelNorm(x []int, axis int, batch bool) Norm {
	reduced, affine := make([]bool, len(x)), make([]int, len(x))
	for i := range x {
		reduced[i] = i != axis && (batch || i != 0)
	}
	affine[axis] = 1
	return newNorm(x, reduced, affine)
}

// setAffine checks the optional scale and shift against the shape they must have.
func (g *Norm) setAffine(scale, shift, want []int) error {
	g.Scale, g.Shift = scale != nil, shift != nil
	for _, s := range []struct {
		name  string
		shape []int
	}{{"scale", scale}, {"shift", shift}} {
		if s.shape != nil && !EqualShapes(s.shape, want) {
			return shapeErr("%s is %v: it must be %v", s.name, s.shape, want)
		}
	}
	return nil
}

// momentum resolves the weight of the new value in a running statistic.
func momentum(m float32, count int) (float32, error) {
	if count < 0 {
		return 0, paramErr("count is %d; it must not be negative", count)
	}
	if count > 0 {
		if m != 0 {
			return 0, paramErr("momentum is %v and count is %d: only one of them may be set", m, count)
		}
		return float32(1 / float64(count)), nil
	}
	m, err := orDefault("momentum", m, 0.1)
	if err == nil && m > 1 {
		err = paramErr("momentum is %v; it must be at most 1", m)
	}
	return m, err
}

// Unbiased returns the factor that makes a sample variance of a population
// variance: n/(n-1).
func (g *Norm) Unbiased() float64 {
	if g.Count < 2 {
		return math.NaN()
	}
	return float64(g.Count) / float64(g.Count-1)
}
