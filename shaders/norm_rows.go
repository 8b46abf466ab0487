package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

var (
	//go:embed normalize_rows.wgsl
	normalizeRowsWGSL string
	//go:embed normalize_group.wgsl
	normalizeGroupWGSL string
)

// normRows describes a normalization of contiguous rows: element l of a row r
// takes the affine element l, or r/div%mod*step + l/run.
type normRows struct {
	rows, n        int
	elements       bool
	div, mod, step int
	run            int
}

// rowsOf returns the form of a normalization whose groups are contiguous rows;
// not says why there is none.
func rowsOf(g *spec.Norm) (r normRows, not string) {
	n, rows, s, ok := g.Planes()
	if !ok || n != 1 {
		return r, "the groups are not contiguous rows"
	}
	r = normRows{rows: rows, n: s, div: 1, mod: 1, run: s}
	if !g.Scale && !g.Shift {
		return r, ""
	}
	var kept, reduced []spec.NormDim
	for _, d := range g.Dims {
		if d.Group != 0 {
			kept = append(kept, d)
		} else {
			reduced = append(reduced, d)
		}
	}
	// At most one kept axis may count in scale and shift.
	inner := 1
	for i := len(kept) - 1; i >= 0; i-- {
		if d := kept[i]; d.Affine != 0 {
			if r.step != 0 {
				return r, "scale and shift vary along several axes"
			}
			r.div, r.mod, r.step = inner, d.Size, d.Affine
		}
		inner *= kept[i].Size
	}
	switch {
	case len(reduced) == 1 && reduced[0].Affine == 1 && r.step == 0:
		r.elements = true
	case len(reduced) == 1 && reduced[0].Affine == 1:
		r.run = 1
	case len(reduced) == 2 && reduced[0].Affine == 1 && reduced[1].Affine == 0:
		r.run = reduced[1].Size
	case len(reduced) > 1 || len(reduced) == 1 && reduced[0].Affine != 0:
		return r, "scale and shift do not follow the row"
	}
	return r, ""
}

const (
	vec4Masked = `
fn masked(v: T, keep: bool) -> T { return select(T(0.0), v, vec4<bool>(keep)); }`
	vec4Activate = `
fn activate_lanes(v: T) -> T {
  return vec4<f32>(activate(v.x, p.act_a, p.act_b), activate(v.y, p.act_a, p.act_b),
                   activate(v.z, p.act_a, p.act_b), activate(v.w, p.act_a, p.act_b));
}`
)

// shortRow is the number of elements of a group up to which the roundings of its
// mean are followed: in larger ones they cancel.
const shortRow = 256

// rowsPer is how many rows an invocation of normalize_rows.wgsl has.
const rowsPer = 2

func normalizeRowsKernel(fn spec.Pointwise, n int, scale, shift bool) (*Kernel, int) {
	load, edits := lanes(n, vec4Moments+vec4Masked+vec4Activate)
	short := n <= shortRow
	name := fmt.Sprintf("normalize_rows_x%d_scale%t_shift%t_short%t_%v", load, scale, shift, short, fn)
	return intern(name, func() *Kernel {
		edits = append(edits, setU32("ROWS", rowsPer), setBool("SCALE", scale), setBool("SHIFT", shift), setBool("SHORT", short),
			swap("activate", ActivationSource("activate", spec.Activation{Func: fn}, momentsMath...)),
			swap("moments", momentsWGSL), unroll)
		return &Kernel{Source: specialise(normalizeRowsWGSL, edits...), ParamBytes: 32, Writes: []bool{false, false, false, true}}
	}), load
}

// normalizeRows plans one dispatch in which an invocation has whole rows.
func normalizeRows(g *spec.Norm, io normOperands, r normRows, dev Device) Plan {
	const wg = 32
	k, load := normalizeRowsKernel(g.Act.Func, r.n, g.Scale, g.Shift)
	return Plan{Steps: []Step{{
		Kernel: k,
		Params: Params{}.U32(r.rows, r.n/load, boolU32(g.RMS)).F32(float32(1/float64(g.Count)), g.Eps).
			U32(boolU32(g.EpsOnStd)).F32(g.Act.A, g.Act.B),
		Operands: []Operand{io.x, io.scale, io.shift, io.y},
		Groups:   Grid1D(ceilDiv(ceilDiv(r.rows, rowsPer), wg), dev.MaxGroups),
	}}}
}

// groupPer is the most loads that an invocation of normalize_group.wgsl keeps.
const groupPer = 16

// groupTile returns the workgroup for rows of n loads and how many each
// invocation keeps; per is 0 where the row is too long.
func groupTile(n, most int) (wg, per int) {
	wg, per = 32, 1
	for wg*2 <= most && wg*4 < n {
		wg *= 2
	}
	for wg*per < n {
		per *= 2
	}
	if per > groupPer {
		return wg, 0
	}
	return wg, per
}

// loadOf returns how many floats an invocation of normalize_group.wgsl loads at once.
func (r normRows) loadOf() int {
	if r.n%4 == 0 && (r.elements || r.run%4 == 0) {
		return 4
	}
	return 1
}

func normalizeGroupKernel(fn spec.Pointwise, load, wg, per int, elements, stats bool) *Kernel {
	name := fmt.Sprintf("normalize_group_%dx%d_x%d_elements%t_stats%t_%v", wg, per, load, elements, stats, fn)
	return intern(name, func() *Kernel {
		edits := []edit{
			setU32("WG", wg), setU32("PER", per),
			swap("activate", ActivationSource("activate", spec.Activation{Func: fn}, momentsMath...)),
			swap("moments", momentsWGSL),
		}
		if load == 4 {
			edits = append(edits, swap("lanes", vec4Moments+vec4Activate))
		}
		if elements {
			edits = append(edits, swap("affine", "alias A = T;\nconst ELEMENTS = true;"))
		}
		writes := []bool{false, false, false, true}
		if stats {
			writes = append(writes, true, true)
			edits = append(edits, swap("stats", `@group(0) @binding(5) var<storage, read_write> mean: array<f32>;
@group(0) @binding(6) var<storage, read_write> inv_std_out: array<f32>;
fn write_stats(row: u32, m: f32, inv: f32) {
  mean[row] = m;
  inv_std_out[row] = inv;
}`))
		}
		edits = append(edits, unroll)
		return &Kernel{Source: specialise(normalizeGroupWGSL, edits...), ParamBytes: 56, Writes: writes}
	})
}

// normalizeGroup plans one dispatch in which a workgroup has a row.
func normalizeGroup(g *spec.Norm, io normOperands, pub *published, r normRows, dev Device) Plan {
	load := r.loadOf()
	wg, per := groupTile(r.n/load, dev.MaxInvocations)
	k := normalizeGroupKernel(g.Act.Func, load, wg, per, r.elements, pub != nil)
	operands := []Operand{io.x, io.scale, io.shift, io.y}
	if pub != nil {
		operands = append(operands, pub.mean, pub.invStd)
	}
	return Plan{Steps: []Step{{
		Kernel: k,
		Params: Params{}.U32(r.rows, r.n/load, boolU32(g.RMS)).F32(float32(1/float64(g.Count)), g.Eps).
			U32(boolU32(g.EpsOnStd), boolU32(g.Scale), boolU32(g.Shift), r.div, r.mod, r.step, max(1, r.run/load)).F32(g.Act.A, g.Act.B),
		Operands: operands,
		Groups:   Grid1D(r.rows, dev.MaxGroups),
	}}}
}

// normRowsKernels enumerates the kernels of this file.
func normRowsKernels() []*Kernel {
	var all []*Kernel
	for _, load := range []int{1, 4} {
		k, _ := normalizeRowsKernel(spec.Identity, 1024+load, true, true)
		all = append(all, k)
		for _, scale := range []bool{false, true} {
			for _, shift := range []bool{false, true} {
				k, _ := normalizeRowsKernel(spec.Identity, load, scale, shift)
				all = append(all, k)
			}
		}
		for n := 1; n <= 1024*groupPer; n *= 2 {
			wg, per := groupTile(n, 1024)
			all = append(all, normalizeGroupKernel(spec.Identity, load, wg, per, true, false),
				normalizeGroupKernel(spec.Identity, load, wg, per, false, false))
		}
		all = append(all, normalizeGroupKernel(spec.Identity, load, 256, 4, true, true))
	}
	for _, fn := range spec.Pointwises() {
		k, _ := normalizeRowsKernel(fn, 4, true, true)
		all = append(all, k, normalizeGroupKernel(fn, 4, 256, 4, true, false))
	}
	return all
}
