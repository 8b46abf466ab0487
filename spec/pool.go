package spec

import (
	"fmt"
	"math"
)

// PoolKind says what a pooling makes of the elements in its window.
type PoolKind uint8

const (
	// PoolMax takes the largest element.
	PoolMax PoolKind = iota
	// PoolAvg takes the mean.
	PoolAvg
	// PoolLp takes the p-norm.
	PoolLp
)

// String returns "max", "avg" or "lp".
func (k PoolKind) String() string {
	switch k {
	case PoolMax:
		return "max"
	case PoolAvg:
		return "avg"
	case PoolLp:
		return "lp"
	}
	return fmt.Sprintf("PoolKind(%d)", k)
}

// PoolParams are the parameters of a pooling in 1, 2 or 3 dimensions. Their
// meaning is that of PyTorch's MaxPool, AvgPool and LPPool, with what ONNX and
// WebNN have beyond it: padding per side, auto padding, padding of more than
// half the kernel, dilation for every kind, and chosen output sizes.
type PoolParams struct {
	Kernel   []int   // one number, or one per spatial axis; required
	Stride   []int   // likewise; default: the kernel, so that windows tile the input
	Dilation []int   // likewise; default 1
	Padding  []int   // one number, one per axis, or beginnings then ends; default 0; below the kernel's span
	AutoPad  AutoPad // SameUpper and SameLower choose Padding from the shapes

	// Ceil rounds the output size up, so that the last window may hang over the
	// end of the padded input. One that would start in the padding at the end
	// is dropped.
	Ceil bool
	// OutSize, one number or one per axis, chooses the output size itself, as
	// WebNN's outputSizes does: on each axis the size that rounding down gives,
	// or the one that Ceil gives.
	OutSize []int

	// ExcludePad makes an average divide by the number of elements of the input
	// in the window, as WebNN does and ONNX by default. Without it declared
	// padding counts as zeros (PyTorch's count_include_pad, true by default);
	// what hangs over the end in Ceil mode never counts. Only AvgPool uses it.
	ExcludePad bool
	// Divisor divides an average's sum in place of the count (PyTorch's
	// divisor_override); 0 means none. Only AvgPool uses it.
	Divisor int

	// PlainNorm makes LpPool the norm (sum |x|^p)^(1/p) of the elements in the
	// window, as ONNX and WebNN define it. Without it LpPool is PyTorch's, which
	// differs in two ways: x^p keeps its sign, so that odd norms of inputs with
	// both signs cancel, or are NaN; and the sum of a window that hangs over in
	// Ceil mode is scaled up to a full window's. Only LpPool uses it.
	PlainNorm bool
}

// Pool is a resolved pooling. Input is [N, C, spatial...], output is
// [N, C, out...]. With W(o) the elements of the plane x[n,c] at the positions
// o*stride - pad + t*dilation, t over the taps of the kernel, that lie inside of
// the input, the output y[n,c,o] is
//
//	max:  the largest element of W(o); NaN if one is NaN; -Inf if there is none
//	avg:  sum of W(o) / count, where count is Divisor, or the number of taps on
//	      the padded input, or with ExcludePad on the input; 0 if there is none
//	lp:   (sum of x^p over W(o) * taps/count)^(1/p), count as for PyTorch's avg;
//	      with PlainNorm (sum of |x|^p over W(o))^(1/p)
//
// The index of a maximum is its place in the plane, row-major: that of the
// first of equal maxima, of the last NaN, and -1 where the window is empty.
// Among the rules only the last is not PyTorch's, which leaves it undefined.
//
// An adaptive pooling has the window floor(o*in/out) to ceil((o+1)*in/out)-1 on
// each axis (PyTorch's AdaptiveAvgPool and AdaptiveMaxPool). Kernel is then the
// largest window, and Stride has no meaning.
type Pool struct {
	Window
	N, C       int
	Kind       PoolKind
	Adaptive   bool
	ExcludePad bool
	Divisor    int     // 0: none
	Norm       float32 // p of lp
	PlainNorm  bool
}

// maxDivisor bounds Divisor, so that float32 holds it exactly.
const maxDivisor = 1 << 24

// maxAdaptive bounds the output sizes of adaptive pooling, so that a shader can
// compute the windows' ends in 32 bits.
const maxAdaptive = 1<<16 - 1

// newPool resolves what all poolings share: the shape of x.
func newPool(kind PoolKind, x []int, norm float32) (Pool, error) {
	rank := len(x) - 2
	if rank < 1 || rank > 3 {
		return Pool{}, shapeErr("input is %v: pooling takes [N C L], [N C H W] or [N C D H W]", x)
	}
	if err := checkShapes(x); err != nil {
		return Pool{}, err
	}
	g := Pool{N: x[0], C: x[1], Kind: kind}
	g.Rank, g.In = rank, spatial(x)
	g.Stride, g.Dilation = [3]int{1, 1, 1}, [3]int{1, 1, 1}
	switch kind {
	case PoolMax, PoolAvg:
	case PoolLp:
		if !finite(norm) || norm <= 0 {
			return g, paramErr("norm is %v; it must be positive and finite", norm)
		}
		g.Norm = norm
	default:
		return g, paramErr("kind of pooling %v is unknown", kind)
	}
	return g, nil
}

// NewPool checks and resolves a pooling of x. The norm is that of PoolLp; other
// kinds do not use it. It returns ErrShape or ErrParam, naming the value.
func NewPool(kind PoolKind, x []int, norm float32, p PoolParams) (Pool, error) {
	g, err := newPool(kind, x, norm)
	if err != nil {
		return g, err
	}
	if len(p.Kernel) == 0 {
		return g, paramErr("no kernel is given; pooling takes 1 or %d numbers", g.Rank)
	}
	if g.Kernel, err = perAxis("kernel", p.Kernel, g.Rank, 1, 1); err != nil {
		return g, err
	}
	stride := p.Stride
	if len(stride) == 0 {
		stride = p.Kernel
	}
	if g.Stride, err = perAxis("stride", stride, g.Rank, 1, 1); err != nil {
		return g, err
	}
	if g.Dilation, err = perAxis("dilation", p.Dilation, g.Rank, 1, 1); err != nil {
		return g, err
	}
	if err = g.checkKernel(); err != nil {
		return g, err
	}
	if taps := int64(g.Kernel[0]*g.Kernel[1]) * int64(g.Kernel[2]); taps > MaxElements {
		return g, sizeErr("kernel %v has more than %d elements", p.Kernel, MaxElements)
	}
	if err = g.resolvePadding(p.AutoPad, p.Padding); err != nil {
		return g, err
	}
	for i := range g.In {
		if pad := max(g.PadBegin[i], g.PadEnd[i]); pad >= g.Extent(i) {
			return g, paramErr("padding %d is not below the kernel's span of %d: a window would lie in the padding", pad, g.Extent(i))
		}
	}
	if err = g.resolveOut(p.Ceil); err != nil {
		return g, err
	}
	if err = g.chooseOut(p.OutSize); err != nil {
		return g, err
	}
	switch kind {
	case PoolAvg:
		if p.Divisor < -maxDivisor || p.Divisor > maxDivisor {
			return g, paramErr("divisor %d is outside of ±%d", p.Divisor, maxDivisor)
		}
		g.ExcludePad, g.Divisor = p.ExcludePad, p.Divisor
	case PoolLp:
		g.PlainNorm = p.PlainNorm
	}
	_, err = Elements(g.OutShape())
	return g, err
}

// chooseOut replaces w.Out by chosen sizes, each of which rounding down or
// rounding up must give.
func (w *Window) chooseOut(sizes []int) error {
	if len(sizes) == 0 {
		return nil
	}
	want, err := perAxis("output size", sizes, w.Rank, 1, 1)
	if err != nil {
		return err
	}
	down, up := *w, *w
	if err := down.resolveOut(false); err != nil {
		return err
	}
	if err := up.resolveOut(true); err != nil {
		return err
	}
	for i := 3 - w.Rank; i < 3; i++ {
		if want[i] != down.Out[i] && want[i] != up.Out[i] {
			return paramErr("output size %d on axis %d: rounding down gives %d, rounding up %d", want[i], i-(3-w.Rank)+2, down.Out[i], up.Out[i])
		}
		w.Out[i] = want[i]
	}
	return nil
}

// NewGlobalPool resolves a pooling of each plane of x as a whole: the output is
// [N, C, 1...]. The norm is that of PoolLp, which is the plain norm here.
func NewGlobalPool(kind PoolKind, x []int, norm float32) (Pool, error) {
	g, err := newPool(kind, x, norm)
	g.Kernel, g.Stride, g.Out, g.PlainNorm = g.In, g.In, [3]int{1, 1, 1}, true
	return g, err
}

// NewAdaptivePool resolves an adaptive pooling of x to the output sizes out:
// one number, or one per axis; -1 keeps an axis as it is (PyTorch's None). It
// returns ErrShape or ErrParam, naming the value.
func NewAdaptivePool(kind PoolKind, x, out []int) (Pool, error) {
	g, err := newPool(kind, x, 1)
	if err != nil {
		return g, err
	}
	if len(out) != 1 && len(out) != g.Rank {
		return g, paramErr("output size %v has %d numbers; a %d-D pooling takes 1 or %d", out, len(out), g.Rank, g.Rank)
	}
	g.Out, g.Kernel, g.Stride, g.PlainNorm = [3]int{1, 1, 1}, [3]int{1, 1, 1}, [3]int{1, 1, 1}, true
	for i := 3 - g.Rank; i < 3; i++ {
		n := out[max(0, len(out)-3+i)]
		if len(out) == 1 {
			n = out[0]
		}
		if n == -1 {
			n = g.In[i]
		}
		if n < 1 || n > maxAdaptive {
			return g, paramErr("output size %v: %d is outside of 1 to %d", out, n, maxAdaptive)
		}
		g.Out[i] = n
		// Where the output's size divides the input's, all windows are alike.
		g.Kernel[i] = g.In[i] / n
		g.Stride[i] = g.Kernel[i]
		if g.In[i]%n != 0 {
			g.Adaptive = true
			g.Kernel[i] = min(g.In[i], g.In[i]/n+2) // a window that starts and ends between two elements
		}
	}
	_, err = Elements(g.OutShape())
	return g, err
}

// OutShape returns [N, C, out...].
func (g *Pool) OutShape() []int { return g.Shape([]int{g.N, g.C}, g.Out) }

// Planes returns the number of planes, N*C.
func (g *Pool) Planes() int { return g.N * g.C }

// Inside returns the first input position under a tap of window o along an axis,
// and how many taps, Dilation apart, lie on the input; 0 where none does.
func (g *Pool) Inside(axis, o int) (first, count int) {
	in := g.In[axis]
	if g.Adaptive {
		out := g.Out[axis]
		first = o * in / out
		return first, ((o+1)*in+out-1)/out - first
	}
	d := g.Dilation[axis]
	start := o*g.Stride[axis] - g.PadBegin[axis]
	skip := 0 // taps before the input
	if start < 0 {
		skip = (-start + d - 1) / d
	}
	first = start + skip*d
	if first >= in || skip >= g.Kernel[axis] {
		return 0, 0
	}
	return first, min(g.Kernel[axis]-skip, (in-first+d-1)/d)
}

// Padded returns how many taps of window o along an axis lie on the input or on
// its declared padding.
func (g *Pool) Padded(axis, o int) int {
	if g.Adaptive {
		_, n := g.Inside(axis, o)
		return n
	}
	d := g.Dilation[axis]
	start := o*g.Stride[axis] - g.PadBegin[axis]
	return min(g.Kernel[axis], (g.In[axis]+g.PadEnd[axis]-start+d-1)/d)
}

// FixedCount returns what the sums of all windows are divided by (for Lp, what
// their taps are counted by), and whether it is the same for all of them.
func (g *Pool) FixedCount() (count int, ok bool) {
	if g.Divisor != 0 {
		return g.Divisor, true
	}
	if g.Adaptive {
		return 0, false
	}
	for i := range g.In {
		end := (g.Out[i]-1)*g.Stride[i] - g.PadBegin[i] + g.Extent(i) // of the last window
		if end > g.In[i]+g.PadEnd[i] || g.ExcludePad && (g.PadBegin[i] > 0 || end > g.In[i]) {
			return 0, false
		}
	}
	return g.Taps(), true
}

// Whole reports whether there is one window and it is the whole plane.
func (g *Pool) Whole() bool {
	for i := range g.In {
		if g.Out[i] != 1 || g.PadBegin[i] != 0 || g.Kernel[i] < g.In[i] || (g.Dilation[i] != 1 && g.In[i] > 1) {
			return false
		}
	}
	return true
}

// Flops returns the arithmetic: one operation for each element of each window.
func (g *Pool) Flops() float64 {
	return float64(g.Planes()) * float64(g.OutSize()) * float64(g.Taps())
}

// Budget returns the error that an implementation may have. A maximum is exact.
//
// A sum is taken along rows, of rows and of layers, so that an element passes
// through depth = (kd-1)+(kh-1)+(kw-1) additions at most, each with an error of
// 2^-24 of the sum of magnitudes (Higham, Accuracy and Stability of Numerical
// Algorithms, section 4.2); the division adds three roundings. WebNN allows
// kh*kw+2 ULP of an average or an L2 norm.
//
// The L2 norm sums squares, all of one sign: half of its relative error is the
// norm's, and the root adds its own. For other norms each x^p is
// 2^(p*log2(x/max)), whose error is 6.3*|p*log2(x/max)|+8 units at most; a term
// weighs in the sum only while |p*log2(x/max)| is about log2(taps) or less; and
// the root, taken the same way, divides the sum's error by p. That bound holds
// where all terms have one sign; PyTorch's odd norms of inputs of both signs
// cancel, and no bound can hold there but for p = 1.
func (g *Pool) Budget() Budget {
	depth := float64(g.Kernel[0] + g.Kernel[1] + g.Kernel[2] - 3)
	switch {
	case g.Kind == PoolAvg, g.Kind == PoolLp && g.Norm == 1:
		return Budget{Scaled: depth + 3}
	case g.Kind == PoolLp && g.Norm == 2:
		return Budget{ULP: 3 + depth/2}
	case g.Kind == PoolLp:
		p := float64(g.Norm)
		return Budget{ULP: 12 + (12*math.Log2(float64(g.Taps()))+15+depth)/p}
	}
	return Budget{}
}
