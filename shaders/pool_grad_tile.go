package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed pool_grad_tile.wgsl
var poolGradTileWGSL string

// poolGradTile is what shapes the text of the tile kernel of a pooling's gradient.
type poolGradTile struct {
	kind          spec.PoolKind
	fixed         bool // every window of a sum has the same count
	depth         bool // there is an axis of depth
	vecIn         bool // outputs are loaded by vec4
	vecOut        bool // dx is stored by vec4
	height, width tileAxis
}

// tileAxis is one axis of the tile: size elements of dx under slots outputs, of
// which the first starts shift elements before the tile.
type tileAxis struct {
	kernel, stride     int
	size, slots, shift int
	first              int // the first output of the first tile
}

// newTileAxis returns the axis for tiles of about the given size, a multiple of
// the stride and of whole.
func newTileAxis(g *spec.Window, axis, size, whole int) tileAxis {
	a := tileAxis{kernel: g.Kernel[axis], stride: g.Stride[axis]}
	step := a.stride
	for step%whole != 0 {
		step += a.stride
	}
	a.size = max(size/step, 1) * step
	// Element e of the tile lies pad%stride+e behind the start of output pad/stride
	// of the first tile; the first output over it starts less than a kernel before.
	lead := g.PadBegin[axis] % a.stride
	back := max(0, (a.kernel-1-lead)/a.stride)
	if a.kernel-1 < lead {
		back = 0
	}
	a.shift = lead + back*a.stride
	a.first = g.PadBegin[axis]/a.stride - back
	a.slots = (a.shift+a.size-1)/a.stride + 1
	return a
}

// wholeSlots widens the axis until outputs, of which there are out, can be loaded by
// vec4s, and reports whether they can.
func (a *tileAxis) wholeSlots(out int) bool {
	if out%4 != 0 || a.size/a.stride%4 != 0 {
		return false
	}
	for ; a.first%4 != 0; a.first-- {
		a.shift += a.stride
		a.slots++
	}
	a.slots = ceilDiv(a.slots, 4) * 4
	return true
}

// maxTileElements is what registers hold.
const maxTileElements = 48

// pairs is how many times the text adds an output to an element.
func (t *poolGradTile) pairs() int {
	return t.height.size * t.width.size * ceilDiv(t.height.kernel, t.height.stride) * ceilDiv(t.width.kernel, t.width.stride)
}

// mostPairs bounds them: a software adapter takes a second to compile 200.
func (t *poolGradTile) mostPairs() int {
	if t.kind == spec.PoolLp { // with a power each
		return 40
	}
	return 130
}

func newPoolGradTile(g *spec.PoolGrad, rows, cols int) poolGradTile {
	t := poolGradTile{kind: g.Kind, vecOut: g.In[2]%4 == 0, depth: g.In[0] > 1 || g.Out[0] > 1}
	if g.Adaptive { // it has no stride
		return t
	}
	if g.In[1] == 1 {
		rows = 1
	}
	t.height, t.width = newTileAxis(&g.Window, 1, rows, 1), newTileAxis(&g.Window, 2, cols, 4)
	for cols > 4 && t.pairs() > t.mostPairs() {
		cols /= 2
		t.width = newTileAxis(&g.Window, 2, cols, 4)
	}
	_, t.fixed = g.FixedCount()
	if g.Kind == spec.PoolLp && g.PlainNorm || g.Kind == spec.PoolMax {
		t.fixed = true
	}
	t.vecIn = t.width.wholeSlots(g.Out[2])
	return t
}

// poolGradTileNot says why a tile cannot serve a pooling, if so.
func poolGradTileNot(g *spec.PoolGrad, t poolGradTile, dev Device) string {
	h, w := t.height, t.width
	switch {
	case g.Adaptive:
		return "the windows differ in size"
	case g.Dilation[0] > 1 && g.Kernel[0] > 1, g.Dilation[1] > 1 && g.Kernel[1] > 1, g.Dilation[2] > 1 && g.Kernel[2] > 1:
		return "the windows have gaps"
	case h.size*w.size > maxTileElements:
		return fmt.Sprintf("a tile of whole strides has %d elements, more than %d", h.size*w.size, maxTileElements)
	case t.pairs() > t.mostPairs() || h.slots*w.slots > t.mostPairs():
		return "its elements lie under too many windows"
	}
	return tooManyLoops(g.Kernel[0], dev)
}

func poolGradTileKernel(t poolGradTile) *Kernel {
	t.height.first, t.width.first = 0, 0 // comes at run time
	return intern(fmt.Sprintf("pool_grad_tile_%+v", t), func() *Kernel {
		edits := []edit{
			setU32("KIND", int(t.kind)), setBool("FIXED", t.fixed), setBool("DEPTH", t.depth), swap("math", MathSource("k_log2", "k_exp2")),
			setU32("ROWS", t.height.size), setU32("COLS", t.width.size), setU32("TILE", t.height.size*t.width.size), setU32("QUADS", t.width.size/4),
			setU32("KERNEL_H", t.height.kernel), setU32("KERNEL_W", t.width.kernel),
			setU32("STRIDE_H", t.height.stride), setU32("STRIDE_W", t.width.stride),
			setU32("SHIFT_H", t.height.shift), setU32("SHIFT_W", t.width.shift),
			setU32("SLOTS_H", t.height.slots), setU32("SLOTS_W", t.width.slots),
		}
		if t.vecIn {
			edits = append(edits, setU32("SLOT_QUADS", t.width.slots/4), swap("input", poolGradTileVecIn))
		}
		if t.vecOut {
			edits = append(edits, swap("output", `@group(0) @binding(4) var<storage, read_write> dx: array<vec4<f32>>;
fn store(row: u32, c: u32, v: vec4<f32>) {
  if (c < p.in_w) { dx[(row * p.in_w + c) / 4u] = v; }
}`))
		}
		return &Kernel{
			Source:     unroll(specialise(poolGradTileWGSL, edits...)),
			ParamBytes: 23 * 4,
			Writes:     []bool{false, false, false, true},
		}
	})
}

// poolGradTileVecIn loads the outputs of rows of whole vec4s: one is on the row or
// off it.
const poolGradTileVecIn = `@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> aux: array<vec4<u32>>;
fn load(row: u32, first: i32, exists: bool, g: ptr<function, array<f32, SLOTS_W>>, u: ptr<function, array<u32, SLOTS_W>>) {
  for (var q = 0u; q < SLOT_QUADS; q++) { // unroll
    let c = first + 4 * i32(q);
    let at = (row + u32(clamp(c, 0, i32(p.out_w) - 4))) >> 2u;
    let there = exists && c >= 0 && c < i32(p.out_w);
    let v = select(vec4<f32>(0.0), dy[at], there);
    (*g)[4u * q] = v.x;
    (*g)[4u * q + 1u] = v.y;
    (*g)[4u * q + 2u] = v.z;
    (*g)[4u * q + 3u] = v.w;
    if (KIND != 1u) {
      let n = select(vec4<u32>(0u), aux[at], there);
      (*u)[4u * q] = n.x;
      (*u)[4u * q + 1u] = n.y;
      (*u)[4u * q + 2u] = n.z;
      (*u)[4u * q + 3u] = n.w;
    }
  }
}`

func poolGradTiled(g spec.PoolGrad, t poolGradTile, dev Device) Plan {
	const wg = 64
	blocksW, blocksH := ceilDiv(g.In[2], t.width.size), ceilDiv(g.In[1], t.height.size)
	total := g.Planes() * g.In[0] * blocksH * blocksW
	scale := float32(1)
	switch n, ok := g.FixedCount(); {
	case g.Kind == spec.PoolAvg && ok:
		scale = float32(1 / float64(n))
	case g.Kind == spec.PoolLp && !t.fixed:
		scale = float32(g.Taps())
	}
	return Plan{Steps: []Step{{
		Kernel: poolGradTileKernel(t),
		Params: Params{}.U32(total, blocksW, blocksH).U32(g.In[:]...).U32(g.Out[:]...).
			U32(g.Kernel[0], g.Stride[0]).I32(t.height.first, t.width.first).U32(g.PadBegin[:]...).
			U32(g.In[0]+g.PadEnd[0], g.In[1]+g.PadEnd[1], g.In[2]+g.PadEnd[2]).
			U32(flag(g.ExcludePad)).F32(scale).U32(flag(g.PlainNorm)).F32(g.Norm),
		Operands: []Operand{In(0), In(1), In(2), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	}}}
}

// poolGradTileKernels are the tile kernels of common windows.
func poolGradTileKernels() []*Kernel {
	var all []*Kernel
	for _, w := range [][3]int{{2, 2, 0}, {3, 2, 1}, {3, 1, 1}, {3, 3, 0}} {
		for _, in := range []int{112, 113} {
			for _, kind := range []spec.PoolKind{spec.PoolMax, spec.PoolAvg, spec.PoolLp} {
				p := spec.PoolParams{Kernel: w[:1], Stride: w[1:2], Padding: w[2:], ExcludePad: true}
				g, err := spec.NewPool(kind, []int{1, 1, in, in}, 2, p)
				if err != nil {
					panic(err) // constants
				}
				for _, size := range []tileSize{tileCPU, tileGPU} {
					all = append(all, poolGradTileKernel(newPoolGradTile(&spec.PoolGrad{Pool: g}, size.rows, size.cols)))
				}
			}
		}
	}
	return all
}

// tileSize is how many elements of dx an invocation makes, about.
type tileSize struct{ rows, cols int }

// A software adapter gains from loading each output once, a GPU from many
// invocations that are neighbours in memory.
var (
	tileCPU = tileSize{2, 16}
	tileGPU = tileSize{1, 4}
)
