package spec

// ConvParams are the parameters of a convolution in 1, 2 or 3 dimensions. Their
// meaning is that of PyTorch's Conv1d, Conv2d and Conv3d; padding may differ
// per side, as in ONNX. The zero value is stride 1, no padding, one group.
type ConvParams struct {
	Stride   []int      // one number, or one per spatial axis; default 1
	Dilation []int      // likewise; default 1
	Padding  []int      // one number, one per axis, or beginnings then ends; default 0
	AutoPad  AutoPad    // SameUpper and SameLower choose Padding from the shapes
	PadMode  PadMode    // what stands in the padding; default zeros
	Groups   int        // channel groups; 0 means 1
	Act      Activation // applied to each output; default none

	// Direct has every output summed from its own products. Without it 3x3
	// convolutions with stride 1 may be computed in tiles, by Winograd's method.
	// Pure Go does so for tiles whose inputs and weights keep the error of each
	// output within its budget, roundings being taken as independent of each
	// other, and computes the others directly; so with their weights' gradients,
	// channel by channel. On a GPU only a kernel that is forced
	// by name does: its error is within WinogradBudget, and a NaN or infinity reaches
	// all outputs of its tile.
	Direct bool
}

// Conv is a resolved convolution. Input is [N, C, spatial...], weight is
// [K, C/Groups, kernel...], bias is [K], output is [N, K, spatial...]:
//
//	y[n,k,o] = act(b[k] + sum over c,t of x[n, g*C/Groups+c, o*stride - pad + t*dilation] * w[k,c,t])
//
// where g = k/(K/Groups), and the sum runs over the C/Groups channels of the
// group and the taps t of the kernel. It is a cross-correlation, as in PyTorch.
type Conv struct {
	Window
	N, C, K, Groups int
	Bias            bool
	PadMode         PadMode
	Act             Activation
	Direct          bool
}

// NewConv checks and resolves a convolution of x with weight w and an optional
// bias b (nil for none). It returns ErrShape or ErrParam, naming the value.
func NewConv(x, w, b []int, p ConvParams) (Conv, error) {
	var g Conv
	rank := len(x) - 2
	if rank < 1 || rank > 3 {
		return g, shapeErr("input is %v: a convolution takes [N C L], [N C H W] or [N C D H W]", x)
	}
	if len(w) != len(x) {
		return g, shapeErr("weight is %v: a %d-D convolution takes %d axes [out in/groups kernel...]", w, rank, len(x))
	}
	if err := checkShapes(x, w, b); err != nil {
		return g, err
	}
	g = Conv{N: x[0], C: x[1], K: w[0], Groups: p.Groups, PadMode: p.PadMode, Act: p.Act, Bias: b != nil, Direct: p.Direct}
	g.Rank, g.In, g.Kernel = rank, spatial(x), spatial(w)
	if g.Groups == 0 {
		g.Groups = 1
	}
	if g.Groups < 0 {
		return g, paramErr("groups is %d; it must be positive", p.Groups)
	}
	if g.C%g.Groups != 0 || g.K%g.Groups != 0 {
		return g, paramErr("groups is %d, which does not divide both the %d input and the %d output channels", g.Groups, g.C, g.K)
	}
	if w[1] != g.C/g.Groups {
		return g, shapeErr("weight is %v: %d input channels per group, but the input has %d in %d group(s)", w, w[1], g.C, g.Groups)
	}
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
	if err = g.resolvePadding(p.AutoPad, p.Padding); err != nil {
		return g, err
	}
	if err = g.checkPadMode(p.PadMode); err != nil {
		return g, err
	}
	if err = g.resolveOut(false); err != nil {
		return g, err
	}
	if err = p.Act.Check(); err != nil {
		return g, err
	}
	_, err = Elements(g.OutShape())
	return g, err
}

// OutShape returns [N, K, spatial...].
func (g *Conv) OutShape() []int { return g.Shape([]int{g.N, g.K}, g.Out) }

// CG returns the number of input channels of one group.
func (g *Conv) CG() int { return g.C / g.Groups }

// KG returns the number of output channels of one group.
func (g *Conv) KG() int { return g.K / g.Groups }

// Terms returns the number of products that are summed for one output.
func (g *Conv) Terms() int { return g.CG() * g.Taps() }

// Flops returns the arithmetic of the direct convolution: two operations, a
// multiplication and an addition, for each product.
func (g *Conv) Flops() float64 {
	return 2 * float64(g.N) * float64(g.K) * float64(g.OutSize()) * float64(g.Terms())
}

// Budget returns the error that an implementation may have; see SumBudget.
func (g *Conv) Budget() Budget { return SumBudget(g.Terms()).ThenActivation(g.Act) }

// checkShapes checks every shape that is given.
func checkShapes(shapes ...[]int) error {
	for _, s := range shapes {
		if s == nil {
			continue
		}
		if _, err := Elements(s); err != nil {
			return err
		}
	}
	return nil
}

// checkKernel refuses kernels whose dilated span could overflow an index.
func (w *Window) checkKernel() error {
	for i := range w.Kernel {
		if w.Kernel[i] > maxWindowParam || w.Extent(i) > maxWindowParam {
			return paramErr("kernel size %d with dilation %d spans more than %d", w.Kernel[i], w.Dilation[i], maxWindowParam)
		}
	}
	return nil
}

// Transposed returns the parameters of the transposed convolution that is the
// gradient of this one, which pads with zeros, with respect to its input.
func (g *Conv) Transposed() ConvTransposeParams {
	axes := func(v [3]int) []int { return append([]int{}, v[3-g.Rank:]...) }
	rest := [3]int{}
	for i := range rest {
		rest[i] = (g.In[i] + g.PadBegin[i] + g.PadEnd[i] - g.Extent(i)) % g.Stride[i]
	}
	return ConvTransposeParams{
		Stride: axes(g.Stride), Dilation: axes(g.Dilation), Groups: g.Groups,
		Padding: append(axes(g.PadBegin), axes(g.PadEnd)...), OutputPadding: axes(rest),
	}
}
