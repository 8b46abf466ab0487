package spec

// ConvTransposeParams are the parameters of a transposed convolution in 1, 2 or
// 3 dimensions. Their meaning is that of PyTorch's ConvTranspose1d to 3d, with
// ONNX's padding per side, auto padding and output shape. The zero value is
// stride 1, no padding, one group.
type ConvTransposeParams struct {
	Stride   []int // one number, or one per spatial axis; default 1
	Dilation []int // likewise; default 1
	Padding  []int // cut from the output: one number, one per axis, or beginnings then ends; default 0

	// OutputPadding makes the output longer at its end, where several sizes
	// have the same input size under a stride. Smaller than the stride or the
	// dilation; default 0. OutputSize, one number or one per axis, may be given
	// instead and says the size itself.
	OutputPadding []int
	OutputSize    []int

	// AutoPad chooses Padding so that out = in*stride, or OutputSize where that
	// is given; an odd excess is cut from the end (SameUpper) or the beginning
	// (SameLower). ONNX's output_shape without auto_pad is SameLower.
	AutoPad AutoPad
	Groups  int        // channel groups; 0 means 1
	Act     Activation // applied to each output; default none
}

// ConvTranspose is a resolved transposed convolution. Input is
// [N, C, spatial...], weight is [C, K/Groups, kernel...], bias is [K], output is
// [N, K, spatial...]:
//
//	y[n,k,o] = act(b[k] + sum over c,i,t with i*stride - pad + t*dilation = o of x[n,c,i] * w[c, k-g*K/Groups, t])
//
// where g = k/(K/Groups), c runs over the C/Groups input channels of the group,
// and i and t over the input's positions and the kernel's taps. It is the
// gradient of a convolution with respect to its input: weight and window are
// those of the convolution from y to x.
type ConvTranspose struct {
	Window        // In is x, Out is y; PadBegin and PadEnd are cut from y
	N, C, K       int
	Groups        int
	OutputPadding [3]int // outputs after the last one that an input reaches, before PadEnd is cut
	Bias          bool
	Act           Activation
}

// NewConvTranspose checks and resolves a transposed convolution of x with weight
// w and an optional bias b (nil for none). It returns ErrShape, ErrParam or
// ErrTooLarge, naming the value.
func NewConvTranspose(x, w, b []int, p ConvTransposeParams) (ConvTranspose, error) {
	var g ConvTranspose
	rank := len(x) - 2
	if rank < 1 || rank > 3 {
		return g, shapeErr("input is %v: a transposed convolution takes [N C L], [N C H W] or [N C D H W]", x)
	}
	if len(w) != len(x) {
		return g, shapeErr("weight is %v: a %d-D transposed convolution takes %d axes [in out/groups kernel...]", w, rank, len(x))
	}
	if err := checkShapes(x, w, b); err != nil {
		return g, err
	}
	g = ConvTranspose{N: x[0], C: x[1], Groups: p.Groups, Act: p.Act, Bias: b != nil}
	g.Rank, g.In, g.Kernel = rank, spatial(x), spatial(w)
	if g.Groups == 0 {
		g.Groups = 1
	}
	if g.Groups < 0 {
		return g, paramErr("groups is %d; it must be positive", p.Groups)
	}
	if g.C%g.Groups != 0 {
		return g, paramErr("groups is %d, which does not divide the %d input channels", g.Groups, g.C)
	}
	if w[0] != g.C {
		return g, shapeErr("weight is %v: its first axis is the input channels, of which the input has %d", w, g.C)
	}
	if int64(w[1])*int64(g.Groups) > MaxElements {
		return g, sizeErr("weight is %v: %d groups of %d output channels are more than %d", w, g.Groups, w[1], MaxElements)
	}
	g.K = w[1] * g.Groups
	if b != nil && (len(b) != 1 || b[0] != g.K) {
		return g, shapeErr("bias is %v: %d output channels take [%d]", b, g.K, g.K)
	}
	var err error
	if g.Stride, err = perAxis("stride", p.Stride, rank, 1, 1); err != nil {
		return g, err
	}
	if g.Dilation, err = perAxis("dilation", p.Dilation, rank, 1, 1); err != nil {
		return g, err
	}
	if err = g.checkKernel(); err != nil {
		return g, err
	}
	if err = g.resolveTransposed(p); err != nil {
		return g, err
	}
	if err = p.Act.Check(); err != nil {
		return g, err
	}
	_, err = Elements(g.OutShape())
	return g, err
}

// resolveTransposed fills the padding, the output padding and the output size.
func (g *ConvTranspose) resolveTransposed(p ConvTransposeParams) error {
	var err error
	if g.OutputPadding, err = perAxis("output padding", p.OutputPadding, g.Rank, 0, 0); err != nil {
		return err
	}
	for i := 3 - g.Rank; i < 3; i++ {
		if o := g.OutputPadding[i]; o >= g.Stride[i] && o >= g.Dilation[i] {
			return paramErr("output padding %d must be smaller than the stride %d or the dilation %d", o, g.Stride[i], g.Dilation[i])
		}
	}
	switch n := len(p.OutputSize); {
	case n > 1 && n != g.Rank:
		return paramErr("output size %v has %d numbers; a %d-D window takes 1 or %d", p.OutputSize, n, g.Rank, g.Rank)
	case n > 0 && len(p.OutputPadding) > 0 && p.AutoPad == Explicit:
		return paramErr("output padding %v is given together with output size %v; give one of them", p.OutputPadding, p.OutputSize)
	}
	switch p.AutoPad {
	case Explicit:
		if g.PadBegin, g.PadEnd, err = padding(p.Padding, g.Rank); err != nil {
			return err
		}
	case SameUpper, SameLower:
		if len(p.Padding) > 0 {
			return paramErr("padding %v is given together with auto padding %v; give one of them", p.Padding, p.AutoPad)
		}
	default:
		return paramErr("auto padding %v is unknown", p.AutoPad)
	}
	for i := range g.Out {
		if g.span(i) > MaxElements {
			return sizeErr("axis %d has size %d: stride %d makes it longer than %d", i-(3-g.Rank)+2, g.In[i], g.Stride[i], MaxElements)
		}
		if i < 3-g.Rank {
			g.Out[i] = 1
			continue
		}
		if err := g.resolveAxis(i, p); err != nil {
			return err
		}
	}
	return nil
}

// span is the length of the uncut output along an axis.
func (g *ConvTranspose) span(i int) int {
	return (g.In[i]-1)*g.Stride[i] + g.Extent(i) + g.OutputPadding[i]
}

// resolveAxis fills one axis of Out, and of the padding where that is automatic.
func (g *ConvTranspose) resolveAxis(i int, p ConvTransposeParams) error {
	axis := i - (3 - g.Rank) + 2
	size := 0 // that was asked for
	if n := len(p.OutputSize); n > 0 {
		size = p.OutputSize[0]
		if n > 1 {
			size = p.OutputSize[i-(3-g.Rank)]
		}
		if size < 1 || size > MaxElements {
			return paramErr("output size %v: axis %d cannot have size %d", p.OutputSize, axis, size)
		}
	}
	if p.AutoPad != Explicit {
		if size == 0 {
			size = g.In[i] * g.Stride[i]
		}
		// A total below zero cuts nothing: no input reaches the outputs that
		// are asked for beyond the span.
		total := max(0, g.span(i)-size)
		g.PadBegin[i] = total / 2
		if p.AutoPad == SameLower {
			g.PadBegin[i] = total - total/2
		}
		g.PadEnd[i] = total - g.PadBegin[i]
		g.OutputPadding[i] += max(0, size-g.span(i))
		g.Out[i] = size
		return nil
	}
	least := g.span(i) - g.PadBegin[i] - g.PadEnd[i]
	if size != 0 {
		if most := least + max(g.Stride[i], g.Dilation[i]) - 1; size < least || size > most {
			return paramErr("output size %v: axis %d can have sizes from %d to %d, not %d", p.OutputSize, axis, least, most, size)
		}
		g.OutputPadding[i] = size - least
		g.Out[i] = size
		return nil
	}
	if least < 1 {
		return shapeErr("axis %d of the output has no element left: %d, of which the padding cuts %d and %d", axis, g.span(i), g.PadBegin[i], g.PadEnd[i])
	}
	g.Out[i] = least
	return nil
}

// OutShape returns [N, K, spatial...].
func (g *ConvTranspose) OutShape() []int { return g.Shape([]int{g.N, g.K}, g.Out) }

// CG returns the number of input channels of one group.
func (g *ConvTranspose) CG() int { return g.C / g.Groups }

// KG returns the number of output channels of one group.
func (g *ConvTranspose) KG() int { return g.K / g.Groups }

// Terms returns the largest number of products that are summed for one output.
// Along an axis a kernel's taps meet inputs at every output only without a
// stride; with one, every stride/gcd(stride, dilation)-th tap does.
func (g *ConvTranspose) Terms() int {
	n := g.CG()
	for i := range g.Kernel {
		step := g.Stride[i] / gcd(g.Stride[i], g.Dilation[i])
		n *= (g.Kernel[i] + step - 1) / step
	}
	return n
}

// Flops returns the arithmetic of the direct form: two operations, a
// multiplication and an addition, for each input, output channel and tap.
func (g *ConvTranspose) Flops() float64 {
	return 2 * float64(g.N) * float64(g.C) * float64(g.InSize()) * float64(g.KG()) * float64(g.Taps())
}

// Budget returns the error that an implementation may have; see SumBudget.
func (g *ConvTranspose) Budget() Budget { return SumBudget(g.Terms()).ThenActivation(g.Act) }

// gcd returns the greatest common divisor of two positive numbers.
func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
