package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed conv_tile.wgsl
var convTileWGSL string

// convTile is a tile of the implicit matrix product: m x n for a workgroup in
// steps of k, tm x tn for an invocation.
type convTile struct{ m, n, k, tm, tn int }

// convTiles are the tiles of conv_tile.wgsl, the largest first.
var convTiles = []convTile{{128, 128, 8, 8, 8}, {64, 64, 16, 8, 4}, {32, 128, 16, 8, 4}, {32, 32, 16, 4, 4}}

func (t convTile) String() string { return fmt.Sprintf("%dx%d", t.m, t.n) }

// invocations returns the size of a workgroup.
func (t convTile) invocations() int { return t.m / t.tm * (t.n / t.tn) }

// bytes returns the workgroup memory of a tile.
func (t convTile) bytes() int { return t.k*(t.m/4+1)*16 + t.k*t.n*4 + t.k*16 }

// tileShape is what shapes the text of a tile kernel.
type tileShape struct {
	convTile
	reach         int // what has to be asked about an input; see the shader
	split, mFirst bool
	fn            spec.Pointwise
}

// reachOf returns how much a tile kernel has to ask about the inputs of a
// convolution with zero padding.
func reachOf(g spec.Conv) int {
	none := [3]int{}
	switch {
	case pointwise(g):
		return 0
	case g.PadBegin == none && g.PadEnd == none:
		return 1
	case g.Taps() <= 31:
		return 2
	}
	return 3
}

// product is a matrix product for each group: w [m, k] with strides times the
// unfolded input.
type product struct {
	m, k           int
	wGroup, wM, wK int // strides of w
	splits         int // parts of k that are summed apart
}

// productOf returns the matrix product that a convolution is.
func productOf(g spec.Conv) product {
	return product{m: g.KG(), k: g.Terms(), wGroup: g.KG() * g.Terms(), wM: g.Terms(), wK: 1, splits: 1}
}

// groups returns the workgroups that a product takes.
func (t convTile) groups(g spec.Conv, w product) int {
	return ceilDiv(w.m, t.m) * ceilDiv(g.N*g.OutSize(), t.n) * g.Groups * w.splits
}

// tileNot says why a tile cannot serve, "" where it can.
func tileNot(g spec.Conv, t convTile, dev Device) string {
	switch {
	case t.invocations() > dev.MaxInvocations:
		return fmt.Sprintf("a workgroup of %d is more than the device's %d", t.invocations(), dev.MaxInvocations)
	case t.bytes() > dev.WorkgroupBytes:
		return fmt.Sprintf("%d bytes of workgroup memory are more than the device's %d", t.bytes(), dev.WorkgroupBytes)
	case max(g.In[0], g.In[1], g.In[2]) >= 1<<30:
		return "an axis of 2^30 or more cannot be told from padding"
	case g.PadMode != spec.PadZeros:
		in := padded(g)
		return tooLarge(dev, g.N*g.C*in[0]*in[1]*in[2])
	}
	return ""
}

// splitNot says why a tile with split sums cannot serve, "" where it can.
func splitNot(g spec.Conv, t convTile, dev Device) string {
	if n := splitsOf(g, t); n < 2 {
		return fmt.Sprintf("%d products fill no second split", g.Terms())
	} else if not := tooLarge(dev, n*g.N*g.K*g.OutSize()); not != "" {
		return not
	}
	return tileNot(g, t, dev)
}

// splits reports whether a tile is used with split sums: the large ones are for
// large grids, which need no splits.
func splits(t convTile) bool { return t.m == t.n && t.m <= 64 }

// splitsOf returns into how many parts to split the sums so that a GPU of
// ordinary size is busy, each with enough steps to pay for its stores.
func splitsOf(g spec.Conv, t convTile) int {
	want := ceilDiv(2*tileSlots(t), t.groups(g, productOf(g)))
	return min(want, g.Terms()/(4*t.k), 64)
}

// convTiled plans a convolution by the tile kernel.
func convTiled(g spec.Conv, dev Device, t convTile) (Plan, error) {
	var p Plan
	x := In(0)
	if g.PadMode != spec.PadZeros {
		x, g = p.pad(g, dev)
	}
	p.tile(g, t, productOf(g), []Operand{x, In(1), In(2), Out(0)}, dev)
	return p, nil
}

// convSplit plans a convolution by the tile kernel with split sums.
func convSplit(g spec.Conv, dev Device, t convTile) (Plan, error) {
	var p Plan
	w := productOf(g)
	w.splits = splitsOf(g, t)
	x := In(0)
	if g.PadMode != spec.PadZeros {
		x, g = p.pad(g, dev)
	}
	// Rounding the parts up to whole steps may leave fewer of them.
	w.splits = ceilDiv(w.k, splitK(w, t))
	part := p.temp(w.splits * g.N * g.K * g.OutSize())
	p.tile(g, t, w, []Operand{x, In(1), In(2), part}, dev)
	p.reduce(g, w.splits, part, dev)
	return p, nil
}

// splitK returns the products of one part, whole steps of the tile.
func splitK(w product, t convTile) int { return ceilDiv(ceilDiv(w.k, w.splits), t.k) * t.k }

// tile adds the tile kernel. Operands are x, w, b and y, or what split sums
// go to.
func (p *Plan) tile(g spec.Conv, t convTile, w product, operands []Operand, dev Device) {
	s := tileShape{convTile: t, reach: reachOf(g), split: w.splits > 1, mFirst: w.wM == 1, fn: g.Act.Func}
	if s.split {
		s.fn = spec.Identity
	}
	n := g.N * g.OutSize()
	p.add(Step{
		Kernel: tileKernel(s),
		Params: Params{}.U32(w.m, n, w.k, ceilDiv(w.m, t.m), ceilDiv(n, t.n), g.Groups, w.splits, splitK(w, t)).
			U32(w.wGroup, w.wM, w.wK, g.CG()).U32(g.In[:]...).U32(g.Out[:]...).U32(g.Kernel[:]...).
			U32(g.Stride[:]...).U32(g.Dilation[:]...).U32(g.PadBegin[:]...).U32(flag(g.Bias)).F32(g.Act.A, g.Act.B),
		Operands: operands,
		Groups:   Grid1D(t.groups(g, w), dev.MaxGroups),
	})
}

func tileKernel(s tileShape) *Kernel {
	name := fmt.Sprintf("conv_tile_%v_reach%d_split%t_mfirst%t_%v", s.convTile, s.reach, s.split, s.mFirst, s.fn)
	return intern(name, func() *Kernel {
		wg := s.invocations()
		return &Kernel{
			Source: specialise(convTileWGSL, setU32("WG", wg), setU32("BM", s.m), setU32("BN", s.n), setU32("BK", s.k),
				setU32("TM4", s.tm/4), setU32("TN", s.tn), setU32("TX", s.n/s.tn), setU32("TY", s.m/s.tm),
				setU32("ACC", s.tm/4*s.tn), setU32("PITCH", s.m/4+1),
				setU32("A_LOADS", s.k*s.m/4/wg), setU32("B_LOADS", s.k*s.n/wg),
				setU32("B_ROWS", wg/s.n), setU32("REACH", s.reach), setBool("SPLIT", s.split), setBool("M_FIRST", s.mFirst),
				swap("activate", ActivationSource("activate", spec.Activation{Func: s.fn})), unroll),
			ParamBytes: 33 * 4,
			Writes:     []bool{false, false, false, true},
		}
	})
}

// convTileKernels enumerates the tile kernels and, for one of them, every
// activation.
func convTileKernels() []*Kernel {
	var all []*Kernel
	for _, t := range convTiles {
		for reach := range 4 {
			all = append(all, tileKernel(tileShape{t, reach, false, false, spec.Identity}))
			if splits(t) {
				all = append(all, tileKernel(tileShape{t, reach, true, false, spec.Identity}))
			}
		}
		all = append(all, tileKernel(tileShape{t, 0, false, true, spec.Identity})) // of transposed convolutions
	}
	for _, fn := range spec.Pointwises() {
		all = append(all, tileKernel(tileShape{convTiles[len(convTiles)-1], 0, false, false, fn}))
	}
	return all
}
