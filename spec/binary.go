package spec

import "fmt"

// BinaryFunc names a function of two float32 that is applied to each pair of
// elements of two tensors. NaN gives NaN, except in Pow as IEEE 754 has it.
type BinaryFunc uint8

// The functions of two numbers.
const (
	// Add is a + b.
	Add BinaryFunc = iota
	// Sub is a - b.
	Sub
	// Mul is a * b.
	Mul
	// Div is a / b.
	Div
	// Min is the lesser of a and b; NaN where either is NaN.
	Min
	// Max is the greater of a and b; NaN where either is NaN.
	Max
	// Pow is a to the power of b, as IEEE 754's pow: a negative a has a power
	// for integers b only and NaN for others; a^0 and 1^b are 1, of NaN too.
	Pow
	// PReLU is a for a >= 0 and b*a below: b is the slope.
	PReLU
	binaryCount
)

var binaryNames = [binaryCount]string{
	Add: "add", Sub: "sub", Mul: "mul", Div: "div", Min: "min", Max: "max", Pow: "pow", PReLU: "prelu",
}

// Binaries returns every function of two numbers.
func Binaries() []BinaryFunc {
	fs := make([]BinaryFunc, binaryCount)
	for i := range fs {
		fs[i] = BinaryFunc(i)
	}
	return fs
}

// String returns the function's name in lower case.
func (f BinaryFunc) String() string {
	if f >= binaryCount {
		return fmt.Sprintf("binary(%d)", uint8(f))
	}
	return binaryNames[f]
}

// Budget returns the error budget of the function: 0 ULP for a choice, 1 ULP
// for one operation, whatever a device makes of a division; 4 ULP for Pow, of
// which about 2.1 were seen in the worst of the arithmetics that WGSL permits.
func (f BinaryFunc) Budget() Budget {
	switch f {
	case Min, Max:
		return Budget{}
	case Pow:
		return Budget{ULP: 4}
	}
	return Budget{ULP: 1}
}

// Binary is a resolved call y = f(a, b) with NumPy's broadcasting: a loop over
// axes, of which each operand may repeat some.
type Binary struct {
	Func BinaryFunc
	Axes int               // in use; axes that step alike are one
	Axis [MaxRank]PairAxis // innermost first; unused ones have size 1 and no steps
	Out  Dims              // the caller's shape of y
}

// NewBinary checks and resolves f of tensors a and b, whose shapes broadcast. It
// returns ErrShape, ErrParam or ErrTooLarge, naming the value.
func NewBinary(f BinaryFunc, a, b []int) (Binary, error) {
	g := Binary{Func: f}
	if f >= binaryCount {
		return g, paramErr("function %d of two numbers does not exist", uint8(f))
	}
	if err := checkShapes(a, b); err != nil {
		return g, err
	}
	out, err := Broadcast(a, b)
	if err != nil {
		return g, err
	}
	g.Out = MakeDims(out)
	for i := range g.Axis {
		g.Axis[i] = PairAxis{Size: 1}
	}
	axes := pairAxes(out, a, b, 1, 1)
	g.Axes = copy(g.Axis[:], axes)
	return g, nil
}

// NewPReLU checks and resolves y = x for x >= 0 and slope*x below. A slope of
// one axis has one value for each channel (axis 1 of x; of an x with one axis,
// each element), or one in all, as in PyTorch; a slope of any other rank
// broadcasts to x by NumPy's rules, as in ONNX. It returns ErrShape, naming the
// value.
func NewPReLU(x, slope []int) (Binary, error) {
	s, err := PReLUShape(x, slope)
	if err != nil {
		return Binary{}, err
	}
	return NewBinary(PReLU, x, s)
}

// PReLUShape returns the shape in which a slope broadcasts to x by NumPy's rules;
// see NewPReLU.
func PReLUShape(x, slope []int) ([]int, error) {
	if err := checkShapes(x, slope); err != nil {
		return nil, err
	}
	s := slope
	if len(slope) == 1 && slope[0] != 1 && len(x) > 1 {
		if slope[0] != x[1] {
			return nil, shapeErr("slope is %v: the input %v has %d channels; give a slope that repeats along other axes the input's rank", slope, x, x[1])
		}
		s = make([]int, len(x)-1)
		for i := range s {
			s[i] = 1
		}
		s[0] = slope[0]
	}
	out, err := Broadcast(x, s)
	if err != nil || !EqualShapes(out, x) {
		return nil, shapeErr("slope is %v, which does not broadcast to the input's %v", slope, x)
	}
	return s, nil
}

// Rows returns the layout where b has one element for each row of a, as the slopes
// of channels have: a is [Outer, N, Inner] and b [N], as the axis N of an Along.
func (g *Binary) Rows() (rows Along, ok bool) {
	if g.Axes < 2 || g.Axes > 3 {
		return rows, false
	}
	rows = Along{Outer: g.Axis[2].Size, N: g.Axis[1].Size, Inner: g.Axis[0].Size}
	inner, n, outer := g.Axis[0], g.Axis[1], g.Axis[2]
	ok = inner.A == 1 && inner.B == 0 && n.A == rows.Inner && n.B == 1 &&
		(g.Axes == 2 || outer.A == rows.Inner*rows.N && outer.B == 0)
	return rows, ok
}

// OutShape returns the shape of y.
func (g *Binary) OutShape() []int { return g.Out.Slice() }

// Offsets returns which elements of a and b make the i-th of y.
func (g *Binary) Offsets(i int) (a, b int) {
	for _, axis := range g.Axis[:g.Axes] {
		a += i % axis.Size * axis.A
		b += i % axis.Size * axis.B
		i /= axis.Size
	}
	return a, b
}
