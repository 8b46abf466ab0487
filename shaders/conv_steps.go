package shaders

import (
	_ "embed"
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// The small dispatches that stand before and after a convolution's kernel.

//go:embed conv_pack.wgsl
var convPackWGSL string

//go:embed conv_pad.wgsl
var convPadWGSL string

//go:embed conv_finish.wgsl
var convFinishWGSL string

//go:embed conv_reduce.wgsl
var convReduceWGSL string

// temp adds a temporary of n elements to the plan.
func (p *Plan) temp(n int) Operand {
	p.Temps = append(p.Temps, n)
	return Temp(len(p.Temps) - 1)
}

// add adds a dispatch to the plan.
func (p *Plan) add(s Step) { p.Steps = append(p.Steps, s) }

// flat returns the geometry with the spatial axes as one row where each output
// reads one input at the same place, so that rows are as long as can be.
func flat(g spec.Conv) spec.Conv {
	if !pointwise(g) {
		return g
	}
	n := g.InSize()
	g.In, g.Out = [3]int{1, 1, n}, [3]int{1, 1, n}
	return g
}

// pointwise reports whether each output reads one input per channel, at its own
// place: kernel 1, stride 1, no padding.
func pointwise(g spec.Conv) bool {
	one := [3]int{1, 1, 1}
	return g.Kernel == one && g.Stride == one && g.In == g.Out
}

// padded returns the sizes of the input with its padding written out, rows
// lengthened to a multiple of 4.
func padded(g spec.Conv) [3]int {
	size := g.In
	for i := range size {
		size[i] += g.PadBegin[i] + g.PadEnd[i]
	}
	size[2] = (size[2] + 3) &^ 3
	return size
}

// pad adds the step that writes x with its padding to a temporary, and returns
// that and the geometry of the convolution of it, which has no padding.
func (p *Plan) pad(g spec.Conv, dev Device) (Operand, spec.Conv) { return p.padFrom(In(0), g, dev) }

// padFrom is pad for an x that is not the first input.
func (p *Plan) padFrom(in Operand, g spec.Conv, dev Device) (Operand, spec.Conv) {
	size := padded(g)
	rows := g.N * g.C * size[0] * size[1]
	x := p.temp(rows * size[2])
	p.add(Step{
		Kernel: convPadKernel(g.PadMode),
		Params: Params{}.U32(rows, size[2]/4).U32(g.In[:]...).U32(size[0], size[1]).
			U32(g.PadBegin[:]...),
		Operands: []Operand{in, x},
		Groups:   Grid1D(ceilDiv(rows*size[2]/4, 64), dev.MaxGroups),
	})
	g.In, g.PadBegin, g.PadEnd, g.PadMode = size, [3]int{}, [3]int{}, spec.PadZeros
	return x, g
}

func convPadKernel(mode spec.PadMode) *Kernel {
	return intern("conv_pad_"+mode.String(), func() *Kernel {
		return &Kernel{Source: specialise(convPadWGSL, setU32("PAD_MODE", int(mode)), unroll),
			ParamBytes: 10 * 4, Writes: []bool{false, true}}
	})
}

// packing describes where the weights of a matrix product stand: element
// (m, c, t) of group g is at g*gStride + m*mStride + c*cStride + t.
type packing struct {
	groups, m, c, taps        int
	gStride, mStride, cStride int
}

// packingOf returns where the weights of a convolution stand.
func packingOf(g spec.Conv) packing {
	return packing{groups: g.Groups, m: g.KG(), c: g.CG(), taps: g.Taps(),
		gStride: g.KG() * g.Terms(), mStride: g.Terms(), cStride: g.Taps()}
}

// packed returns the number of elements of the weights in tiles of k channels.
func packed(w packing, k int) int { return w.groups * ceilDiv(w.m, k) * k * w.c * w.taps }

// pack adds the step that packs weights in tiles of k channels.
func (p *Plan) pack(w packing, in Operand, k int, dev Device) Operand {
	out := p.temp(packed(w, k))
	p.packTiles(w, in, k, 0, ceilDiv(w.m, k), out, dev)
	return out
}

// packTiles adds the step that packs some of the tiles.
func (p *Plan) packTiles(w packing, in Operand, k, first, tiles int, out Operand, dev Device) {
	total := w.groups * tiles * w.c
	p.add(Step{
		Kernel:   convPackKernel(k/4, w.mStride == 1 && w.taps == 1 && w.m%4 == 0),
		Params:   Params{}.U32(total, tiles, first, w.m, w.c, w.taps, w.gStride, w.mStride, w.cStride),
		Operands: []Operand{in, out},
		Groups:   Grid1D(ceilDiv(total, 8), dev.MaxGroups),
	})
}

// convPackKernel packs tiles of 4*k4 channels. With vec4, neighbouring channels
// are next to each other in the weights, in whole vec4s.
func convPackKernel(k4 int, vec4 bool) *Kernel {
	name, load := "conv_pack_"+itoa(4*k4), func(text string) string { return text }
	if vec4 {
		name += "_vec4"
		load = swap("load", `@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;

fn load(at: u32, m: u32) -> vec4<f32> {
  if (m < p.m) { return w[(at + m) / 4u]; }
  return vec4<f32>();
}`)
	}
	return intern(name, func() *Kernel {
		return &Kernel{Source: specialise(convPackWGSL, setU32("TK4", k4), load, unroll),
			ParamBytes: 9 * 4, Writes: []bool{false, true}}
	})
}

// floorOf returns the sum below which a kernel that knows only ReLU writes 0.
func floorOf(a spec.Activation) float32 {
	if a.Func == spec.ReLU {
		return 0
	}
	return float32(math.Inf(-1))
}

// finishes reports whether the sums of a kernel that writes rows of whole
// vec4s, and no activation but ReLU, need a step that makes y of them.
func finishes(g spec.Conv) bool {
	return g.Out[2]%4 != 0 || g.Act.Func != spec.Identity && g.Act.Func != spec.ReLU
}

// sums returns the number of elements of y with rows of whole vec4s.
func sums(g spec.Conv) int { return g.N * g.K * g.Out[0] * g.Out[1] * 4 * ceilDiv(g.Out[2], 4) }

// sumsTo returns where such a kernel writes: y itself, or a temporary.
func (p *Plan) sumsTo(g spec.Conv) Operand {
	if finishes(g) {
		return p.temp(sums(g))
	}
	return Out(0)
}

// finish adds the step that makes y of what is in such a temporary.
func (p *Plan) finish(g spec.Conv, from Operand, dev Device) {
	if from.IsOut() {
		return
	}
	rows, w4 := g.N*g.K*g.Out[0]*g.Out[1], ceilDiv(g.Out[2], 4)
	p.add(Step{
		Kernel:   convFinishKernel(g.Act.Func),
		Params:   Params{}.U32(rows*w4, w4, g.Out[2]).F32(g.Act.A, g.Act.B),
		Operands: []Operand{from, Out(0)},
		Groups:   Grid1D(ceilDiv(rows*w4, 64), dev.MaxGroups),
	})
}

func convFinishKernel(fn spec.Pointwise) *Kernel {
	return intern("conv_finish_"+fn.String(), func() *Kernel {
		return &Kernel{
			Source:     specialise(convFinishWGSL, swap("activate", ActivationSource("activate", spec.Activation{Func: fn}))),
			ParamBytes: 5 * 4, Writes: []bool{false, true},
		}
	})
}

// reduce adds the step that adds up split sums.
func (p *Plan) reduce(g spec.Conv, splits int, from Operand, dev Device) {
	total := g.N * g.K * g.OutSize()
	p.add(Step{
		Kernel:   convReduceKernel(g.Act.Func),
		Params:   Params{}.U32(total, splits, g.OutSize(), g.K, flag(g.Bias)).F32(g.Act.A, g.Act.B),
		Operands: []Operand{from, In(2), Out(0)},
		Groups:   Grid1D(ceilDiv(total, 64), dev.MaxGroups),
	})
}

func convReduceKernel(fn spec.Pointwise) *Kernel {
	return intern("conv_reduce_"+fn.String(), func() *Kernel {
		return &Kernel{
			Source:     specialise(convReduceWGSL, swap("activate", ActivationSource("activate", spec.Activation{Func: fn}))),
			ParamBytes: 7 * 4, Writes: []bool{false, false, true},
		}
	})
}

// convStepKernels enumerates the kernels of this file.
func convStepKernels() []*Kernel {
	var all []*Kernel
	for _, mode := range padModes {
		all = append(all, convPadKernel(mode))
	}
	for k4 := 1; k4 <= 4; k4 *= 2 {
		all = append(all, convPackKernel(k4, false), convPackKernel(k4, true))
	}
	for _, fn := range spec.Pointwises() {
		all = append(all, convFinishKernel(fn), convReduceKernel(fn))
	}
	return all
}

var padModes = []spec.PadMode{spec.PadZeros, spec.PadReflect, spec.PadReplicate, spec.PadCircular}

// tooLarge says why temporaries of these sizes cannot be bound, "" where they
// can. A size may have overflowed an index of the shaders, but not an int.
func tooLarge(dev Device, sizes ...int) string {
	for _, n := range sizes {
		if int64(n)*4 > dev.MaxBindingBytes || n > spec.MaxElements {
			return "a temporary of " + itoa(n) + " elements is too large for the device"
		}
	}
	return ""
}
