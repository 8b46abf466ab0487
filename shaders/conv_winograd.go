package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed conv_winograd_input.wgsl
var winogradInputWGSL string

//go:embed conv_winograd_weights.wgsl
var winogradWeightsWGSL string

//go:embed conv_winograd_output.wgsl
var winogradOutputWGSL string

// winogradSizes are the outputs per axis of a tile, m in F(m x m, 3 x 3).
var winogradSizes = []int{4, 2}

// winograd is the geometry of a convolution by F(m x m, 3 x 3).
type winograd struct {
	m, points      int // outputs per axis of a tile; (m+2)^2 products of it
	tilesH, tilesW int // of one image
	tiles          int // of all images
}

func winogradOf(g spec.Conv, m int) winograd {
	w := winograd{m: m, points: (m + 2) * (m + 2), tilesH: ceilDiv(g.Out[1], m), tilesW: ceilDiv(g.Out[2], m)}
	w.tiles = g.N * w.tilesH * w.tilesW
	return w
}

// product returns the matrix products, one for each point and group, as a
// convolution with kernel 1 whose rows are the tiles, rounded up to whole vec4s.
func (w winograd) product(g spec.Conv) spec.Conv {
	one := [3]int{1, 1, 1}
	row := [3]int{1, 1, (w.tiles + 3) &^ 3}
	return spec.Conv{
		Window: spec.Window{Rank: 1, In: row, Out: row, Kernel: one, Stride: one, Dilation: one},
		N:      1, C: w.points * g.C, K: w.points * g.K, Groups: w.points * g.Groups,
	}
}

// winogradNot says why Winograd's transforms cannot serve, "" where they can.
func winogradNot(g spec.Conv, m int, dev Device) string {
	switch {
	case g.Direct:
		return "the call asks for direct sums"
	case g.In[0] != 1 || g.Kernel != [3]int{1, 3, 3}:
		return "the kernel is not 3x3"
	case g.Stride != [3]int{1, 1, 1} || g.Dilation[1] != 1 || g.Dilation[2] != 1:
		return "it has a stride or a dilation"
	case g.CG() < 16:
		// The error of a sum shrinks, against its budget, with its length.
		return fmt.Sprintf("with %d input channels its rounding could exceed the budget", g.CG())
	}
	w := winogradOf(g, m)
	c := w.product(g)
	sizes := []int{c.C * c.In[2], c.K * c.In[2], packed(packingOf(c), 16)}
	if g.PadMode != spec.PadZeros {
		in := padded(g)
		sizes = append(sizes, g.N*g.C*in[1]*in[2])
	}
	return tooLarge(dev, sizes...)
}

// convWinograd plans a convolution by F(m x m, 3 x 3): the transforms of input
// and weights, the products and the transform back.
func convWinograd(g spec.Conv, dev Device, m int) (Plan, error) {
	var p Plan
	x := In(0)
	if g.PadMode != spec.PadZeros {
		x, g = p.pad(g, dev)
	}
	w := winogradOf(g, m)
	c := w.product(g)
	pitch := c.In[2]
	v := p.temp(c.C * pitch)
	total := g.C * w.tiles
	p.add(Step{
		Kernel: winogradKernel("input", winogradInputWGSL, m, spec.Identity, 10, []bool{false, true}),
		Params: Params{}.U32(total, w.tiles, pitch, g.C, g.In[1], g.In[2], w.tilesH, w.tilesW,
			g.PadBegin[1], g.PadBegin[2]),
		Operands: []Operand{x, v},
		Groups:   Grid1D(ceilDiv(total, 64), dev.MaxGroups),
	})

	tile, register := winogradTile(c, dev)
	tileK := g.KG()
	if dev.CPU {
		tileK = register.k
	}
	kTiles := ceilDiv(g.KG(), tileK)
	u := p.temp(c.Groups * kTiles * tileK * g.CG())
	total = g.K * g.CG()
	p.add(Step{
		Kernel:   winogradKernel("weights", winogradWeightsWGSL, m, spec.Identity, 6, []bool{false, true}),
		Params:   Params{}.U32(total, g.Groups, g.KG(), g.CG(), kTiles, tileK),
		Operands: []Operand{In(1), u},
		Groups:   Grid1D(ceilDiv(total, 64), dev.MaxGroups),
	})

	products := p.temp(c.K * pitch)
	operands := []Operand{v, u, In(2), products}
	if dev.CPU {
		p.register(c, register, operands, dev)
	} else {
		p.tile(c, tile, product{m: g.KG(), k: g.CG(), wGroup: g.KG() * g.CG(), wM: 1, wK: g.KG(), splits: 1}, operands, dev)
	}

	total = g.K * w.tiles
	p.add(Step{
		Kernel: winogradKernel("output", winogradOutputWGSL, m, g.Act.Func, 11, []bool{false, false, true}),
		Params: Params{}.U32(total, w.tiles, pitch, g.K, g.Out[1], g.Out[2], w.tilesH, w.tilesW, flag(g.Bias)).
			F32(g.Act.A, g.Act.B),
		Operands: []Operand{products, In(2), Out(0)},
		Groups:   Grid1D(ceilDiv(total, 64), dev.MaxGroups),
	})
	return p, nil
}

// winogradTile chooses the tiles for the products by their modelled time.
func winogradTile(c spec.Conv, dev Device) (tile convTile, register registerTile) {
	tile, register = convTiles[len(convTiles)-1], registerTiles[0]
	for _, t := range convTiles {
		if tileNot(c, t, dev) == "" && gpuTileCost(c, t, 1) < gpuTileCost(c, tile, 1) {
			tile = t
		}
	}
	for _, t := range registerTiles {
		if softwareRegisterCost(c, t) < softwareRegisterCost(c, register) {
			register = t
		}
	}
	return tile, register
}

func winogradKernel(step, text string, m int, fn spec.Pointwise, params int, writes []bool) *Kernel {
	return intern(fmt.Sprintf("conv_winograd%d_%s_%v", m, step, fn), func() *Kernel {
		edits := []edit{setU32("OUT", m), setU32("T", m+2), setU32("TT", (m+2)*(m+2))}
		if step == "output" {
			edits = append(edits, swap("activate", ActivationSource("activate", spec.Activation{Func: fn})))
		}
		return &Kernel{Source: specialise(text, append(edits, unroll)...), ParamBytes: params * 4, Writes: writes}
	})
}

// convWinogradKernels enumerates the transforms.
func convWinogradKernels() []*Kernel {
	var all []*Kernel
	for _, m := range winogradSizes {
		all = append(all,
			winogradKernel("input", winogradInputWGSL, m, spec.Identity, 10, []bool{false, true}),
			winogradKernel("weights", winogradWeightsWGSL, m, spec.Identity, 6, []bool{false, true}),
			winogradKernel("output", winogradOutputWGSL, m, spec.Identity, 11, []bool{false, false, true}))
	}
	for _, fn := range spec.Pointwises() {
		all = append(all, winogradKernel("output", winogradOutputWGSL, 4, fn, 11, []bool{false, false, true}))
	}
	return all
}
