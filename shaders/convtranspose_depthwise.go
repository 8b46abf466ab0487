package shaders

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed convtranspose_depthwise.wgsl
var convTransposeDepthwiseWGSL string

// transposedDepthwise is what shapes the text of the depthwise kernel of a
// transposed convolution.
type transposedDepthwise struct {
	vecIn, vecOut bool // inputs are loaded, outputs stored by vec4
	height, width tileAxis
	fn            spec.Pointwise
}

// taps is how many multiply-adds the text has.
func (t *transposedDepthwise) taps() int {
	n := 0
	t.each(func(_, _, _, _, _ int) { n++ })
	return n
}

// each calls do for every row r and column e of the tile with every input, at slots
// a and s, that reaches over them, and its tap. Inputs come in order.
func (t *transposedDepthwise) each(do func(a, r, e, s, tap int)) {
	h, w := &t.height, &t.width
	for a := range h.slots {
		for r := range h.size {
			th := r + h.shift - a*h.stride
			if th < 0 || th >= h.kernel {
				continue
			}
			for e := range w.size {
				for s := range w.slots {
					if tw := e + w.shift - s*w.stride; tw >= 0 && tw < w.kernel {
						do(a, r, e, s, th*w.kernel+tw)
					}
				}
			}
		}
	}
}

// mostTransposedTaps bounds them: a software adapter takes long to compile many.
const mostTransposedTaps = 300

// mostTransposedKernel is how many weights registers hold.
const mostTransposedKernel = 49

func newTransposedDepthwise(g *spec.ConvTranspose) transposedDepthwise {
	t := transposedDepthwise{vecOut: g.Out[2]%4 == 0, fn: g.Act.Func}
	if g.KG() != 1 || g.Kernel[1] > mostTransposedKernel || g.Kernel[2] > mostTransposedKernel/g.Kernel[1] {
		return t // it cannot serve, and to count so many taps takes long
	}
	rows := tileCPU.rows
	if g.Out[1] == 1 {
		rows = 1
	}
	t.height = newTileAxis(&g.Window, 1, rows, 1)
	for cols := tileCPU.cols; ; cols /= 2 {
		t.width = newTileAxis(&g.Window, 2, cols, 4)
		if cols <= 4 || t.taps() <= mostTransposedTaps && cols < 2*g.Out[2] {
			break
		}
	}
	t.vecIn = t.width.wholeSlots(g.In[2])
	return t
}

// cost is the modelled time of a software adapter.
func (t *transposedDepthwise) cost(g *spec.ConvTranspose) float64 {
	tiles := float64(g.N*g.K*g.OutSize()) / float64(max(1, t.height.size*t.width.size))
	return 2e6 + tiles*(3*float64(g.CG()*g.Kernel[0]*t.taps())+6*float64(t.height.size*t.width.size))
}

// transposedDepthwiseNot says why the kernel cannot serve, "" where it can.
func transposedDepthwiseNot(g *spec.ConvTranspose, t *transposedDepthwise, dev Device) string {
	switch {
	case g.KG() != 1:
		return fmt.Sprintf("it is not depthwise: a group has %d output channels", g.KG())
	case g.Dilation[0] > 1 && g.Kernel[0] > 1, g.Dilation[1] > 1 && g.Kernel[1] > 1, g.Dilation[2] > 1 && g.Kernel[2] > 1:
		return "the windows have gaps"
	case t.height.size == 0:
		return fmt.Sprintf("a %dx%d kernel is too large for registers", g.Kernel[1], g.Kernel[2])
	case t.height.size*t.width.size > maxTileElements:
		return fmt.Sprintf("a tile of whole strides has %d elements, more than %d", t.height.size*t.width.size, maxTileElements)
	case t.taps() > mostTransposedTaps || t.height.slots*t.width.slots > mostTransposedTaps:
		return "its elements lie under too many inputs"
	}
	return tooManyRounds(g.CG()*g.Kernel[0], dev)
}

func convTransposeDepthwise(g spec.ConvTranspose, t transposedDepthwise, dev Device) Plan {
	blocksW, blocksH := ceilDiv(g.Out[2], t.width.size), ceilDiv(g.Out[1], t.height.size)
	total := g.N * g.K * g.Out[0] * blocksH * blocksW
	return Plan{Steps: []Step{{
		Kernel: transposedDepthwiseKernel(t),
		Params: Params{}.U32(total, blocksW, blocksH, g.K, g.CG()).U32(g.In[:]...).U32(g.Out[:]...).
			U32(g.Kernel[0], g.Stride[0], g.PadBegin[0]).I32(t.height.first, t.width.first).U32(flag(g.Bias)).F32(g.Act.A, g.Act.B),
		Operands: []Operand{In(0), In(1), In(2), Out(0)},
		Groups:   Grid1D(ceilDiv(total, 8), dev.MaxGroups),
	}}}
}

func transposedDepthwiseKernel(t transposedDepthwise) *Kernel {
	t.height.first, t.width.first = 0, 0 // comes at run time
	return intern(fmt.Sprintf("convtranspose_depthwise_%+v", t), func() *Kernel {
		h, w := &t.height, &t.width
		edits := []edit{
			setU32("ROWS", h.size), setU32("COLS", w.size), setU32("TILE", h.size*w.size), setU32("QUADS", w.size/4),
			setU32("KERNEL_H", h.kernel), setU32("KERNEL_W", w.kernel), setU32("TAPS", h.kernel*w.kernel),
			setU32("STRIDE_H", h.stride), setU32("STRIDE_W", w.stride), setU32("SHIFT_H", h.shift), setU32("SHIFT_W", w.shift),
			setU32("SLOTS_H", h.slots), setU32("SLOTS_W", w.slots), swap("taps", t.text()),
			swap("activate", ActivationSource("activate", spec.Activation{Func: t.fn})),
		}
		if t.vecIn {
			edits = append(edits, setU32("SLOT_QUADS", w.slots/4), swap("input", transposedDepthwiseVecIn))
		}
		if t.vecOut {
			edits = append(edits, swap("output", `@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
fn store(row: u32, c: u32, v: vec4<f32>) {
  if (c < p.out_w) { y[(row * p.out_w + c) / 4u] = v; }
}`))
		}
		return &Kernel{Source: specialise(convTransposeDepthwiseWGSL, append(edits, unroll)...), ParamBytes: 19 * 4,
			Writes: []bool{false, false, false, true}}
	})
}

// text is the taps written out, row of inputs by row.
func (t *transposedDepthwise) text() string {
	var s strings.Builder
	row := -1
	t.each(func(a, r, e, slot, tap int) {
		if a != row {
			if row >= 0 {
				s.WriteString("      }\n")
			}
			fmt.Fprintf(&s, "      {\n        let ih = ih0 + %d;\n        let there = ih >= 0 && ih < i32(p.in_h);\n", a)
			s.WriteString("        var g = load(source + u32(clamp(ih, 0, i32(p.in_h) - 1)) * p.in_w, iw0, there);\n")
			row = a
		}
		at := r*t.width.size + e
		fmt.Fprintf(&s, "        sum[%d] = fma(g[%d], weight[%d], sum[%d]);\n", at, slot, tap, at)
	})
	if row >= 0 {
		s.WriteString("      }")
	}
	return s.String()
}

// transposedDepthwiseVecIn loads the inputs of rows of whole vec4s: one is on the row
// or off it.
const transposedDepthwiseVecIn = `@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
fn load(row: u32, first: i32, exists: bool) -> array<f32, SLOTS_W> {
  var g: array<f32, SLOTS_W>;
  for (var q = 0u; q < SLOT_QUADS; q++) { // unroll
    let c = first + 4 * i32(q);
    let v = select(vec4<f32>(0.0), x[(row + u32(clamp(c, 0, i32(p.in_w) - 4))) >> 2u], exists && c >= 0 && c < i32(p.in_w));
    g[4u * q] = v.x;
    g[4u * q + 1u] = v.y;
    g[4u * q + 2u] = v.z;
    g[4u * q + 3u] = v.w;
  }
  return g;
}`

// transposedDepthwiseKernels are the kernels of common windows, and for one of them
// of every activation.
func transposedDepthwiseKernels() []*Kernel {
	var all []*Kernel
	for _, c := range [][3]int{{3, 2, 1}, {5, 2, 2}, {3, 1, 1}, {2, 2, 0}, {4, 2, 1}, {2, 3, 0}} { // kernel, stride, padding
		for _, in := range []int{12, 13} {
			g, err := spec.NewConvTranspose([]int{1, 1, in, in}, []int{1, 1, c[0], c[0]}, nil,
				spec.ConvTransposeParams{Stride: c[1:2], Padding: c[2:]})
			if err != nil {
				panic(err) // constants
			}
			all = append(all, transposedDepthwiseKernel(newTransposedDepthwise(&g)))
			if c == [3]int{3, 2, 1} && in == 12 {
				for _, fn := range spec.Pointwises() {
					g.Act.Func = fn
					all = append(all, transposedDepthwiseKernel(newTransposedDepthwise(&g)))
				}
			}
		}
	}
	return all
}
