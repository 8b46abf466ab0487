package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed conv_register.wgsl
var convRegisterWGSL string

//go:embed conv_gather.wgsl
var convGatherWGSL string

// registerTile is the tile of one invocation: k output channels by w columns.
type registerTile struct{ k, w int }

// packed returns how many channels a tile's packed weights have: whole vec4s.
func (t registerTile) packed() int { return (t.k + 3) &^ 3 }

// registerTiles are the tiles of conv_register.wgsl, the largest first.
var registerTiles = []registerTile{{16, 16}, {8, 28}, {8, 16}, {8, 8}}

// convGatherTile is the tile of conv_gather.wgsl.
var convGatherTile = registerTile{8, 8}

// registerShape is what shapes the text of a register kernel: the tile and how
// the taps of a kernel row lie in the input row.
type registerShape struct {
	registerTile
	kernel, stride, dilation, shift int
}

func registerShapeOf(g spec.Conv, t registerTile) registerShape {
	s := registerShape{t, g.Kernel[2], g.Stride[2], g.Dilation[2], 0}
	if !registerPads(g) {
		s.shift = -g.PadBegin[2] & 3
	}
	return s
}

// row4 returns the vec4s of an input row that a tile needs.
func (s registerShape) row4() int {
	return ceilDiv(s.shift+(s.w-1)*s.stride+(s.kernel-1)*s.dilation+1, 4)
}

// registerPads reports whether the input has to be padded before, since rows are
// not whole vec4s or the padding is not zero.
func registerPads(g spec.Conv) bool { return g.PadMode != spec.PadZeros || g.In[2]%4 != 0 }

// maxUnrolled bounds the multiply-adds of one step in a register kernel's text:
// software adapters compile slowly, and fail at some length.
const maxUnrolled = 1152

// registerNot says why a register tile cannot serve, "" where it can.
func registerNot(g spec.Conv, t registerTile, dev Device) string {
	g = flat(g)
	s := registerShapeOf(g, t)
	switch {
	case s.k*s.w*s.kernel > maxUnrolled:
		return fmt.Sprintf("%d kernel columns are too many to unroll", s.kernel)
	case s.row4() > 24:
		return fmt.Sprintf("an input row of %d for %d outputs is too long for registers", 4*s.row4(), s.w)
	}
	sizes := []int{packed(packingOf(g), t.k), sums(g)}
	if registerPads(g) {
		in := padded(g)
		sizes = append(sizes, g.N*g.C*in[0]*in[1]*in[2])
	}
	return tooLarge(dev, sizes...)
}

// convRegister plans a convolution by a register tile.
func convRegister(g spec.Conv, dev Device, t registerTile) (Plan, error) {
	var p Plan
	g = flat(g)
	tensors := g.N*g.C*g.InSize() + weights(g) + g.N*g.K*g.OutSize()
	x := In(0)
	if registerPads(g) {
		x, g = p.pad(g, dev)
	}
	y := p.sumsTo(g)
	from := packingOf(g)
	kTiles, piece := ceilDiv(g.KG(), t.k), p.pieceOf(g, t, tensors)
	w := p.temp(g.Groups * t.k * g.CG() * g.Taps() * piece)
	for first := 0; first < kTiles; first += piece {
		tiles := min(piece, kTiles-first)
		p.packTiles(from, In(1), t.k, first, tiles, w, dev)
		p.registerTiles(g, t, first, tiles, []Operand{x, w, In(2), y}, dev)
	}
	p.finish(g, y, dev)
	return p, nil
}

// register adds the register kernel, which convolves an input whose rows are a
// multiple of 4 with packed weights. Operands are x, w, b and y, whose rows are
// a multiple of 4 as well.
func (p *Plan) register(g spec.Conv, t registerTile, operands []Operand, dev Device) {
	p.registerTiles(g, t, 0, ceilDiv(g.KG(), t.k), operands, dev)
}

// pieceOf returns how many of the tiles of a group's channels are packed and
// computed at a time: as many as keep the temporaries, with those that there are
// already, a little below half of what the call's tensors have, as buffers are
// rounded up, or below 64 KiB.
func (p *Plan) pieceOf(g spec.Conv, t registerTile, tensors int) int {
	spare := max(tensors*31/64, 1<<14)
	for _, n := range p.Temps {
		spare -= n
	}
	kTiles := ceilDiv(g.KG(), t.k)
	fit := max(spare/(g.Groups*t.packed()*g.CG()*g.Taps()), ceilDiv(kTiles, 8))
	return ceilDiv(kTiles, ceilDiv(kTiles, min(fit, kTiles)))
}

// registerTiles adds the register kernel for some of the tiles of channels.
func (p *Plan) registerTiles(g spec.Conv, t registerTile, first, kTiles int, operands []Operand, dev Device) {
	wTiles := ceilDiv(g.Out[2], t.w)
	total := g.N * g.Groups * kTiles * g.Out[0] * g.Out[1] * wTiles
	p.add(Step{
		Kernel: registerKernel(registerShapeOf(g, t)),
		Params: Params{}.U32(total, wTiles, kTiles, first, g.Groups, g.KG(), g.CG(), g.In[0], g.In[1], g.In[2]/4).
			U32(g.Out[0], g.Out[1], ceilDiv(g.Out[2], 4)).
			U32(g.Kernel[0], g.Kernel[1], g.Stride[0], g.Stride[1], g.Dilation[0], g.Dilation[1]).
			U32(g.PadBegin[0], g.PadBegin[1], ceilDiv(g.PadBegin[2], 4), flag(g.Bias)).F32(floorOf(g.Act)),
		Operands: operands,
		Groups:   Grid1D(ceilDiv(total, 8), dev.MaxGroups),
	})
}

func registerKernel(s registerShape) *Kernel {
	name := fmt.Sprintf("conv_register_%dx%d_k%ds%dd%d_shift%d", s.k, s.w, s.kernel, s.stride, s.dilation, s.shift)
	return intern(name, func() *Kernel {
		return &Kernel{
			Source: specialise(convRegisterWGSL,
				setU32("TK", s.k), setU32("TK4", s.packed()/4), setU32("TKL", min(s.k, 4)), setU32("TW4", s.w/4), setU32("ACC", s.k*s.w/4),
				setU32("KW", s.kernel), setU32("SW", s.stride), setU32("DW", s.dilation),
				setU32("SHIFT", s.shift), setU32("ROW4", s.row4()), unroll),
			ParamBytes: 24 * 4,
			Writes:     []bool{false, false, false, true},
		}
	})
}

// gatherNot says why a gather tile cannot serve, "" where it can.
func gatherNot(g spec.Conv, t registerTile, dev Device) string {
	g = flat(g)
	sizes := []int{packed(packingOf(g), t.k), sums(g)}
	if g.PadMode != spec.PadZeros {
		in := padded(g)
		sizes = append(sizes, g.N*g.C*in[0]*in[1]*in[2])
	}
	return tooLarge(dev, sizes...)
}

// convGather plans a convolution by a register tile that gathers its inputs.
func convGather(g spec.Conv, dev Device, t registerTile) (Plan, error) {
	var p Plan
	g = flat(g)
	x := In(0)
	if g.PadMode != spec.PadZeros {
		x, g = p.pad(g, dev)
	}
	w := p.pack(packingOf(g), In(1), t.k, dev)
	y := p.sumsTo(g)
	wTiles, kTiles := ceilDiv(g.Out[2], t.w), ceilDiv(g.KG(), t.k)
	total := g.N * g.Groups * kTiles * g.Out[0] * g.Out[1] * wTiles
	wg := gatherGroup(dev)
	p.add(Step{
		Kernel: gatherKernel(t, wg),
		Params: Params{}.U32(total, wTiles, kTiles, g.Groups, g.KG(), g.CG()).U32(g.In[:]...).
			U32(g.Out[0], g.Out[1], ceilDiv(g.Out[2], 4)).U32(g.Kernel[:]...).U32(g.Stride[:]...).
			U32(g.Dilation[:]...).U32(g.PadBegin[:]...).U32(flag(g.Bias)).F32(floorOf(g.Act)),
		Operands: []Operand{x, w, In(2), y},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	})
	p.finish(g, y, dev)
	return p, nil
}

// gatherGroup returns the invocations of a workgroup: as many as software runs
// together, or as a GPU needs to keep busy.
func gatherGroup(dev Device) int {
	if dev.CPU {
		return 8
	}
	return 64
}

func gatherKernel(t registerTile, wg int) *Kernel {
	return intern(fmt.Sprintf("conv_gather_%dx%d_wg%d", t.k, t.w, wg), func() *Kernel {
		return &Kernel{
			Source: specialise(convGatherWGSL, setU32("WG", wg), setU32("TK", t.k), setU32("TK4", t.k/4),
				setU32("TW4", t.w/4), setU32("ACC", t.k*t.w/4), unroll),
			ParamBytes: 26 * 4,
			Writes:     []bool{false, false, false, true},
		}
	})
}

// convRegisterKernels enumerates register kernels: each tile for the usual
// windows, with padding that keeps the size and without, and one of them for
// every shift. Windows are not bounded, so this cannot be all of them, but a
// text has no other parameters.
func convRegisterKernels() []*Kernel {
	var all []*Kernel
	for _, t := range registerTiles {
		for _, kernel := range []int{1, 3, 5, 7, 9} {
			if t.k*t.w*kernel > maxUnrolled {
				continue
			}
			for stride := 1; stride <= 2; stride++ {
				for _, shift := range []int{0, -(kernel / 2) & 3} {
					all = append(all, registerKernel(registerShape{t, kernel, stride, 1, shift}))
				}
			}
		}
	}
	for _, window := range [][3]int{{2, 1, 1}, {2, 2, 1}, {3, 1, 2}, {3, 3, 1}, {4, 2, 3}} {
		for shift := range 4 {
			all = append(all, registerKernel(registerShape{registerTile{8, 8}, window[0], window[1], window[2], shift}))
		}
	}
	return append(all, gatherKernel(convGatherTile, 8), gatherKernel(convGatherTile, 64))
}
