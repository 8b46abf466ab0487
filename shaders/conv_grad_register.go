package shaders

import (
	_ "embed"
	"fmt"
	"math"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed conv_grad_register.wgsl
var convGradRegisterWGSL string

// convGradShape is what shapes the text of conv_grad_register.wgsl: the tile and
// how the taps of a kernel row lie in the input row.
type convGradShape struct {
	k, j                            int // output channels and rows of taps of a tile
	kernel, stride, dilation, shift int
	tail                            bool // rows of dy are no whole vec4s
}

// row4 returns the vec4s of an input row that 4 outputs need.
func (s convGradShape) row4() int {
	return ceilDiv(s.shift+3*s.stride+(s.kernel-1)*s.dilation+1, 4)
}

// maxGradUnrolled bounds the multiply-adds of one step in the text.
const maxGradUnrolled = 1344

// convGradShapes returns the tiles that could serve, and what they cost each, in
// cycles of a group of 8 invocations.
func convGradShapes(g spec.Conv) (best convGradShape, cost float64) {
	cost = math.Inf(1)
	rows := g.CG() * g.Kernel[0] * g.Kernel[1]
	steps := float64(g.N*g.Out[0]*g.Out[1]) * float64(ceilDiv(g.Out[2], 4))
	s := convGradShape{kernel: g.Kernel[2], stride: g.Stride[2], dilation: g.Dilation[2], tail: g.Out[2]%4 != 0}
	if !registerPads(g) {
		s.shift = -g.PadBegin[2] & 3
	}
	for _, k := range []int{16, 8, 4} {
		for _, j := range []int{16, 12, 8, 6, 4, 3, 2, 1} {
			s.k, s.j = k, j
			sums := 4 * k * j * s.kernel
			if sums > maxGradUnrolled || j*s.row4() > 64 {
				continue
			}
			tiles := g.Groups * ceilDiv(g.KG(), k) * ceilDiv(rows, j)
			loads := 4 * (k + j*s.row4())
			step := 17.6*float64(loads) + 1.4*float64(sums) + 100 + 10*float64(j)
			// A group of 8 has one chunk of the positions or several, so that whole
			// groups are needed only of all tiles and chunks together.
			if c := float64(max(ceilDiv(tiles, 8), 1)) * steps * step; c < cost {
				best, cost = s, c
			}
		}
	}
	return best, cost
}

func convGradRegisterCost(g spec.Conv) float64 {
	_, cost := convGradShapes(flat(g))
	return 4e6 + cost
}

// convGradRegisterNot says why a register tile cannot serve, "" where it can.
func convGradRegisterNot(g spec.Conv, dev Device) string {
	g = flat(g)
	if s, _ := convGradShapes(g); s.k == 0 {
		return fmt.Sprintf("%d kernel columns are too many to unroll", g.Kernel[2])
	}
	return firstOf(tooLarge(dev, sums(g)), convGradPadNot(g, dev))
}

// convGradRegister plans the gradient by a register tile.
func convGradRegister(g spec.Conv, dev Device) (Plan, error) {
	var p Plan
	g = flat(g)
	s, _ := convGradShapes(g)
	dy, x := In(0), In(1)
	if s.tail {
		rows := spec.Conv{Window: g.Window, N: g.N, C: g.K}
		rows.In, rows.PadBegin, rows.PadEnd = g.Out, [3]int{}, [3]int{}
		dy, _ = p.padFrom(In(0), rows, dev)
	}
	if registerPads(g) {
		x, g = p.padFrom(In(1), g, dev)
	}
	jTiles, kTiles := ceilDiv(g.CG()*g.Kernel[0]*g.Kernel[1], s.j), ceilDiv(g.KG(), s.k)
	blocks := ceilDiv(g.Out[2], 4)
	steps := g.N * g.Out[0] * g.Out[1] * blocks
	tiles := g.Groups * kTiles * jTiles
	chunk, chunks := convGradChunks(g, dev, ceilDiv(tiles, 8), steps, 16)
	total := chunks * tiles
	p.convGradSums(g, dev, chunks, func(to Operand) {
		p.add(Step{
			Kernel: convGradRegisterKernel(s),
			Params: Params{}.U32(total, jTiles, kTiles, g.Groups, g.KG(), g.CG(), chunk, steps, blocks).
				U32(g.In[0], g.In[1], g.In[2]/4).U32(g.Out[:]...).
				U32(g.Kernel[0], g.Kernel[1], g.Stride[0], g.Stride[1], g.Dilation[0], g.Dilation[1]).
				U32(g.PadBegin[0], g.PadBegin[1], ceilDiv(g.PadBegin[2], 4)),
			Operands: []Operand{dy, x, to},
			Groups:   Grid1D(ceilDiv(total, 8), dev.MaxGroups),
		})
	})
	return p, nil
}

func convGradRegisterKernel(s convGradShape) *Kernel {
	name := fmt.Sprintf("conv_grad_register_%dx%d_k%ds%dd%d_shift%d_tail%t", s.k, s.j, s.kernel, s.stride, s.dilation, s.shift, s.tail)
	return intern(name, func() *Kernel {
		return &Kernel{
			Source: specialise(convGradRegisterWGSL,
				setU32("TK", s.k), setU32("TK4", s.k/4), setU32("TJ", s.j), setU32("KW", s.kernel),
				setU32("COLS", s.j*s.kernel), setU32("ACC", s.k/4*s.j*s.kernel),
				setU32("SW", s.stride), setU32("DW", s.dilation), setU32("SHIFT", s.shift),
				setU32("ROW4", s.row4()), setU32("ROWS", s.j*s.row4()), setBool("TAIL", s.tail), unroll),
			ParamBytes: 24 * 4,
			Writes:     []bool{false, false, true},
		}
	})
}

// convGradRegisterKernels enumerates register kernels: the tiles of the usual
// windows, and one of them for every shift.
func convGradRegisterKernels() []*Kernel {
	var all []*Kernel
	for _, s := range []convGradShape{{k: 16, j: 16, kernel: 1}, {k: 16, j: 6, kernel: 3, shift: 3}, {k: 8, j: 3, kernel: 7, shift: 1}, {k: 4, j: 1, kernel: 5, shift: 2}} {
		for stride := 1; stride <= 2; stride++ {
			s.stride, s.dilation, s.tail = stride, 1, stride == 2
			all = append(all, convGradRegisterKernel(s))
		}
	}
	for shift := range 4 {
		all = append(all, convGradRegisterKernel(convGradShape{4, 2, 2, 3, 2, shift, shift%2 == 0}))
	}
	return all
}
