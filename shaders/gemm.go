package shaders

import (
	_ "embed"
	"fmt"
	"math"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed gemm.wgsl
var gemmNaiveWGSL string

// PlanGemm plans a matrix product: Gemm, MatMul and Linear alike. Inputs: a, b,
// c (absent where g.Bias is false); output: y. Variants: those of GemmVariants.
func PlanGemm(g spec.Gemm, dev Device, force string) (Plan, error) {
	want, why := gemmChoice(&g, dev)
	var cands []candidate
	for _, v := range gemmVariants {
		c := candidate{name: v.name, why: v.why, not: v.cannot(&g, dev), plan: func() (Plan, error) { return v.plan(g, dev), nil }}
		if v.name == want && c.not == "" {
			c.why = why
			cands = append([]candidate{c}, cands...)
			continue
		}
		cands = append(cands, c)
	}
	return chooseTuned("gemm", force, dev, func() string { return gemmClass(&g) }, cands)
}

// GemmVariants names the kernels that a matrix product can be forced to.
func GemmVariants() []string {
	var names []string
	for _, v := range gemmVariants {
		names = append(names, v.name)
	}
	return names
}

// gemmVariant is one way to compute a matrix product.
type gemmVariant struct {
	name, why string
	cannot    func(g *spec.Gemm, dev Device) string // why it cannot serve, empty when it can
	plan      func(g spec.Gemm, dev Device) Plan
}

// gemmVariants come in the order in which they stand in for each other.
var gemmVariants = []gemmVariant{
	tileVariant("tile128", gemmTile128, false),
	tileVariant("tile64", gemmTile64, false),
	tileVariant("tile32", gemmTile32, false),
	tileVariant("split64", gemmTile64, true),
	tileVariant("split32", gemmTile32, true),
	regVariant("reg8x16", gemmReg{8, 16}, false),
	regVariant("reg4x8", gemmReg{4, 8}, false),
	regVariant("reg1x8", gemmReg{1, 8}, false),
	regVariant("regsplit4x8", gemmReg{4, 8}, true),
	regVariant("regsplit1x8", gemmReg{1, 8}, true),
	rowVariant("row1", 1, false),
	rowVariant("row4", 4, false),
	rowVariant("rowsplit1", 1, true),
	rowVariant("rowsplit4", 4, true),
	{"outer", "a column and a row", gemmOuterNot, gemmOuter},
	{"naive", "serves every case", func(g *spec.Gemm, dev Device) string { return tooManyRounds(g.K, dev) }, gemmNaive},
}

func tileVariant(name string, t gemmTile, split bool) gemmVariant {
	return gemmVariant{name, "a tile through workgroup memory",
		func(g *spec.Gemm, dev Device) string {
			switch memory := 16 * t.k * (t.m/4 + t.n/4 + 2); {
			case t.threads*t.threads > dev.MaxInvocations:
				return fmt.Sprintf("needs %d invocations, the device has %d", t.threads*t.threads, dev.MaxInvocations)
			case memory > dev.WorkgroupBytes:
				return fmt.Sprintf("needs %d bytes of workgroup memory, the device has %d", memory, dev.WorkgroupBytes)
			}
			if not := cannotSplit(g, split, t.k, dev); not != "" || split {
				return not
			}
			return tooManyRounds(2*g.K, dev)
		},
		func(g spec.Gemm, dev Device) Plan {
			splits := 1
			if split {
				splits = gemmSplits(&g, t.groups(&g), 2*g.K, dev)
			}
			return gemmTiled(g, t, splits, dev)
		}}
}

func regVariant(name string, r gemmReg, split bool) gemmVariant {
	return gemmVariant{name, "a tile in registers",
		func(g *spec.Gemm, dev Device) string {
			if r.rows%4 != 0 && g.TransA && g.N > 1 {
				return "a vector of the transposed a has four rows"
			}
			if not := cannotSplit(g, split, 4, dev); not != "" || split {
				return not
			}
			return tooManyRounds(g.K/gemmRegStepLength(g), dev)
		},
		func(g spec.Gemm, dev Device) Plan {
			splits := 1
			if split {
				splits = gemmSplits(&g, r.groups(&g), g.K/gemmRegStepLength(&g), dev)
			}
			return gemmRegistered(g, r, splits, dev)
		}}
}

func rowVariant(name string, rows int, split bool) gemmVariant {
	return gemmVariant{name, "few rows, each sum shared by a workgroup",
		func(g *spec.Gemm, dev Device) string {
			switch wg := gemmRowCols * gemmRowLanes; {
			case g.TransA && g.N > 1:
				return "a is transposed"
			case wg > dev.MaxInvocations:
				return fmt.Sprintf("needs %d invocations, the device has %d", wg, dev.MaxInvocations)
			}
			return cannotSplit(g, split, 4, dev)
		},
		func(g spec.Gemm, dev Device) Plan {
			splits := 1
			if split {
				splits = gemmSplits(&g, gemmRowGroups(&g, rows), g.K/gemmRowStep, dev)
			}
			return gemmRows(g, rows, splits, dev)
		}}
}

// gemmRowGroups returns how many workgroups all products take.
func gemmRowGroups(g *spec.Gemm, rows int) int {
	if g.N == 1 {
		s := gemmSwapped(*g)
		g = &s
	}
	m, n := gemmRowTiles(g, rows)
	return g.Batches() * m * n
}

// cannotSplit says why the sum over k cannot be cut in two, if it should be.
func cannotSplit(g *spec.Gemm, split bool, step int, dev Device) string {
	switch size := 4 * int64(g.Batches()) * int64(g.M) * int64(g.N); {
	case !split:
	case g.K <= step:
		return fmt.Sprintf("a sum of %d products is too short to split", g.K)
	case 2*size > dev.MaxBindingBytes || 2*size > 4*spec.MaxElements:
		return fmt.Sprintf("two parts of the result take %d bytes", 2*size)
	}
	return ""
}

// gemmWantGroups is how many workgroups keep a device busy: two for each of some
// 64 compute units, and for a software adapter a few for each core.
func gemmWantGroups(dev Device) int {
	if dev.CPU {
		return 8
	}
	return 128
}

// leastChunk is the shortest part of a sum that is worth a workgroup of its own:
// a part costs a write and a read of all its outputs.
const leastChunk = 128

// gemmSplits is how many parts to cut the sum into, when there are too few
// workgroups, or a software adapter would not make all these rounds of it: at
// least two, so that a forced split is one.
func gemmSplits(g *spec.Gemm, groups, rounds int, dev Device) int {
	n := min(ceilDiv(gemmWantGroups(dev), groups), g.K/leastChunk, 64)
	if dev.CPU {
		if gemmDownColumns(g) {
			n = max(n, min(g.K/(leastChunk/2), 64))
		}
		n = max(n, 1+rounds/softwareRounds)
	}
	size := 4 * int64(g.Batches()) * int64(g.M) * int64(g.N)
	return max(2, min(n, int(min(dev.MaxBindingBytes, 4*spec.MaxElements)/size)))
}

// gemmDownColumns reports whether a product is of one row and of columns that are
// more than caches hold: down a whole column every element is on a page of its own,
// and a software adapter takes twice the time that it takes for short parts of many.
func gemmDownColumns(g *spec.Gemm) bool {
	s := *g
	if s.N == 1 {
		s = gemmSwapped(s)
	}
	return s.M == 1 && !s.TransB && s.N >= 1024 && s.K >= leastChunk && s.N*s.K >= 2<<20
}

// gemmChoice names the variant for a product on a device, and says why.
func gemmChoice(g *spec.Gemm, dev Device) (name, why string) {
	if dev.CPU {
		return gemmChoiceCPU(g, dev)
	}
	want := gemmWantGroups(dev)
	if rows := min(g.M, g.N); rows == 1 || g.M <= 4 && !g.TransA {
		n := 4
		if rows == 1 {
			n = 1
		}
		if groups := gemmRowGroups(g, n); 2*groups <= want && g.K >= 2*gemmRowStep {
			return fmt.Sprintf("rowsplit%d", n), fmt.Sprintf("few rows; %d workgroups leave a device idle, and the sum of %d products can be cut", groups, g.K)
		}
		return fmt.Sprintf("row%d", n), "few rows: the operands are read once"
	}
	// The larger a tile, the fewer reads for each multiply-add, but the more it
	// computes past the ends.
	best, least := "", math.Inf(1)
	for _, t := range []struct {
		name string
		tile gemmTile
		rate float64
	}{{"tile128", gemmTile128, 1}, {"tile64", gemmTile64, 0.8}, {"tile32", gemmTile32, 0.5}} {
		groups := t.tile.groups(g)
		cost := float64(groups) * float64(t.tile.m) * float64(t.tile.n) / t.rate
		if groups >= want && cost < least {
			best, least = t.name, cost
		}
	}
	if best != "" {
		return best, fmt.Sprintf("at least %d workgroups, the least work with what lies past the ends", want)
	}
	groups := gemmTile32.groups(g)
	if 2*groups <= want && g.K >= 2*leastChunk {
		return "split32", fmt.Sprintf("%d tiles of 32x32 leave a device idle, and the sum of %d products can be cut", groups, g.K)
	}
	return "tile32", fmt.Sprintf("larger tiles make fewer than %d workgroups", want)
}

// gemmChoiceCPU weighs the register tiles by what they compute in vain and what
// they reach: the rates were measured on llvmpipe, relative to the largest.
func gemmChoiceCPU(g *spec.Gemm, dev Device) (name, why string) {
	switch {
	case gemmOuterNot(g, dev) == "":
		return "outer", "a column and a row: each output is stored once, and nothing summed"
	case gemmDownColumns(g):
		return "regsplit1x8", "short parts of many columns, a page of memory for each row"
	}
	shape := *g
	if shape.N == 1 {
		shape = gemmSwapped(shape)
	}
	best, least := gemmReg{}, math.Inf(1)
	for _, r := range []struct {
		reg  gemmReg
		rate float64
	}{{gemmReg{8, 16}, 1}, {gemmReg{4, 8}, 0.8}, {gemmReg{1, 8}, 0.3}} {
		cost := min(r.reg.padded(&shape, false), r.reg.padded(&shape, true)) / r.rate
		if cost < least {
			best, least = r.reg, cost
		}
	}
	groups := best.groups(g)
	if not := tooManyRounds(g.K/gemmRegStepLength(g), dev); not != "" {
		if best.rows == 8 {
			best = gemmReg{4, 8}
		}
		return fmt.Sprintf("regsplit%v", best), not
	}
	if best != (gemmReg{8, 16}) && 2*groups <= gemmWantGroups(dev) && g.K >= 8*leastChunk {
		return fmt.Sprintf("regsplit%v", best), fmt.Sprintf("%d workgroups leave cores idle, and the sum of %d products can be cut", groups, g.K)
	}
	return fmt.Sprintf("reg%v", best), "a software adapter; the least work with what lies past the ends"
}

func gemmNaiveKernel(fn spec.Pointwise) *Kernel {
	return intern(fmt.Sprintf("gemm_naive_%v", fn), func() *Kernel {
		return &Kernel{
			Source:     specialise(gemmNaiveWGSL, swap("activate", ActivationSource("activate", spec.Activation{Func: fn}))),
			ParamBytes: gemmParamWords * 4,
			Writes:     []bool{false, false, false, true},
		}
	})
}

// gemmParamWords is the size of the uniform struct that the kernels share.
const gemmParamWords = 15 + 3*spec.MaxBatchAxes

// gemmParams fills the uniform struct that the kernels share; its first member
// is the kernel's own.
func gemmParams(first int, g *spec.Gemm) Params {
	am, ak, bk, bn := g.K, 1, g.N, 1
	if g.TransA {
		am, ak = 1, g.M
	}
	if g.TransB {
		bk, bn = 1, g.K
	}
	p := Params{}.U32(first, g.M, g.N, g.K, am, ak, bk, bn, flag(g.Bias), g.BiasM, g.BiasN).
		F32(g.Alpha, g.Beta, g.Act.A, g.Act.B)
	for i := spec.MaxBatchAxes - 1; i >= 0; i-- {
		p = p.U32(g.Batch[i].Size, g.Batch[i].A, g.Batch[i].B)
	}
	return p
}

func gemmNaive(g spec.Gemm, dev Device) Plan {
	const wg = 64
	total := g.Batches() * g.M * g.N
	return Plan{Steps: []Step{{
		Kernel:   gemmNaiveKernel(g.Act.Func),
		Params:   gemmParams(total, &g),
		Operands: []Operand{In(0), In(1), In(2), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	}}}
}

// gemmKernels enumerates the kernels that PlanGemm can return: each tile in each
// form of its operands, and the activations with one of each.
func gemmKernels() []*Kernel {
	var all []*Kernel
	for _, fn := range spec.Pointwises() {
		all = append(all, gemmNaiveKernel(fn), gemmSumKernel(fn),
			gemmTileKernel(gemmTile64, gemmForm{vecIn: true, vecOut: true, fn: fn}),
			gemmRegKernel(gemmReg{8, 16}, false, gemmForm{vecIn: true, vecOut: true, edges: true, fn: fn}, 4))
	}
	all = append(all, gemmOuterKernel())
	for bits := range 16 {
		f := gemmForm{edges: true}
		for i, p := range []*bool{&f.transA, &f.transB, &f.vecIn, &f.vecOut} {
			*p = bits>>i&1 == 1
		}
		whole := f
		whole.edges = false
		for _, t := range []gemmTile{gemmTile128, gemmTile64, gemmTile32} {
			all = append(all, gemmTileKernel(t, f))
			if f.vecIn && f.vecOut {
				all = append(all, gemmTileKernel(t, whole))
			}
		}
		if !f.transA && !(f.transB && f.vecOut) {
			all = append(all, gemmRowKernel(1, f), gemmRowKernel(4, f))
		}
		for _, r := range []gemmReg{{8, 16}, {4, 8}, {1, 8}} {
			if !f.vecIn && (f.transA || f.transB) || r.rows == 1 && f.transA {
				continue
			}
			for _, alongM := range []bool{false, true} {
				all = append(all, gemmRegKernel(r, alongM, f, 4))
				if !f.alongK() {
					all = append(all, gemmRegKernel(r, alongM, f, 1))
				}
			}
		}
	}
	return all
}
