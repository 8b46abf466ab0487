package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

// The gradients of the normalizations share their kernels. A plan is
//
//	moments, merge   the statistics of x, where they are not inputs; see norm.go
//	sums             of dy, dy*(x-hi) and x-hi, in chunks
//	finish           the coefficients of each group from them
//	apply            dx from dy, x and the coefficients
//	finish           dscale and dshift
//
// The sums are those of cells, what a group and an affine element have in
// common, and serve both ends: the plane of an image and a channel, say. Where
// cells are single elements, as in layer normalization, there are two passes of
// sums: over groups, and over affine elements.
var (
	//go:embed norm_grad_sums.wgsl
	normGradSumsWGSL string
	//go:embed norm_grad_planes.wgsl
	normGradPlanesWGSL string
	//go:embed norm_grad_finish.wgsl
	normGradFinishWGSL string
	//go:embed norm_grad_apply.wgsl
	normGradApplyWGSL string
	//go:embed norm_grad_apply_planes.wgsl
	normGradApplyPlanesWGSL string
)

// normGradOperands are where a gradient of a normalization reads and writes.
// stat is the mean and spread the inverse deviation or the variance where they
// are inputs.
type normGradOperands struct {
	dy, x, scale, stat, spread Operand
	dx, dscale, dshift         Operand
}

// PlanNormGrad plans the gradient of a normalization with the statistics of x
// itself. Inputs: dy, x, scale (may be absent); outputs: dx and, where there is a
// scale, dscale and dshift. function is the row's name. Variants: rows
// (some rows to an invocation, for software adapters), group (a workgroup for a
// row), planes (whole planes of cells), naive.
func PlanNormGrad(function string, g spec.NormGrad, dev Device, force string) (Plan, error) {
	return planNormGrad(function, g, normGradOperands{
		dy: In(0), x: In(1), scale: In(2), spread: In(2), dx: Out(0), dscale: Out(1), dshift: Out(2),
	}, dev, force)
}

// PlanBatchNormGrad plans the gradient of a batch normalization whose statistics
// are inputs: dy, x, scale (may be absent), mean, and the inverse deviation or,
// where g.Fixed is set, the variance. Outputs and variants: as of PlanNormGrad, and
// stream (one pass, for software adapters).
func PlanBatchNormGrad(function string, g spec.NormGrad, dev Device, force string) (Plan, error) {
	return planNormGrad(function, g, normGradOperands{
		dy: In(0), x: In(1), scale: In(2), stat: In(3), spread: In(4), dx: Out(0), dscale: Out(1), dshift: Out(2),
	}, dev, force)
}

func planNormGrad(function string, g spec.NormGrad, io normGradOperands, dev Device, force string) (Plan, error) {
	_, _, _, groups := g.Planes()
	cells, _, _, _, ok := normGradCells(gradDims(&g))
	_, _, _, planes := cellPlanes(cells)
	not := firstOf(reason(!groups || !planes, "the cells are not planes"), reason(!ok, "the cells are too small or too many"))
	moments := momentsTree
	if dev.CPU {
		moments = momentsSplit
	}
	r, noRows := rowGradient(&g)
	rows := candidate{name: "rows", why: "some rows to an invocation, for a CPU", not: firstOf(noRows,
		reason(dev.CPU && r.rowLoops() > softwareLoops, "rows are longer than one invocation's loops may be")),
		plan: func() (Plan, error) { return normGradRows(&g, io, r, dev), nil }}
	group := candidate{name: "group", why: "a workgroup keeps a row in registers", not: firstOf(noRows,
		reason(noRows == "" && groupTooLong(r.n/gradLanes(r.n), dev), "a row is more than the registers of a workgroup")),
		plan: func() (Plan, error) { return normGradGroup(&g, io, r, dev), nil }}
	parts := candidate{name: "planes", why: "whole planes in chunks", not: not, plan: func() (Plan, error) {
		return normGradParts(g, io, dev, true, moments), nil
	}}
	naive := candidate{name: "naive", why: "serves every layout", plan: func() (Plan, error) {
		return normGradParts(g, io, dev, false, momentsNaive), nil
	}}
	stream := candidate{name: "stream", why: "one pass, for a CPU", not: normGradStreamNot(&g), plan: func() (Plan, error) {
		return normGradStream(g, io, dev), nil
	}}
	order := []candidate{parts, naive, group, rows, stream}
	switch { // a few rows leave most of a device without work
	case r.rows >= 32 && dev.CPU: // which has no workgroup memory
		order = []candidate{rows, stream, parts, naive, group}
	case dev.CPU:
		order = []candidate{stream, parts, naive, group, rows}
	case r.rows >= 32: // a workgroup for a row
		order = []candidate{group, parts, naive, rows, stream}
	}
	return chooseTuned(function, force, dev, func() string { return normClass(&g.Norm, g.Given) }, order)
}

// normGradPlan gathers the steps of a plan.
type normGradPlan struct {
	Plan
	g         spec.NormGrad
	io        normGradOperands
	coef, low Operand
	dev       Device
	planes    bool // sum cells by planes
}

func (p *normGradPlan) temp(n int) Operand {
	p.Temps = append(p.Temps, n)
	return Temp(len(p.Temps) - 1)
}

// normGradParts assembles the steps of a gradient around its moments.
func normGradParts(g spec.NormGrad, io normGradOperands, dev Device, planes bool, moments func(*spec.Norm, Operand, Device) (Step, int)) Plan {
	p := normGradPlan{g: g, io: io, dev: dev, planes: planes}
	if !g.Given && !g.Fixed {
		m, parts := moments(&g.Norm, io.x, dev) // to Temp(0), and from there to Temp(1)
		p.Steps = append(p.Steps, m, momentsMerge(&g.Norm, parts, dev))
		p.temp(4 * g.Groups * parts)
		p.io.stat = p.temp(4 * g.Groups)
	}
	p.coef, p.low = p.temp(4*g.Groups), p.temp(g.Groups)
	dims := gradDims(&g)
	cells, groups, affine, most, ok := normGradCells(dims)
	switch {
	case g.Fixed && !g.Scale: // no sums
		p.finish(outputsOf(dims, sideGroups), p.temp(4), 0, sideGroups, false)
	case ok:
		part, parts := p.sums(cells, most, sideCells)
		p.finish(groups, part, parts, sideGroups, g.Scale)
		if g.Scale {
			p.finish(affine, part, parts, sideAffine, false)
		}
	default:
		part, parts := p.sums(apart(dims, sideGroups), mostParts, sideGroups)
		p.finish(outputsOf(dims, sideGroups), part, parts, sideGroups, false)
		if g.Scale {
			part, parts = p.sums(apart(dims, sideAffine), mostParts, sideAffine)
			p.finish(outputsOf(dims, sideAffine), part, parts, sideAffine, true)
		}
	}
	p.apply()
	return p.Plan
}

// normGradSumsKernel returns the kernel for cells (neither), groups (weighted)
// or affine elements (normalized).
func normGradSumsKernel(weighted, normalized bool) *Kernel {
	return intern(fmt.Sprintf("norm_grad_sums_weighted%t_normalized%t", weighted, normalized), func() *Kernel {
		return &Kernel{
			Source:     specialise(normGradSumsWGSL, setBool("WEIGHTED", weighted), setBool("NORMALIZED", normalized)),
			ParamBytes: 128 + 32,
			Writes:     []bool{false, false, false, false, true},
		}
	})
}

// sums plans the sums of a layout, in at most so many chunks.
func (p *normGradPlan) sums(l gradLayout, most int, side normGradSide) (part Operand, parts int) {
	const wg = 64
	if p.planes {
		return p.planeSums(l, most)
	}
	size, parts := chunks(l.terms(), 256, most)
	part = p.temp(4 * l.outputs() * parts)
	step := 4
	if p.g.Given || p.g.Fixed {
		step = 1
	}
	p.Steps = append(p.Steps, Step{
		Kernel:   normGradSumsKernel(side == sideGroups && p.g.Scale, side == sideAffine),
		Params:   append(l.params(), Params{}.U32(l.outputs()*parts, parts, size, l.terms(), step, boolU32(side == sideAffine))...),
		Operands: []Operand{p.io.dy, p.io.x, p.io.stat, p.io.scale, part},
		Groups:   Grid1D(ceilDiv(l.outputs()*parts, wg), p.dev.MaxGroups),
	})
	return part, parts
}

// cellPlanes returns the form [n, c, s] of x in which cell c is the elements
// [:, c, :]; ok is false where the cells cannot be had so. reduced axes have
// strides in x.
func cellPlanes(l gradLayout) (n, c, s int, ok bool) {
	n, c, s = 1, l.outputs(), 1
	for _, d := range l.reduced {
		// An axis is within the cells' axes, before them, or between two of them.
		inside, outside := true, true
		for _, k := range l.kept {
			inside, outside = inside && d.at < k.at, outside && d.at > k.at
		}
		switch {
		case inside:
			s *= d.size
		case outside:
			n *= d.size
		default:
			return 0, 0, 0, false
		}
	}
	return n, c, s, s >= 4
}

// gradBlock is BLOCK of norm_grad_planes.wgsl.
const gradBlock = 16

// normGradPlanesKernel returns the kernel for planes of s floats, and how many of
// them it loads at once.
func normGradPlanesKernel(s int) (*Kernel, int) {
	load, edits := lanes(s, vec4Moments)
	whole := s/load%gradBlock == 0
	return intern(fmt.Sprintf("norm_grad_planes_x%d_whole%t", load, whole), func() *Kernel {
		edits = append(edits, setBool("WHOLE", whole), unroll)
		return &Kernel{Source: specialise(normGradPlanesWGSL, edits...), ParamBytes: 128 + 48, Writes: []bool{false, false, false, true}}
	}), load
}

// planeSums plans the sums of cells that are planes.
func (p *normGradPlan) planeSums(l gradLayout, most int) (part Operand, parts int) {
	const wg, block = 32, gradBlock
	n, c, s, _ := cellPlanes(l)
	k, load := normGradPlanesKernel(s)
	s /= load
	blocks := ceilDiv(s, block)
	size, parts := chunks(n*blocks, 16, most)
	part = p.temp(4 * c * parts)
	step := 4
	if p.g.Given || p.g.Fixed {
		step = 1
	}
	cells := gradLayout{kept: l.kept}
	p.Steps = append(p.Steps, Step{
		Kernel:   k,
		Params:   append(cells.params()[:128], Params{}.U32(len(l.kept), c*parts, parts, size, n*blocks, step, blocks, s, c*s).pad16()...),
		Operands: []Operand{p.io.dy, p.io.x, p.io.stat, part},
		Groups:   Grid1D(ceilDiv(c*parts, wg), p.dev.MaxGroups),
	})
	return part, parts
}

const affineFinish = `@group(0) @binding(2) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> low: array<f32>;
@group(0) @binding(4) var<storage, read_write> dscale: array<f32>;
@group(0) @binding(5) var<storage, read_write> dshift: array<f32>;
fn weigh(v: vec4<f32>, g: u32, a: u32) -> vec4<f32> {
  if (p.finished == 1u) { return v; }
  return vec4<f32>(v.x, fma(-low[g], v.x, v.y) * coef[g].y, 0.0, 0.0);
}
fn finish(g: u32, a: u32, sum: vec4<f32>) {
  dscale[a] = sum.y;
  dshift[a] = sum.x;
}`

func normGradFinishKernel(side normGradSide, wg, threads int) *Kernel {
	name, writes := "groups", []bool{false, false, false, false, true, true}
	edits := []edit{setU32("WG", wg), setU32("THREADS", threads), swap("moments", MathSource(momentsMath...)+momentsWGSL)}
	if side == sideAffine {
		name, writes = "affine", []bool{false, false, false, true, true}
		edits = append(edits, swap("outputs", affineFinish))
	}
	return intern(fmt.Sprintf("norm_grad_finish_%s_%dof%d", name, threads, wg), func() *Kernel {
		return &Kernel{Source: specialise(normGradFinishWGSL, edits...), ParamBytes: 128 + 48, Writes: writes}
	})
}

// finish plans what makes the coefficients of the groups, or dscale and dshift,
// of sums in parts. Those of affine elements may be finished: of xhat already.
func (p *normGradPlan) finish(l gradLayout, part Operand, parts int, side normGradSide, flag bool) {
	const wg = 64
	g := &p.g
	count := l.terms() * parts
	threads := 1
	for !p.dev.CPU && threads < 32 && threads < count {
		threads *= 2
	}
	mode := 0
	switch {
	case g.Given:
		mode = 1
	case g.Fixed:
		mode = 2
	}
	weighted, finished := side == sideGroups && flag, side == sideAffine && flag
	operands := []Operand{part, p.io.stat, p.io.spread, p.io.scale, p.coef, p.low}
	if side == sideAffine {
		operands = []Operand{part, p.coef, p.low, p.io.dscale, p.io.dshift}
	}
	p.Steps = append(p.Steps, Step{
		Kernel: normGradFinishKernel(side, wg, threads),
		Params: append(l.params(), Params{}.U32(l.outputs(), max(parts, 1), count, mode, boolU32(g.RMS), boolU32(weighted), boolU32(finished)).
			F32(float32(1/float64(g.Count)), g.Eps).U32(boolU32(g.EpsOnStd))...),
		Operands: operands,
		Groups:   Grid1D(ceilDiv(l.outputs()*threads, wg), p.dev.MaxGroups),
	})
}

const vec4NormGrad = `alias T = vec4<f32>;
const LANES = 4u;
fn gather(g: u32) -> Coefficients {
  let c = coef[g];
  if (p.group_step == 0u) { return Coefficients(T(c.x), T(c.y), T(c.z), T(c.w)); }
  let d = coef[g + p.group_step];
  let e = coef[g + 2u * p.group_step];
  let f = coef[g + 3u * p.group_step];
  return Coefficients(T(c.x, d.x, e.x, f.x), T(c.y, d.y, e.y, f.y), T(c.z, d.z, e.z, f.z), T(c.w, d.w, e.w, f.w));
}
fn weight(a: u32) -> T {
  if (p.affine_step == 0u) { return T(scale[a]); }
  return T(scale[a], scale[a + p.affine_step], scale[a + 2u * p.affine_step], scale[a + 3u * p.affine_step]);
}`

func normGradApplyKernel(floats, block int, fixed bool) *Kernel {
	return intern(fmt.Sprintf("norm_grad_apply_x%d_block%d_fixed%t", floats, block, fixed), func() *Kernel {
		_, edits := lanes(floats, vec4NormGrad)
		return &Kernel{
			Source:     specialise(normGradApplyWGSL, append(edits, setU32("BLOCK", block), setBool("FIXED", fixed))...),
			ParamBytes: 128 + 32,
			Writes:     []bool{false, false, false, false, true},
		}
	})
}

func normGradApplyPlanesKernel(fixed bool) *Kernel {
	return intern(fmt.Sprintf("norm_grad_apply_planes_fixed%t", fixed), func() *Kernel {
		return &Kernel{Source: specialise(normGradApplyPlanesWGSL, setBool("FIXED", fixed), unroll),
			ParamBytes: 128 + 32, Writes: []bool{false, false, false, false, true}}
	})
}

// apply plans dx from the coefficients.
func (p *normGradPlan) apply() {
	const wg = 64
	last := gradDim{size: 1}
	outer := gradDims(&p.g)
	if n := len(outer); n > 0 {
		last, outer = outer[n-1], outer[:n-1]
	}
	lanes, _ := lanes(last.size, "")
	block := 4
	if p.dev.CPU {
		block = 16
	}
	run := last.size / lanes
	blocks := ceilDiv(run, block)
	rows := countOf(outer)
	dims := make([]int, 32)
	for i, d := range outer {
		copy(dims[4*i:], []int{d.size, d.group, d.affine})
	}
	operands := []Operand{p.io.dy, p.io.x, p.coef, p.io.scale, p.io.dx}
	if p.dev.CPU && lanes == 4 && run >= leastPlane && last.group == 0 && last.affine == 0 {
		parts, rounds := planeRuns(rows, run)
		p.Steps = append(p.Steps, Step{
			Kernel:   normGradApplyPlanesKernel(p.g.Fixed),
			Params:   Params{}.U32(dims...).U32(len(outer), rows*parts, parts, run, rounds, boolU32(p.g.Scale)).pad16(),
			Operands: operands,
			Groups:   Grid1D(rows*parts, p.dev.MaxGroups),
		})
		return
	}
	p.Steps = append(p.Steps, Step{
		Kernel: normGradApplyKernel(lanes, block, p.g.Fixed),
		Params: Params{}.U32(dims...).U32(len(outer), rows*blocks, blocks, run, last.group, last.affine,
			boolU32(p.g.Scale)).pad16(),
		Operands: operands,
		Groups:   Grid1D(ceilDiv(rows*blocks, wg), p.dev.MaxGroups),
	})
}

// normGradKernels enumerates the kernels of the gradients of normalizations.
func normGradKernels() []*Kernel {
	all := []*Kernel{normGradStreamKernel(false), normGradStreamKernel(true), normGradApplyPlanesKernel(false), normGradApplyPlanesKernel(true), normGradSumsKernel(false, false), normGradSumsKernel(true, false), normGradSumsKernel(false, true)}
	for _, s := range []int{1, 4, 16, 64} {
		planes, _ := normGradPlanesKernel(s)
		all = append(all, planes)
	}
	for threads := 1; threads <= 32; threads *= 2 {
		all = append(all, normGradFinishKernel(sideGroups, 64, threads), normGradFinishKernel(sideAffine, 64, threads))
	}
	for _, lanes := range []int{1, 4} {
		for _, block := range []int{4, 16} {
			for _, fixed := range []bool{false, true} {
				all = append(all, normGradApplyKernel(lanes, block, fixed))
			}
		}
	}
	return append(all, normGradRowsKernels()...)
}
