package spec

import (
	"fmt"
	"math"
)

// UpsampleMode says how Upsample fills in between elements.
type UpsampleMode uint8

const (
	// Nearest takes element floor(o*in/out). It is the default.
	Nearest UpsampleMode = iota
	// NearestExact takes the element nearest to the centre of the output's:
	// floor((o+1/2)*in/out).
	NearestExact
	// Linear interpolates between the two nearest elements of each axis: linear
	// in one dimension, bilinear in two, trilinear in three.
	Linear
)

// String returns PyTorch's name of the mode, without the dimensions.
func (m UpsampleMode) String() string {
	switch m {
	case Nearest:
		return "nearest"
	case NearestExact:
		return "nearest-exact"
	case Linear:
		return "linear"
	}
	return fmt.Sprintf("UpsampleMode(%d)", m)
}

// UpsampleParams are the parameters of Upsample, with the meaning of PyTorch's
// interpolate. Size or Scale is given, one number where all axes agree or one
// per spatial axis.
type UpsampleParams struct {
	Size []int // spatial size of the result; it may be smaller than the input
	// Scale is the ratio of the result's size to the input's, out = floor(in*scale),
	// and that of their positions, as in ONNX. (PyTorch's Linear leaves an axis alone
	// that keeps its size, for a scale of 1.1 perhaps: give 1 for that.)
	Scale        []float64
	Mode         UpsampleMode
	AlignCorners bool // Linear only: the first and last elements of both coincide
}

// Upsample is a resolved resampling of [N, C, spatial...]. Position o of an axis
// of y lies at (o*Mul + Add)/Den of x, in integers, held within the axis.
type Upsample struct {
	N       int // batch times channels
	Rank    int // spatial axes: 1, 2 or 3
	In, Out [3]int
	Mul     [3]int
	Add     [3]int // may be negative
	Den     [3]int
	Mode    UpsampleMode
	Shape   Dims // the caller's shape of y
}

// maxUpsampleAxis bounds an axis, so that a float32 estimate of a position is at
// most a few elements off and the remainder fits in 32 bits.
const maxUpsampleAxis = 1 << 24

// NewUpsample checks and resolves a resampling of x. It returns ErrShape,
// ErrParam or ErrTooLarge, naming the value.
func NewUpsample(x []int, p UpsampleParams) (Upsample, error) {
	g := Upsample{Mode: p.Mode, Rank: len(x) - 2}
	if g.Rank < 1 || g.Rank > 3 {
		return g, shapeErr("input is %v: upsampling takes [N C L], [N C H W] or [N C D H W]", x)
	}
	if _, err := Elements(x); err != nil {
		return g, err
	}
	switch {
	case p.Mode > Linear:
		return g, paramErr("mode %v is unknown", p.Mode)
	case p.AlignCorners && p.Mode != Linear:
		return g, paramErr("AlignCorners is set, but the mode is %v; it belongs to %v", p.Mode, Linear)
	case len(p.Size) > 0 && len(p.Scale) > 0:
		return g, paramErr("both size %v and scale %v are given; give one of them", p.Size, p.Scale)
	case len(p.Size) == 0 && len(p.Scale) == 0:
		return g, paramErr("neither size nor scale is given")
	}
	g.N = x[0] * x[1]
	g.In = spatial(x)
	size, err := axisNumbers("size", p.Size, g.Rank)
	if err != nil {
		return g, err
	}
	scale, err := axisNumbers("scale", p.Scale, g.Rank)
	if err != nil {
		return g, err
	}
	for i := range g.In {
		var err error
		j := i - (3 - g.Rank)
		switch g.Out[i] = 1; {
		case j >= 0 && len(scale) > 0:
			err = g.resolveScale(i, scale[j], p.AlignCorners)
		case j >= 0:
			g.Out[i] = size[j]
			fallthrough
		default:
			err = g.resolve(i, g.In[i], g.Out[i], p.AlignCorners)
		}
		if err != nil {
			return g, err
		}
	}
	out := append([]int{x[0], x[1]}, g.Out[3-g.Rank:]...)
	g.Shape = MakeDims(out)
	_, err = Elements(out)
	return g, err
}

// axisNumbers expands one number to all axes.
func axisNumbers[T any](name string, v []T, rank int) ([]T, error) {
	switch len(v) {
	case 0, rank:
		return v, nil
	case 1:
		out := make([]T, rank)
		for i := range out {
			out[i] = v[0]
		}
		return out, nil
	}
	return nil, paramErr("%s %v has %d numbers; a %d-D input takes 1 or %d", name, v, len(v), rank, rank)
}

// resolveScale sets the size of axis i from a scale, and its position formula.
func (g *Upsample) resolveScale(i int, scale float64, align bool) error {
	in, axis := g.In[i], i-(3-g.Rank)+2
	if !(scale > 0) || math.IsInf(scale, 0) {
		return paramErr("scale %v of axis %d; it must be finite and above 0", scale, axis)
	}
	p, q := ratio(scale)
	if p == 0 || in*p/q < 1 {
		return shapeErr("scale %v leaves nothing of axis %d, which has size %d", scale, axis, in)
	}
	if in*p/q > maxUpsampleAxis {
		return sizeErr("scale %v makes %d of axis %d's %d; at most %d are supported", scale, in*p/q, axis, in, maxUpsampleAxis)
	}
	g.Out[i] = in * p / q
	return g.resolve(i, q, p, align)
}

// resolve fills the position formula of axis i for a ratio num/den of the sizes.
func (g *Upsample) resolve(i, num, den int, align bool) error {
	in, axis := g.In[i], i-(3-g.Rank)+2
	out := g.Out[i]
	if out < 1 {
		return paramErr("size %d of axis %d; it must be at least 1", out, axis)
	}
	if in > maxUpsampleAxis || out > maxUpsampleAxis {
		return sizeErr("axis %d goes from size %d to %d; at most %d are supported", axis, in, out, maxUpsampleAxis)
	}
	if d := gcd(num, den); d > 1 {
		num, den = num/d, den/d
	}
	switch {
	case align && out == 1:
		g.Mul[i], g.Add[i], g.Den[i] = 0, 0, 1
	case align:
		g.Mul[i], g.Add[i], g.Den[i] = in-1, 0, out-1
	case g.Mode == Nearest:
		g.Mul[i], g.Add[i], g.Den[i] = num, 0, den
	case g.Mode == NearestExact:
		g.Mul[i], g.Add[i], g.Den[i] = 2*num, num, 2*den
	default: // (o+1/2)*num/den - 1/2
		g.Mul[i], g.Add[i], g.Den[i] = 2*num, num-den, 2*den
	}
	return nil
}

// ratio returns the simplest fraction within 2^-40 of v in relative terms, or
// the closest one with terms below 2^24: 0.1 is 1/10, whatever its binary digits.
func ratio(v float64) (p, q int) {
	const limit = 1 << 24
	if v >= limit {
		return limit, 1
	}
	p0, q0, p1, q1 := 0, 1, 1, 0 // the last two convergents of the continued fraction
	rest := v
	for range 64 {
		whole := math.Floor(rest)
		if whole >= limit {
			break
		}
		p2, q2 := int(whole)*p1+p0, int(whole)*q1+q0
		if p2 >= limit || q2 >= limit {
			break
		}
		p0, q0, p1, q1 = p1, q1, p2, q2
		if math.Abs(float64(p1)/float64(q1)-v) <= 0x1p-40*v || rest == whole {
			break
		}
		rest = 1 / (rest - whole)
	}
	return p1, q1
}

// Position returns the element of x at or below position o of an axis of y, and
// the distance beyond it, in [0, 1).
func (g *Upsample) Position(axis, o int) (index int, beyond float64) {
	at := o*g.Mul[axis] + g.Add[axis]
	if at < 0 {
		return 0, 0
	}
	index, rest := at/g.Den[axis], at%g.Den[axis]
	if index >= g.In[axis]-1 {
		return g.In[axis] - 1, 0
	}
	return index, float64(rest) / float64(g.Den[axis])
}

// InSize returns the number of elements of one plane of x.
func (g *Upsample) InSize() int { return g.In[0] * g.In[1] * g.In[2] }

// OutSize returns the number of elements of one plane of y.
func (g *Upsample) OutSize() int { return g.Out[0] * g.Out[1] * g.Out[2] }

// OutShape returns the shape of y.
func (g *Upsample) OutShape() []int { return g.Shape.Slice() }

// Budget returns the error that an implementation may have: none where elements
// are copied; four roundings for each interpolated axis, against the weighted
// sum of the |x|.
func (g *Upsample) Budget() Budget {
	if g.Mode != Linear {
		return Budget{}
	}
	return Budget{ULP: 1, Scaled: 4 * float64(g.Rank)}
}
