package shaders

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed conv_grad.wgsl
var convGradWGSL string

//go:embed conv_grad_tile.wgsl
var convGradTileWGSL string

//go:embed conv_grad_depthwise.wgsl
var convGradDepthwiseWGSL string

var convGradPlans planCache[convKey]

// PlanConvGradWeight plans the gradient of a convolution with respect to its
// weight. Inputs: dy, x; output: dw. Variants:
//
//   - tile64x64: an implicit matrix product through workgroup memory
//   - register and depthwise: for software adapters; the latter, for one input
//     channel per group, serves GPUs as well
//   - naive: the definition
//
// All cut the positions into chunks, as many as keep the device busy, whose sums
// are added in their order. The choice is the least time by a model like that of
// convCandidates.
func PlanConvGradWeight(g spec.Conv, dev Device, force string) (Plan, error) {
	return convGradPlans.get(convKey{g, dev, force}, func() (Plan, error) {
		return chooseTuned("conv_grad", force, dev, func() string { return convClass(&g) }, convGradCandidates(g, dev))
	})
}

func convGradCandidates(g spec.Conv, dev Device) []candidate {
	var all costed
	macs := float64(g.N*g.K*g.OutSize()) * float64(g.Terms())
	tile, register, depthwise, naive := 5e5+macs, never, 5e5+6*macs, 24*macs
	if dev.CPU {
		tile, naive = never, 16*macs
		register, depthwise = convGradRegisterCost(g), 2e6+2*macs
	}
	all.add("depthwise", convGradDepthwiseNot(g, dev), depthwise, func() (Plan, error) { return convGradDepthwise(g, dev) })
	all.add("register", convGradRegisterNot(g, dev), register, func() (Plan, error) { return convGradRegister(g, dev) })
	all.add("tile64x64", convGradTileNot(g, dev), tile, func() (Plan, error) { return convGradTiled(g, dev) })
	all.add("naive", "", naive, func() (Plan, error) { return convGradNaive(g, dev), nil })
	return all.sorted()
}

// weights returns the number of elements of the weight.
func weights(g spec.Conv) int { return g.K * g.Terms() }

// convGradChunks cuts steps, of which tiles workgroups each make all, into chunks
// that keep a device busy, each with least steps if there are so many. It returns
// the length of a chunk and their number.
func convGradChunks(g spec.Conv, dev Device, tiles, steps, least int) (chunk, chunks int) {
	want := 8 // workgroups: a few for each core of a software adapter
	if !dev.CPU {
		want = 4 * gpuCores
	}
	chunks = min(ceilDiv(want, tiles), max(1, steps/least))
	if room := min(dev.MaxBindingBytes/4, spec.MaxElements) / int64(weights(g)); int64(chunks) > room {
		chunks = max(1, int(room))
	}
	chunks = min(chunks, max(1, spareElements(g)/weights(g)))
	if dev.CPU {
		chunks = max(chunks, ceilDiv(steps, softwareRounds))
	}
	chunk = ceilDiv(steps, chunks)
	return chunk, ceilDiv(steps, chunk)
}

// spareElements is what the temporaries of a convolution or one of its gradients
// may have, where that can be chosen: half of what its tensors have, and a MiB.
func spareElements(g spec.Conv) int {
	return (g.N*g.C*g.InSize()+weights(g)+g.N*g.K*g.OutSize())/2 + 1<<18
}

// convGradSums returns where the sums of chunks go, the output itself for one
// chunk, and adds the step that adds them after the step was added by add.
func (p *Plan) convGradSums(g spec.Conv, dev Device, chunks int, add func(to Operand)) {
	if chunks == 1 {
		add(Out(0))
		return
	}
	part := p.temp(chunks * weights(g))
	add(part)
	total := weights(g)
	p.add(Step{
		Kernel:   convReduceKernel(spec.Identity),
		Params:   Params{}.U32(total, chunks, 1, 1, 0).F32(0, 0),
		Operands: []Operand{part, In(0), Out(0)},
		Groups:   Grid1D(ceilDiv(total, 64), dev.MaxGroups),
	})
}

func convGradNaive(g spec.Conv, dev Device) Plan {
	const wg = 64
	var p Plan
	positions := g.N * g.OutSize()
	chunk, chunks := convGradChunks(g, dev, ceilDiv(weights(g), 16), positions, 256)
	total := chunks * weights(g)
	p.convGradSums(g, dev, chunks, func(to Operand) {
		p.add(Step{
			Kernel: convGradNaiveKernel(g.PadMode),
			Params: Params{}.U32(total, weights(g), chunk, positions, g.K, g.KG(), g.CG(), g.C).U32(g.In[:]...).U32(g.Out[:]...).
				U32(g.Kernel[:]...).U32(g.Stride[:]...).U32(g.Dilation[:]...).U32(g.PadBegin[:]...),
			Operands: []Operand{In(0), In(1), to},
			Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
		})
	})
	return p
}

func convGradNaiveKernel(mode spec.PadMode) *Kernel {
	return intern("conv_grad_naive_"+mode.String(), func() *Kernel {
		return &Kernel{Source: specialise(convGradWGSL, setU32("PAD_MODE", int(mode))),
			ParamBytes: 26 * 4, Writes: []bool{false, false, true}}
	})
}

// convGradTile is the tile of conv_grad_tile.wgsl.
const convGradTile, convGradStep = 64, 16

func convGradTileNot(g spec.Conv, dev Device) string {
	switch memory := 2 * 4 * convGradStep * (convGradTile + 1); {
	case dev.MaxInvocations < 128:
		return fmt.Sprintf("a workgroup of 128 is more than the device's %d", dev.MaxInvocations)
	case memory > dev.WorkgroupBytes:
		return fmt.Sprintf("%d bytes of workgroup memory are more than the device's %d", memory, dev.WorkgroupBytes)
	case max(g.In[0], g.In[1], g.In[2]) >= 1<<30:
		return "an axis of 2^30 or more cannot be told from padding"
	case g.PadMode != spec.PadZeros:
		in := padded(g)
		return tooLarge(dev, g.N*g.C*in[0]*in[1]*in[2])
	}
	return ""
}

func convGradTiled(g spec.Conv, dev Device) (Plan, error) {
	var p Plan
	x := In(1)
	if g.PadMode != spec.PadZeros {
		x, g = p.padFrom(In(1), g, dev)
	}
	m, n := ceilDiv(g.KG(), convGradTile), ceilDiv(g.Terms(), convGradTile)
	positions := g.N * g.OutSize()
	steps, chunks := convGradChunks(g, dev, m*n*g.Groups, ceilDiv(positions, convGradStep), 8)
	tiles := chunks * g.Groups * m * n
	p.convGradSums(g, dev, chunks, func(to Operand) {
		p.add(Step{
			Kernel: intern("conv_grad_tile64x64", func() *Kernel {
				return &Kernel{Source: specialise(convGradTileWGSL, unroll), ParamBytes: 26 * 4, Writes: []bool{false, false, true}}
			}),
			Params: Params{}.U32(tiles, m, n, g.Groups, steps*convGradStep, positions, g.KG(), g.CG()).U32(g.In[:]...).U32(g.Out[:]...).
				U32(g.Kernel[:]...).U32(g.Stride[:]...).U32(g.Dilation[:]...).U32(g.PadBegin[:]...),
			Operands: []Operand{In(0), x, to},
			Groups:   Grid1D(tiles, dev.MaxGroups),
		})
	})
	return p, nil
}

// convGradDepthwiseShape is what shapes the text of conv_grad_depthwise.wgsl.
type convGradDepthwiseShape struct {
	rows                 int // of dy in a step
	kernelH, kernelW     int
	strideH, strideW     int
	dilationH, dilationW int
	shift                int
	single               bool // x is read by single numbers, since its rows are no whole vec4s
}

func convGradDepthwiseShapeOf(g spec.Conv, dev Device) convGradDepthwiseShape {
	s := convGradDepthwiseShape{min(2, g.Out[1]), g.Kernel[1], g.Kernel[2], g.Stride[1], g.Stride[2], g.Dilation[1], g.Dilation[2], 0, dev.CPU && depthwiseSingleIn(g)}
	if !registerPads(g) {
		s.shift = -g.PadBegin[2] & 3
	}
	return s
}

func (s convGradDepthwiseShape) row4() int {
	return ceilDiv(s.shift+3*s.strideW+(s.kernelW-1)*s.dilationW+1, 4)
}

func (s convGradDepthwiseShape) inRows() int {
	return (s.rows-1)*s.strideH + (s.kernelH-1)*s.dilationH + 1
}

func convGradDepthwiseNot(g spec.Conv, dev Device) string {
	if g.CG() != 1 {
		return fmt.Sprintf("it is not depthwise: a group has %d input channels", g.CG())
	}
	s := convGradDepthwiseShapeOf(g, dev)
	if s.inRows()*s.row4() > 64 || s.kernelH*s.kernelW > 49 {
		return fmt.Sprintf("a %dx%d kernel is too large for registers", s.kernelH, s.kernelW)
	}
	return convGradPadNot(g, dev)
}

// convGradPadNot says why an input cannot be padded, where it has to be.
func convGradPadNot(g spec.Conv, dev Device) string {
	if !registerPads(g) {
		return ""
	}
	in := padded(g)
	return tooLarge(dev, g.N*g.C*in[0]*in[1]*in[2])
}

func convGradDepthwise(g spec.Conv, dev Device) (Plan, error) {
	var p Plan
	s := convGradDepthwiseShapeOf(g, dev)
	x, inW, padW := In(1), g.In[2], g.PadBegin[2]
	if !s.single {
		if registerPads(g) {
			x, g = p.padFrom(In(1), g, dev)
		}
		inW, padW = g.In[2]/4, ceilDiv(g.PadBegin[2], 4)
	}
	blocks, hTiles := ceilDiv(g.Out[2], 4), ceilDiv(g.Out[1], s.rows)
	steps := g.N * g.Out[0] * hTiles * blocks
	invocations := g.K * g.Kernel[0]
	chunk, chunks := convGradChunks(g, dev, ceilDiv(invocations, 8), steps, 32)
	total := chunks * invocations
	p.convGradSums(g, dev, chunks, func(to Operand) {
		p.add(Step{
			Kernel: convGradDepthwiseKernel(s),
			Params: Params{}.U32(total, g.K, g.KG(), chunk, steps, blocks, hTiles, g.In[0], g.In[1], inW).U32(g.Out[:]...).
				U32(g.Kernel[0], g.Stride[0], g.Dilation[0], g.PadBegin[0], g.PadBegin[1], padW),
			Operands: []Operand{In(0), x, to},
			Groups:   Grid1D(ceilDiv(total, 8), dev.MaxGroups),
		})
	})
	return p, nil
}

func convGradDepthwiseKernel(s convGradDepthwiseShape) *Kernel {
	name := fmt.Sprintf("conv_grad_depthwise_%d_k%dx%ds%dx%dd%dx%d_shift%d_single%t", s.rows,
		s.kernelH, s.kernelW, s.strideH, s.strideW, s.dilationH, s.dilationW, s.shift, s.single)
	return intern(name, func() *Kernel {
		text := convGradDepthwiseWGSL
		if s.single {
			text = specialise(text, setU32("UNIT_IN", 4), swap("input", "@group(0) @binding(2) var<storage, read> x: array<f32>;"+depthwiseSingleInput))
		}
		return &Kernel{
			Source: specialise(text, setU32("TH", s.rows), setU32("KH", s.kernelH), setU32("KW", s.kernelW),
				setU32("TAPS", s.kernelH*s.kernelW), setU32("SH", s.strideH), setU32("SW", s.strideW),
				setU32("DH", s.dilationH), setU32("DW", s.dilationW), setU32("SHIFT", s.shift),
				setU32("ROW4", s.row4()), setU32("BLOCK", s.inRows()*s.row4()), unroll),
			ParamBytes: 19 * 4, Writes: []bool{false, false, true},
		}
	})
}

// convGradKernels enumerates the kernels that PlanConvGradWeight can return: for
// those whose text depends on the window, the usual ones.
func convGradKernels() []*Kernel {
	var all []*Kernel
	for _, mode := range padModes {
		all = append(all, convGradNaiveKernel(mode))
	}
	p, _ := convGradTiled(spec.Conv{Window: unitWindow(), N: 1, C: 1, K: 1, Groups: 1}, Baseline)
	all = append(all, p.Steps[0].Kernel)
	for _, k := range []int{1, 3, 5, 7} {
		for stride := 1; stride <= 2; stride++ {
			for _, shift := range []int{0, -(k / 2) & 3} {
				all = append(all, convGradDepthwiseKernel(convGradDepthwiseShape{2, k, k, stride, stride, 1, 1, shift, false}))
			}
		}
	}
	all = append(all, convGradDepthwiseKernel(convGradDepthwiseShape{1, 2, 3, 1, 3, 3, 2, 2, false}), convGradDepthwiseKernel(convGradDepthwiseShape{2, 3, 3, 1, 1, 1, 1, 0, true}))
	return slices.Concat(all, convGradRegisterKernels())
}

// unitWindow is the least window there is.
func unitWindow() spec.Window {
	one := [3]int{1, 1, 1}
	return spec.Window{Rank: 1, In: one, Out: one, Kernel: one, Stride: one, Dilation: one}
}
