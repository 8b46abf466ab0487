package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed conv_depthwise.wgsl
var convDepthwiseWGSL string

//go:embed conv_depthwise_row.wgsl
var convDepthwiseRowWGSL string

// depthwiseShape is what shapes the text of conv_depthwise.wgsl.
type depthwiseShape struct {
	rows             int // output rows of an invocation
	kernelH, kernelW int
	stride, dilation int // along H
	fn               spec.Pointwise
}

// inRows returns the input rows that the output rows need.
func (s depthwiseShape) inRows() int {
	return (s.rows-1)*s.stride + (s.kernelH-1)*s.dilation + 1
}

func depthwiseShapeOf(g spec.Conv) depthwiseShape {
	return depthwiseShape{min(4, g.Out[1]), g.Kernel[1], g.Kernel[2], g.Stride[1], g.Dilation[1], g.Act.Func}
}

// depthwiseNot says why the depthwise kernel cannot serve, "" where it can.
func depthwiseNot(g spec.Conv, dev Device) string {
	s := depthwiseShapeOf(g)
	switch {
	case g.CG() != 1:
		return fmt.Sprintf("it is not depthwise: a group has %d input channels", g.CG())
	case s.inRows() > 32 || s.kernelH*s.kernelW > 49:
		return fmt.Sprintf("a %dx%d kernel is too large for registers", s.kernelH, s.kernelW)
	case g.PadMode != spec.PadZeros:
		in := padded(g)
		return tooLarge(dev, g.N*g.C*in[0]*in[1]*in[2])
	}
	return ""
}

// convDepthwise plans a depthwise convolution for a GPU.
func convDepthwise(g spec.Conv, dev Device) (Plan, error) {
	var p Plan
	x := In(0)
	if g.PadMode != spec.PadZeros {
		x, g = p.pad(g, dev)
	}
	const wg = 64
	s := depthwiseShapeOf(g)
	hTiles := ceilDiv(g.Out[1], s.rows)
	total := g.N * g.K * g.Out[0] * hTiles * g.Out[2]
	p.add(Step{
		Kernel: depthwiseKernel(s),
		Params: Params{}.U32(total, hTiles, g.K, g.KG()).U32(g.In[:]...).U32(g.Out[:]...).
			U32(g.Kernel[0], g.Stride[0], g.Stride[2], g.Dilation[0], g.Dilation[2]).U32(g.PadBegin[:]...).
			U32(flag(g.Bias)).F32(g.Act.A, g.Act.B),
		Operands: []Operand{x, In(1), In(2), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	})
	return p, nil
}

func depthwiseKernel(s depthwiseShape) *Kernel {
	name := fmt.Sprintf("conv_depthwise_%d_k%dx%ds%dd%d_%v", s.rows, s.kernelH, s.kernelW, s.stride, s.dilation, s.fn)
	return intern(name, func() *Kernel {
		return &Kernel{
			Source: specialise(convDepthwiseWGSL, setU32("TH", s.rows), setU32("KH", s.kernelH), setU32("KW", s.kernelW),
				setU32("SH", s.stride), setU32("DH", s.dilation), setU32("ROWS", s.inRows()),
				swap("activate", ActivationSource("activate", spec.Activation{Func: s.fn})), unroll),
			ParamBytes: 21 * 4,
			Writes:     []bool{false, false, false, true},
		}
	})
}

// depthwiseRowShape is what shapes the text of conv_depthwise_row.wgsl.
type depthwiseRowShape struct {
	rows, w4             int // output rows, and columns in vec4s, of an invocation
	kernelH, kernelW     int
	strideH, strideW     int
	dilationH, dilationW int
	shift                int
	singleIn, singleOut  bool // rows are no whole vec4s: by single numbers
}

func (s depthwiseRowShape) inRows() int {
	return (s.rows-1)*s.strideH + (s.kernelH-1)*s.dilationH + 1
}

func (s depthwiseRowShape) row4() int {
	return ceilDiv(s.shift+(4*s.w4-1)*s.strideW+(s.kernelW-1)*s.dilationW+1, 4)
}

// fits reports whether the text is short enough for a software adapter.
func (s depthwiseRowShape) fits() bool {
	return s.inRows()*s.row4() <= 64 && s.kernelH*s.kernelW*s.rows*s.w4 <= 256
}

// depthwiseRowTiles are the rows, and columns in vec4s, of a tile, the largest
// first.
var depthwiseRowTiles = [][2]int{{2, 4}, {1, 4}, {2, 2}, {1, 2}, {1, 1}}

// depthwiseRowShapeOf returns the largest tile that fits.
func depthwiseRowShapeOf(g spec.Conv) (s depthwiseRowShape, ok bool) {
	for _, tile := range depthwiseRowTiles {
		s = depthwiseRowShape{tile[0], tile[1], g.Kernel[1], g.Kernel[2], g.Stride[1], g.Stride[2], g.Dilation[1], g.Dilation[2], 0, depthwiseSingleIn(g), depthwiseSingleOut(g)}
		if !registerPads(g) {
			s.shift = -g.PadBegin[2] & 3
		}
		wasteful := g.Out[1] < s.rows || g.Out[2] <= 4*s.w4-4 && s.w4 > 1
		if s.fits() && !wasteful {
			return s, true
		}
	}
	return s, false
}

// depthwiseSingleIn reports whether the row kernel reads x by single numbers, and
// depthwiseSingleOut whether it writes y so: copies with lengthened rows would take
// more memory than x and y, and more time than that.
func depthwiseSingleIn(g spec.Conv) bool { return g.PadMode == spec.PadZeros && g.In[2]%4 != 0 }

func depthwiseSingleOut(g spec.Conv) bool {
	return g.Out[2]%4 != 0 && (g.Act.Func == spec.Identity || g.Act.Func == spec.ReLU)
}

// depthwiseRowNot says why the row kernel cannot serve, "" where it can.
func depthwiseRowNot(g spec.Conv, dev Device) string {
	if g.CG() != 1 {
		return fmt.Sprintf("it is not depthwise: a group has %d input channels", g.CG())
	}
	if _, ok := depthwiseRowShapeOf(g); !ok {
		return fmt.Sprintf("a %dx%d kernel is too large for registers", g.Kernel[1], g.Kernel[2])
	}
	sizes := []int{sums(g)}
	if g.PadMode != spec.PadZeros {
		in := padded(g)
		sizes = append(sizes, g.N*g.C*in[0]*in[1]*in[2])
	}
	return tooLarge(dev, sizes...)
}

// convDepthwiseRow plans a depthwise convolution for a software adapter.
func convDepthwiseRow(g spec.Conv, dev Device) (Plan, error) {
	var p Plan
	s, _ := depthwiseRowShapeOf(g)
	x, y := In(0), Out(0)
	if g.PadMode != spec.PadZeros {
		x, g = p.pad(g, dev)
	}
	inW, padW, outW := g.In[2]/4, ceilDiv(g.PadBegin[2], 4), ceilDiv(g.Out[2], 4)
	if s.singleIn {
		inW, padW = g.In[2], g.PadBegin[2]
	}
	if s.singleOut {
		outW = g.Out[2]
	} else {
		y = p.sumsTo(g)
	}
	wTiles, hTiles := ceilDiv(g.Out[2], 4*s.w4), ceilDiv(g.Out[1], s.rows)
	total := g.N * g.K * g.Out[0] * hTiles * wTiles
	p.add(Step{
		Kernel: depthwiseRowKernel(s),
		Params: Params{}.U32(total, wTiles, hTiles, g.K, g.KG(), g.In[0], g.In[1], inW).
			U32(g.Out[0], g.Out[1], outW, g.Kernel[0], g.Stride[0], g.Dilation[0]).
			U32(g.PadBegin[0], g.PadBegin[1], padW, flag(g.Bias)).F32(floorOf(g.Act)),
		Operands: []Operand{x, In(1), In(2), y},
		Groups:   Grid1D(ceilDiv(total, 8), dev.MaxGroups),
	})
	p.finish(g, y, dev)
	return p, nil
}

func depthwiseRowKernel(s depthwiseRowShape) *Kernel {
	name := fmt.Sprintf("conv_depthwise_row_%dx%d_k%dx%ds%dx%dd%dx%d_shift%d_single%t_%t", s.rows, 4*s.w4,
		s.kernelH, s.kernelW, s.strideH, s.strideW, s.dilationH, s.dilationW, s.shift, s.singleIn, s.singleOut)
	return intern(name, func() *Kernel {
		text := convDepthwiseRowWGSL
		if s.singleIn {
			text = specialise(text, setU32("UNIT_IN", 4), swap("input", "@group(0) @binding(1) var<storage, read> x: array<f32>;"+depthwiseSingleInput))
		}
		if s.singleOut {
			text = specialise(text, swap("output", depthwiseSingleOutput))
		}
		return &Kernel{
			Source: specialise(text, setU32("TH", s.rows), setU32("TW4", s.w4), setU32("ACC", s.rows*s.w4),
				setU32("KH", s.kernelH), setU32("KW", s.kernelW), setU32("SH", s.strideH), setU32("SW", s.strideW),
				setU32("DH", s.dilationH), setU32("DW", s.dilationW), setU32("SHIFT", s.shift),
				setU32("ROW4", s.row4()), setU32("BLOCK", s.inRows()*s.row4()), unroll),
			ParamBytes: 19 * 4,
			Writes:     []bool{false, false, false, true},
		}
	})
}

// depthwiseSingleInput follows the binding of x.
const depthwiseSingleInput = `
fn one(at: u32, c: u32, row: bool) -> f32 {
  let ok = row && c < p.in_w4;
  return select(0.0, x[select(0u, at, ok)], ok);
}
fn fetch(at: u32, c: u32, row: bool) -> vec4<f32> {
  return vec4<f32>(one(at, c, row), one(at + 1u, c + 1u, row), one(at + 2u, c + 2u, row), one(at + 3u, c + 3u, row));
}`

const depthwiseSingleOutput = `@group(0) @binding(4) var<storage, read_write> y: array<f32>;
fn store(row: u32, c: u32, j: u32, v: vec4<f32>) {
  let first = 4u * (c + j);
  let at = row * p.out_w4 + first;
  if (first < p.out_w4) { y[at] = v.x; }
  if (first + 1u < p.out_w4) { y[at + 1u] = v.y; }
  if (first + 2u < p.out_w4) { y[at + 2u] = v.z; }
  if (first + 3u < p.out_w4) { y[at + 3u] = v.w; }
}`

// convDepthwiseKernels enumerates depthwise kernels for the usual windows and,
// for one of them, every activation.
func convDepthwiseKernels() []*Kernel {
	var all []*Kernel
	for _, k := range []int{3, 5, 7} {
		for stride := 1; stride <= 2; stride++ {
			all = append(all, depthwiseKernel(depthwiseShape{4, k, k, stride, 1, spec.Identity}))
			for _, shift := range []int{0, -(k / 2) & 3} {
				for _, tile := range depthwiseRowTiles {
					s := depthwiseRowShape{tile[0], tile[1], k, k, stride, stride, 1, 1, shift, false, false}
					if s.fits() {
						all = append(all, depthwiseRowKernel(s))
						break
					}
				}
			}
		}
	}
	for _, tile := range depthwiseRowTiles {
		for shift := range 4 {
			all = append(all, depthwiseRowKernel(depthwiseRowShape{tile[0], tile[1], 2, 3, 1, 3, 3, 2, shift, false, false}))
		}
	}
	for _, single := range [][2]bool{{true, false}, {false, true}, {true, true}} {
		all = append(all, depthwiseRowKernel(depthwiseRowShape{2, 4, 3, 3, 1, 1, 1, 1, 0, single[0], single[1]}))
	}
	all = append(all, depthwiseKernel(depthwiseShape{3, 2, 1, 3, 2, spec.Identity}))
	for _, fn := range spec.Pointwises() {
		all = append(all, depthwiseKernel(depthwiseShape{4, 3, 3, 1, 1, fn}))
	}
	return all
}
