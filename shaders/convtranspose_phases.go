package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed convtranspose_pack.wgsl
var convTransposePackWGSL string

//go:embed convtranspose_scatter.wgsl
var convTransposeScatterWGSL string

// phaseTiles are the register tiles of transposed convolutions by phases: those of
// convolutions, and some for few channels, as in the gradient of a network's first
// layer; the first is for three, those of a picture.
var phaseTiles = append([]registerTile{{3, 56}, {4, 56}, {4, 28}}, registerTiles...)

// phases is a transposed convolution as convolutions with stride 1, one for each
// phase of the strides; see convtranspose_pack.wgsl. One convolution of all phases
// would have taps of weight 0, and of an infinite input those would make NaN.
type phases struct{ spec.ConvTranspose }

// window returns the inputs that outputs of a phase meet along an axis: how many,
// and where the first of them lies from an output's number in its phase.
func (g *phases) window(axis, phase int) (count, lo int) {
	s, pad, kernel := g.Stride[axis], g.PadBegin[axis], g.Kernel[axis]
	if s == 1 {
		return kernel, pad - g.Extent(axis) + 1
	}
	tap, under := (phase+pad)%s, (phase+pad)/s
	if tap >= kernel { // none: one tap of weight 0
		return 1, 0
	}
	count = ceilDiv(kernel-tap, s)
	return count, under - count + 1
}

// conv returns the convolution of a phase.
func (g *phases) conv(phase [3]int) spec.Conv {
	c := spec.Conv{Window: g.Window, N: g.N, C: g.C, K: g.K, Groups: g.Groups, Direct: true}
	for i, s := range g.Stride {
		count, lo := g.window(i, phase[i])
		c.Kernel[i], c.PadBegin[i], c.Out[i], c.Stride[i] = count, -lo, ceilDiv(g.Out[i]-phase[i], s), 1
		c.PadEnd[i] = c.Out[i] - 1 + c.Extent(i) - c.PadBegin[i] - g.In[i]
	}
	c.In[2] = (c.In[2] + 3) &^ 3 // lengthened with zeros
	return c
}

// convs calls do for the convolution of every phase that has outputs.
func (g *phases) convs(do func(phase [3]int, c spec.Conv)) {
	for d := range min(g.Stride[0], g.Out[0]) {
		for h := range min(g.Stride[1], g.Out[1]) {
			for w := range min(g.Stride[2], g.Out[2]) {
				phase := [3]int{d, h, w}
				do(phase, g.conv(phase))
			}
		}
	}
}

// phasesOf returns why phases cannot serve, "" where they can, and their modelled
// time.
func phasesOf(t spec.ConvTranspose, tile registerTile, dev Device) (g phases, not string, cost float64) {
	g = phases{t}
	for i, s := range g.Stride {
		if s > 1 && (g.Dilation[i] > 1 || s > g.Kernel[i]) {
			return g, "outputs between the taps of an axis have none", 0
		}
	}
	if g.Stride == [3]int{1, 1, 1} && g.CG() == 1 {
		return g, "the flipped convolution has a kernel for one channel per group", 0
	}
	if tile.k%4 != 0 && tile.k != g.KG() {
		return g, fmt.Sprintf("there are not %d channels", tile.k), 0
	}
	if g.Stride[0]*g.Stride[1]*g.Stride[2] > mostPhases {
		return g, "there are too many phases", 0
	}
	g.convs(func(_ [3]int, c spec.Conv) {
		for i := range c.PadBegin {
			if c.PadBegin[i] < 0 || c.PadEnd[i] < 0 {
				not = "the padding cuts inputs away"
			}
		}
		if not == "" {
			not = firstOf(registerNot(c, tile, dev), tooManyRounds(2*tile.k*c.Taps(), dev))
		}
		if not == "" {
			cost += softwareRegisterCost(c, tile) - compileCost
		}
	})
	cost += compileCost
	if g.Stride != [3]int{1, 1, 1} {
		cost += 12 * float64(g.N*g.K*g.OutSize())
	}
	return g, not, cost
}

// mostPhases bounds the dispatches of a plan.
const mostPhases = 27

// convTransposePhases plans a transposed convolution by phases.
func convTransposePhases(g phases, dev Device, t registerTile) (Plan, error) {
	var p Plan
	single := g.Stride == [3]int{1, 1, 1}
	x := In(0)
	if g.In[2]%4 != 0 {
		rows := spec.Conv{Window: g.Window, N: g.N, C: g.C}
		rows.PadBegin, rows.PadEnd = [3]int{}, [3]int{}
		x, _ = p.pad(rows, dev)
	}
	of := func(c spec.Conv) spec.Conv {
		if single {
			c.Bias, c.Act = g.Bias, g.Act
		}
		return c
	}
	most := 0
	g.convs(func(_ [3]int, c spec.Conv) { most = max(most, sums(c)) })
	var sum Operand
	if single {
		sum = p.sumsTo(of(g.conv([3]int{})))
	} else {
		sum = p.temp(most)
	}
	tensors := g.N*g.C*g.InSize() + g.C*g.KG()*g.Taps() + g.N*g.K*g.OutSize()
	room := 0 // for the weights of some tiles of channels
	perTile := func(c spec.Conv) int { return c.Groups * t.packed() * c.CG() * c.Taps() }
	g.convs(func(_ [3]int, c spec.Conv) { room = max(room, perTile(c)*p.pieceOf(c, t, tensors)) })
	w := p.temp(room)
	g.convs(func(phase [3]int, c spec.Conv) {
		c = of(c)
		kTiles, piece := ceilDiv(c.KG(), t.k), room/perTile(c)
		for first := 0; first < kTiles; first += piece {
			tiles := min(piece, kTiles-first)
			p.packPhase(&g, c, phase, t, first, tiles, w, dev)
			p.registerTiles(c, t, first, tiles, []Operand{x, w, In(2), sum}, dev)
		}
		if single {
			p.finish(c, sum, dev)
		} else {
			p.scatter(&g, c, phase, sum, dev)
		}
	})
	return p, nil
}

// packPhase adds the step that packs the weights of some of a phase's tiles of
// channels.
func (p *Plan) packPhase(g *phases, c spec.Conv, phase [3]int, t registerTile, first, tiles int, to Operand, dev Device) {
	total := c.Groups * tiles * c.CG()
	var base [3]int
	for i, s := range g.Stride {
		base[i] = g.Kernel[i] - 1
		if s > 1 {
			base[i] = phase[i] + g.PadBegin[i] + s*c.PadBegin[i]
		}
	}
	p.add(Step{
		Kernel: convTransposePackKernel(t.packed()),
		Params: Params{}.U32(total, tiles, first, c.CG(), g.KG()).U32(g.Kernel[:]...).U32(c.Kernel[:]...).
			U32(g.Stride[:]...).U32(base[:]...),
		Operands: []Operand{In(1), to},
		Groups:   Grid1D(ceilDiv(total, 8), dev.MaxGroups),
	})
}

func convTransposePackKernel(k int) *Kernel {
	return intern(fmt.Sprintf("convtranspose_pack_%d", k), func() *Kernel {
		return &Kernel{Source: specialise(convTransposePackWGSL, setU32("TK", k)), ParamBytes: 17 * 4, Writes: []bool{false, true}}
	})
}

// scatter adds the step that puts the sums of a phase to their places.
func (p *Plan) scatter(g *phases, c spec.Conv, phase [3]int, sum Operand, dev Device) {
	runs := ceilDiv(c.Out[2], 8)
	total := g.N * g.K * c.Out[0] * c.Out[1] * runs
	p.add(Step{
		Kernel: convTransposeScatterKernel(g.Act.Func),
		Params: Params{}.U32(total, runs, c.Out[0], c.Out[1], g.K, ceilDiv(c.Out[2], 4)).
			U32(g.Out[:]...).U32(g.Stride[:]...).U32(phase[:]...).U32(flag(g.Bias)).F32(g.Act.A, g.Act.B),
		Operands: []Operand{sum, In(2), Out(0)},
		Groups:   Grid1D(ceilDiv(total, 8), dev.MaxGroups),
	})
}

func convTransposeScatterKernel(fn spec.Pointwise) *Kernel {
	return intern(fmt.Sprintf("convtranspose_scatter_%v", fn), func() *Kernel {
		return &Kernel{
			Source: specialise(convTransposeScatterWGSL,
				swap("activate", ActivationSource("activate", spec.Activation{Func: fn})), unroll),
			ParamBytes: 18 * 4,
			Writes:     []bool{false, false, true},
		}
	})
}

// convTransposePhasesKernels enumerates the kernels of phases but for those that
// convolve.
func convTransposePhasesKernels() []*Kernel {
	var all []*Kernel
	for _, k := range []int{4, 8, 16} {
		all = append(all, convTransposePackKernel(k))
	}
	for _, fn := range spec.Pointwises() {
		all = append(all, convTransposeScatterKernel(fn))
	}
	for kernel := 1; kernel <= 4; kernel++ {
		for shift := range 4 {
			for _, t := range phaseTiles[:3] {
				all = append(all, registerKernel(registerShape{t, kernel, 1, 1, shift}))
			}
		}
	}
	return all
}
