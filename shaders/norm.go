package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

// The normalizations share their kernels. A plan has two or three parts:
//
//	moments    mean and squares of each chunk of a group   -> part
//	merge      of all chunks of a group                    -> stat
//	normalize  y from x, stat, scale and shift
//
// and, where statistics are outputs, publish. They differ in the moments:
//
//	naive    any layout, one invocation for a chunk
//	split    planes, one invocation for a chunk: software adapters
//	tree     planes, one workgroup for a chunk: GPUs
//	columns  groups along an axis that is not the last one
//
// Where the groups are contiguous rows, one dispatch can do it all:
//
//	rows     one invocation for a row: software adapters
//	group    one workgroup for a row, which it keeps in registers: GPUs
var (
	//go:embed moments.wgsl
	momentsWGSL string
	//go:embed moments_naive.wgsl
	momentsNaiveWGSL string
	//go:embed moments_split.wgsl
	momentsSplitWGSL string
	//go:embed moments_tree.wgsl
	momentsTreeWGSL string
	//go:embed moments_columns.wgsl
	momentsColumnsWGSL string
	//go:embed moments_merge.wgsl
	momentsMergeWGSL string
	//go:embed moments_publish.wgsl
	momentsPublishWGSL string
	//go:embed normalize.wgsl
	normalizeWGSL string
	//go:embed normalize_planes.wgsl
	normalizePlanesWGSL string
)

// normOperands are where a normalization reads and writes.
type normOperands struct {
	x, scale, shift, y Operand
	statOnly           bool // there is no y
}

// usualNorm are the operands of a call whose inputs are x, scale and shift.
var usualNorm = normOperands{x: In(0), scale: In(1), shift: In(2), y: Out(0)}

// published says which statistics are outputs, and the running ones.
type published struct {
	n, c                   int // stat is [n, c]; the running statistics are [c]
	mean, variance, invStd Operand
	running                bool
	momentum               float32
	unbias                 float64
	oldMean, oldVar        Operand
	newMean, newVar        Operand
	temps                  []int // of the operands that are temporaries, from Temp(2) on
}

// planNorm plans a normalization with the statistics of x. pub is nil where
// they are not wanted.
func planNorm(function string, g *spec.Norm, io normOperands, pub *published, dev Device, force string) (Plan, error) {
	n, _, s, planes := g.Planes()
	_, _, inner, columns := g.Columns()
	noPlanes, noColumns := "", ""
	if !planes {
		noPlanes = "the groups are not planes"
	}
	if !columns || inner == 1 {
		noColumns = "the groups are not columns"
	}
	parts := func(moments func(*spec.Norm, Operand, Device) (Step, int)) func() (Plan, error) {
		return func() (Plan, error) { return normParts(g, io, pub, dev, moments), nil }
	}
	split := candidate{name: "split", why: "planes in chunks, for a CPU", plan: parts(momentsSplit)}
	split.not = firstOf(noPlanes, reason(force == "" && g.Count <= shortRow, "small groups have kernels that follow the mean's roundings"))
	tree := candidate{name: "tree", why: "planes in chunks", not: noPlanes, plan: parts(momentsTree)}
	cols := candidate{name: "columns", why: "groups along an inner axis", not: noColumns, plan: parts(momentsColumns)}
	naive := candidate{name: "naive", why: "serves every layout", plan: parts(momentsNaive)}
	r, noRows := rowsOf(g)
	rows := candidate{name: "rows", why: "rows in one dispatch, for a CPU", not: noRows, plan: func() (Plan, error) {
		return normalizeRows(g, io, r, dev), nil
	}}
	group := candidate{name: "group", why: "a workgroup keeps a row in registers", not: noRows, plan: func() (Plan, error) {
		return normalizeGroup(g, io, pub, r, dev), nil
	}}
	rows.not = firstOf(rows.not,
		reason(pub != nil, "statistics are outputs"),
		reason(!r.elements && (g.Scale || g.Shift), "scale and shift are not of the row's elements"),
		reason(dev.CPU && r.n+r.n/16 > softwareLoops, "a row is longer than one invocation's loops may be"),
		reason(force != "rows" && r.rows < 64, "too few rows"))
	_, per := groupTile(r.n/r.loadOf(), dev.MaxInvocations)
	group.not = firstOf(group.not,
		reason(io.statOnly, "there is nothing to normalize"),
		reason(pub != nil && !pub.plain(), "more statistics than mean and deviation are outputs"),
		reason(per == 0, "a row is more than the registers of a workgroup"),
		reason(force != "group" && r.rows < 64 && r.n > 4096, "too few rows"))
	class := func() string { return normClass(g, pub != nil) }
	switch {
	case planes && n > 1 && s < 4 && columns:
		// The planes are all but single elements: neighbours are other groups.
		return chooseTuned(function, force, dev, class, []candidate{cols, rows, split, group, tree, naive})
	case dev.CPU:
		return chooseTuned(function, force, dev, class, []candidate{rows, split, cols, naive, group, tree})
	}
	return chooseTuned(function, force, dev, class, []candidate{group, tree, cols, split, naive, rows})
}

// reason returns why where the condition holds.
func reason(condition bool, why string) string {
	if condition {
		return why
	}
	return ""
}

// firstOf returns the first reason there is.
func firstOf(reasons ...string) string {
	for _, r := range reasons {
		if r != "" {
			return r
		}
	}
	return ""
}

// plain reports whether mean and inverse standard deviation are all that is wanted.
func (p *published) plain() bool { return !p.running && len(p.temps) > 0 }

// normParts assembles the steps of a normalization around its moments.
func normParts(g *spec.Norm, io normOperands, pub *published, dev Device, moments func(*spec.Norm, Operand, Device) (Step, int)) Plan {
	m, parts := moments(g, io.x, dev)
	p := Plan{
		Steps: []Step{m, momentsMerge(g, parts, dev)},
		Temps: []int{4 * g.Groups * parts, 4 * g.Groups},
	}
	if !io.statOnly {
		p.Steps = append(p.Steps, normalize(g, io, Temp(1), Temp(1), false, dev))
	}
	if pub != nil {
		p.Steps = append(p.Steps, momentsPublish(pub, dev))
		p.Temps = append(p.Temps, pub.temps...)
	}
	return p
}

// The parts of a kernel that depend on what is loaded at once.
const (
	vec4Moments = `alias T = vec4<f32>;
const LANES = 4u;
fn first(v: T) -> f32 { return v.x; }
fn total(v: T) -> f32 { return (v.x + v.y) + (v.z + v.w); }
fn lane(v: T, k: u32) -> f32 { var w = v; return w[k]; }
fn pin(v: T) -> T { return bitcast<vec4<f32>>(min(bitcast<vec4<u32>>(v), vec4<u32>(0xffc00000u))); }`
	vec4Columns = `alias T = vec4<f32>;
const LANES = 4u;
fn lane(v: T, k: u32) -> f32 { var w = v; return w[k]; }
fn pin(v: T) -> T { return bitcast<vec4<f32>>(min(bitcast<vec4<u32>>(v), vec4<u32>(0xffc00000u))); }`
	vec4Normalize = `alias T = vec4<f32>;
const LANES = 4u;
fn activate_lanes(v: T) -> T {
  return vec4<f32>(activate(v.x, p.act_a, p.act_b), activate(v.y, p.act_a, p.act_b),
                   activate(v.z, p.act_a, p.act_b), activate(v.w, p.act_a, p.act_b));
}
fn gather(g: u32, a: u32) -> Coefficients {
  let c = coefficients(g, a);
  if (p.group_step + p.affine_step == 0u) { return Coefficients(T(c.x), T(c.y), T(c.z)); }
  let d = coefficients(g + p.group_step, a + p.affine_step);
  let e = coefficients(g + 2u * p.group_step, a + 2u * p.affine_step);
  let f = coefficients(g + 3u * p.group_step, a + 3u * p.affine_step);
  return Coefficients(T(c.x, d.x, e.x, f.x), T(c.y, d.y, e.y, f.y), T(c.z, d.z, e.z, f.z));
}`
	givenStat = `@group(0) @binding(2) var<storage, read> stat: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
fn statistic(g: u32) -> vec3<f32> { return vec3<f32>(stat[g], 0.0, inv_sqrt(variance[g] + p.eps)); }`
)

// momentsMath is what moments.wgsl uses of math.wgsl.
var momentsMath = []string{"k_pin", "k_inf", "k_nan", "k_is_zero"}

// lanes returns how many floats are loaded at once along an axis of n, and what
// makes a kernel load vec4s.
func lanes(n int, vec4 string) (int, []edit) {
	if n%4 != 0 {
		return 1, nil
	}
	return 4, []edit{swap("lanes", vec4)}
}

func boolU32(b bool) int {
	if b {
		return 1
	}
	return 0
}

// pad16 pads the parameters of a struct that holds vec4s.
func (p Params) pad16() Params {
	for len(p)%16 != 0 {
		p = append(p, 0)
	}
	return p
}

func momentsNaiveKernel() *Kernel {
	return intern("moments_naive", func() *Kernel {
		return &Kernel{Source: momentsNaiveWGSL, ParamBytes: 128 + 32, Writes: []bool{false, true}}
	})
}

func momentsNaive(g *spec.Norm, x Operand, dev Device) (Step, int) {
	const wg = 64
	// The merged axes with their strides in x: averaged ones, then kept ones.
	var reduced, kept []int
	stride := spec.Count(g.Shape)
	for _, d := range g.Dims {
		stride /= d.Size
		if d.Group == 0 {
			reduced = append(reduced, d.Size, stride, 0, 0)
		} else {
			kept = append(kept, d.Size, stride, 0, 0)
		}
	}
	dims := make([]int, 32)
	copy(dims, append(append([]int{}, reduced...), kept...))
	size, parts := chunks(g.Count, 1024, mostParts)
	return Step{
		Kernel: momentsNaiveKernel(),
		Params: Params{}.U32(dims...).U32(len(reduced)/4, len(reduced)/4+len(kept)/4,
			g.Groups*parts, parts, size, g.Count, boolU32(g.RMS)).pad16(),
		Operands: []Operand{x, Temp(0)},
		Groups:   Grid1D(ceilDiv(g.Groups*parts, wg), dev.MaxGroups),
	}, parts
}

// mostParts is how many chunks a group may have: one invocation merges them in
// two loops, within softwareLoops.
const mostParts = 1 << 14

// chunks returns the size of a chunk and how many make up n, given the usual
// size and the most that there may be.
func chunks(n, size, most int) (chunk, parts int) {
	chunk = max(size, ceilDiv(n, most))
	return chunk, ceilDiv(n, chunk)
}

// momentsSplitKernel returns the kernel for planes of s floats, and how many
// floats it loads at once and loads it has in a block.
func momentsSplitKernel(s int) (k *Kernel, load, block int) {
	load, edits := lanes(s, vec4Moments+vec4Masked)
	block = 16
	if s/load < 16 {
		block = 4
	}
	whole := s/load%block == 0
	return intern(fmt.Sprintf("moments_split_x%d_block%d_whole%t", load, block, whole), func() *Kernel {
		edits = append(edits, setU32("BLOCK", block), setU32("BLOCK4", block/4), setBool("WHOLE", whole),
			swap("moments", MathSource(momentsMath...)+momentsWGSL), unroll)
		return &Kernel{Source: specialise(momentsSplitWGSL, edits...), ParamBytes: 32, Writes: []bool{false, true}}
	}), load, block
}

func momentsSplit(g *spec.Norm, x Operand, dev Device) (Step, int) {
	const wg = 32
	n, c, s, _ := g.Planes()
	k, load, block := momentsSplitKernel(s)
	s /= load
	blocks := ceilDiv(s, block)
	size, parts := chunks(n*blocks, 16, mostParts)
	return Step{
		Kernel:   k,
		Params:   Params{}.U32(c*parts, parts, size, n*blocks, blocks, s, c*s, boolU32(g.RMS)),
		Operands: []Operand{x, Temp(0)},
		Groups:   Grid1D(ceilDiv(c*parts, wg), dev.MaxGroups),
	}, parts
}

// treePer is how many loads each invocation of moments_tree.wgsl keeps.
const treePer = 4

func momentsTreeKernel(wg, s int) (*Kernel, int) {
	lanes, edits := lanes(s, vec4Moments)
	return intern(fmt.Sprintf("moments_tree_%dx%d_x%d", wg, treePer, lanes), func() *Kernel {
		return &Kernel{
			Source: specialise(momentsTreeWGSL, append(edits, setU32("WG", wg), setU32("PER", treePer),
				swap("moments", MathSource("k_pin")), unroll)...),
			ParamBytes: 24, Writes: []bool{false, true},
		}
	}), lanes
}

func momentsTree(g *spec.Norm, x Operand, dev Device) (Step, int) {
	n, c, s, _ := g.Planes()
	wg := 256
	for wg > 32 && n*s <= wg*2 {
		wg /= 2
	}
	k, lanes := momentsTreeKernel(wg, s)
	s /= lanes
	parts := ceilDiv(n*s, wg*treePer)
	return Step{
		Kernel:   k,
		Params:   Params{}.U32(c*parts, parts, n*s, s, c*s, boolU32(g.RMS)),
		Operands: []Operand{x, Temp(0)},
		Groups:   Grid1D(c*parts, dev.MaxGroups),
	}, parts
}

func momentsColumnsKernel(inner int) (*Kernel, int) {
	lanes, edits := lanes(inner, vec4Columns)
	return intern(fmt.Sprintf("moments_columns_x%d", lanes), func() *Kernel {
		return &Kernel{Source: specialise(momentsColumnsWGSL, edits...), ParamBytes: 24, Writes: []bool{false, true}}
	}), lanes
}

func momentsColumns(g *spec.Norm, x Operand, dev Device) (Step, int) {
	const wg = 64
	o, n, inner, _ := g.Columns()
	k, lanes := momentsColumnsKernel(inner)
	inner /= lanes
	size, parts := chunks(n, 64, mostParts)
	return Step{
		Kernel:   k,
		Params:   Params{}.U32(o*parts*inner, parts, size, n, inner, boolU32(g.RMS)),
		Operands: []Operand{x, Temp(0)},
		Groups:   Grid1D(ceilDiv(o*parts*inner, wg), dev.MaxGroups),
	}, parts
}

func momentsMergeKernel(wg, threads int) *Kernel {
	return intern(fmt.Sprintf("moments_merge_%dof%d", threads, wg), func() *Kernel {
		return &Kernel{
			Source:     specialise(momentsMergeWGSL, setU32("WG", wg), setU32("THREADS", threads), swap("moments", MathSource(momentsMath...)+momentsWGSL)),
			ParamBytes: 20, Writes: []bool{false, true},
		}
	})
}

// momentsMerge merges the moments of Temp(0) into Temp(1).
func momentsMerge(g *spec.Norm, parts int, dev Device) Step {
	const wg = 64
	threads := 1
	for threads < 32 && threads < parts && (!dev.CPU || parts > 64) {
		threads *= 2
	}
	return Step{
		Kernel: momentsMergeKernel(wg, threads),
		Params: Params{}.U32(g.Groups, parts).F32(float32(1/float64(g.Count)), g.Eps).
			U32(boolU32(g.EpsOnStd)),
		Operands: []Operand{Temp(0), Temp(1)},
		Groups:   Grid1D(ceilDiv(g.Groups*threads, wg), dev.MaxGroups),
	}
}

// normalize plans y = act((x - mean) * inv_std * scale + shift). stat holds what
// momentsMerge writes or, where given is set, the means, and variance the
// variances then.
func normalize(g *spec.Norm, io normOperands, stat, variance Operand, given bool, dev Device) Step {
	const wg = 64
	last := spec.NormDim{Size: 1}
	outer := g.Dims
	if n := len(g.Dims); n > 0 {
		last, outer = g.Dims[n-1], g.Dims[:n-1]
	}
	lanes, _ := lanes(last.Size, "")
	block := 4
	if dev.CPU {
		block = 16
	}
	run := last.Size / lanes
	blocks := ceilDiv(run, block)
	rows := spec.Count(g.Shape) / last.Size
	dims := make([]int, 32)
	for i, d := range outer {
		copy(dims[4*i:], []int{d.Size, d.Group, d.Affine})
	}
	if dev.CPU && lanes == 4 && run >= leastPlane && last.Group == 0 && last.Affine == 0 {
		parts, rounds := planeRuns(rows, run)
		return Step{
			Kernel: normalizePlanesKernel(g.Act.Func, given),
			Params: Params{}.U32(dims...).U32(len(outer), rows*parts, parts, run, rounds, boolU32(g.Scale), boolU32(g.Shift)).
				F32(g.Eps, g.Act.A, g.Act.B).pad16(),
			Operands: []Operand{io.x, stat, variance, io.scale, io.shift, io.y},
			Groups:   Grid1D(rows*parts, dev.MaxGroups),
		}
	}
	return Step{
		Kernel: normalizeKernel(g.Act.Func, lanes, block, given),
		Params: Params{}.U32(dims...).U32(len(outer), rows*blocks, blocks, run, last.Group, last.Affine,
			boolU32(g.Scale), boolU32(g.Shift)).F32(g.Eps, g.Act.A, g.Act.B).pad16(),
		Operands: []Operand{io.x, stat, variance, io.scale, io.shift, io.y},
		Groups:   Grid1D(ceilDiv(rows*blocks, wg), dev.MaxGroups),
	}
}

func normalizeKernel(fn spec.Pointwise, floats, block int, given bool) *Kernel {
	name := fmt.Sprintf("normalize_x%d_block%d_given%t_%v", floats, block, given, fn)
	return intern(name, func() *Kernel {
		_, edits := lanes(floats, vec4Normalize)
		edits = append(edits, setU32("BLOCK", block), swap("activate", ActivationSource("activate", spec.Activation{Func: fn}, momentsMath...)))
		if given {
			edits = append(edits, swap("stat", momentsWGSL+givenStat))
		}
		return &Kernel{
			Source:     specialise(normalizeWGSL, edits...),
			ParamBytes: 128 + 48,
			Writes:     []bool{false, false, false, false, false, true},
		}
	})
}

func normalizePlanesKernel(fn spec.Pointwise, given bool) *Kernel {
	return intern(fmt.Sprintf("normalize_planes_given%t_%v", given, fn), func() *Kernel {
		edits := []edit{swap("activate", ActivationSource("activate", spec.Activation{Func: fn}, momentsMath...))}
		if given {
			edits = append(edits, swap("stat", momentsWGSL+givenStat))
		}
		return &Kernel{
			Source:     specialise(normalizePlanesWGSL, append(edits, unroll)...),
			ParamBytes: 128 + 48,
			Writes:     []bool{false, false, false, false, false, true},
		}
	})
}

func momentsPublishKernel(running bool) *Kernel {
	name, edits := "moments_publish_running", []edit(nil)
	writes := []bool{false, false, false, true, true, true, true, true}
	if !running {
		name, edits = "moments_publish", []edit{swap("running", "fn update(c: u32, m: f32, v: f32) {}")}
		writes = writes[:6]
	}
	return intern(name, func() *Kernel {
		return &Kernel{Source: specialise(momentsPublishWGSL, edits...), ParamBytes: 28, Writes: writes}
	})
}

// momentsPublish writes the statistics of Temp(1) to the outputs.
func momentsPublish(pub *published, dev Device) Step {
	const wg = 64
	k := momentsPublishKernel(pub.running)
	operands := []Operand{Temp(1), pub.oldMean, pub.oldVar, pub.mean, pub.variance, pub.invStd, pub.newMean, pub.newVar}
	operands = operands[:len(k.Writes)]
	return Step{
		Kernel: k,
		Params: Params{}.U32(pub.n, pub.c, boolU32(pub.running)).
			F32(pub.momentum, float32(1-float64(pub.momentum)), float32(pub.unbias), float32(1/float64(pub.n))),
		Operands: operands,
		Groups:   Grid1D(ceilDiv(pub.c, wg), dev.MaxGroups),
	}
}

// normKernels enumerates the kernels that the plans of normalizations can return.
func normKernels() []*Kernel {
	all := []*Kernel{momentsNaiveKernel(), momentsPublishKernel(false), momentsPublishKernel(true)}
	for _, s := range []int{1, 4, 16, 17, 4 * 4, 4 * 5, 4 * 16, 4 * 17} {
		split, _, _ := momentsSplitKernel(s)
		all = append(all, split)
	}
	for _, lanes := range []int{1, 4} {
		columns, _ := momentsColumnsKernel(lanes)
		all = append(all, columns)
		for wg := 32; wg <= 256; wg *= 2 {
			tree, _ := momentsTreeKernel(wg, lanes)
			all = append(all, tree)
		}
		for _, block := range []int{4, 16} {
			for _, given := range []bool{false, true} {
				all = append(all, normalizeKernel(spec.Identity, lanes, block, given))
			}
		}
	}
	for threads := 1; threads <= 32; threads *= 2 {
		all = append(all, momentsMergeKernel(64, threads))
	}
	for _, fn := range spec.Pointwises() {
		all = append(all, normalizeKernel(fn, 4, 4, false), normalizePlanesKernel(fn, false), normalizePlanesKernel(fn, true))
	}
	return append(all, normRowsKernels()...)
}
