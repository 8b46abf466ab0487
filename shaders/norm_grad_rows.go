package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

var (
	//go:embed norm_grad_rows.wgsl
	normGradRowsWGSL string
	//go:embed norm_grad_strips.wgsl
	normGradStripsWGSL string
	//go:embed norm_grad_group.wgsl
	normGradGroupWGSL string
	//go:embed norm_grad_total.wgsl
	normGradTotalWGSL string
)

// rowGradient describes a gradient of a normalization of contiguous rows with a
// scale for each element of a row. Software adapters have an invocation for some
// rows; GPUs have a workgroup for each, which makes coefficients, and then strips
// of columns. Both leave dscale and dshift in parts.
func rowGradient(g *spec.NormGrad) (r normRows, not string) {
	r, not = rowsOf(&g.Norm)
	return r, firstOf(not,
		reason(g.Given || g.Fixed, "the statistics are inputs"),
		reason(!g.Scale || !r.elements, "scale is not of the row's elements"))
}

// gradRows is how many rows an invocation of norm_grad_rows.wgsl has: many rows
// make few parts, but few rows must still make work for all cores.
func gradRows(rows int) int {
	if rows < 1024 {
		return 2
	}
	return 8
}

func normGradRowsKernel(n, rows int) (k *Kernel, load int) {
	load, edits := lanes(n, vec4Moments+vec4Masked)
	block := 8
	if n/load < 8 {
		block = 4
	}
	whole := n/load%block == 0
	return intern(fmt.Sprintf("norm_grad_rows_%d_x%d_block%d_whole%t", rows, load, block, whole), func() *Kernel {
		edits = append(edits, setU32("ROWS", rows), setU32("BLOCK", block), setBool("WHOLE", whole),
			swap("moments", MathSource(momentsMath...)+momentsWGSL), unroll)
		return &Kernel{Source: specialise(normGradRowsWGSL, edits...), ParamBytes: 24, Writes: []bool{false, false, false, true, true}}
	}), load
}

// rowLoops is how often the loops of an invocation go round.
func (r normRows) rowLoops() int { return r.n + gradRows(r.rows)*(r.n+r.n/8) }

// normGradRows plans the gradient where an invocation has whole rows.
func normGradRows(g *spec.NormGrad, io normGradOperands, r normRows, dev Device) Plan {
	const wg = 8
	rows := gradRows(r.rows)
	p := normGradPlan{g: *g, io: io, dev: dev}
	parts := ceilDiv(r.rows, rows)
	k, load := normGradRowsKernel(r.n, rows)
	part := p.temp(2 * parts * r.n)
	p.Steps = append(p.Steps, Step{
		Kernel:   k,
		Params:   Params{}.U32(r.rows, r.n/load, boolU32(g.RMS)).F32(float32(1/float64(g.Count)), g.Eps).U32(parts),
		Operands: []Operand{io.dy, io.x, io.scale, io.dx, part},
		Groups:   Grid1D(ceilDiv(parts, wg), dev.MaxGroups),
	})
	p.totals(r.n, part, parts)
	return p.Plan
}

func normGradGroupKernel(load, wg, per int) *Kernel {
	_, edits := lanes(load, vec4Moments)
	return intern(fmt.Sprintf("norm_grad_group_%dx%d_x%d", wg, per, load), func() *Kernel {
		edits = append(edits, setU32("WG", wg), setU32("PER", per), swap("moments", MathSource(momentsMath...)+momentsWGSL), unroll)
		return &Kernel{Source: specialise(normGradGroupWGSL, edits...), ParamBytes: 20, Writes: []bool{false, false, false, true, true}}
	})
}

func normGradStripsKernel(load int) *Kernel {
	edits := []edit(nil)
	if load == 4 {
		edits = append(edits, swap("lanes", "alias T = vec4<f32>;"))
	}
	return intern(fmt.Sprintf("norm_grad_strips_x%d", load), func() *Kernel {
		return &Kernel{
			Source:     specialise(normGradStripsWGSL, edits...),
			ParamBytes: 20,
			Writes:     []bool{false, false, false, false, false, true, true},
		}
	})
}

// gradLanes returns how many floats are loaded at once of rows of n.
func gradLanes(n int) int {
	load, _ := lanes(n, "")
	return load
}

// groupTooLong reports whether a row of n loads is more than a workgroup keeps.
func groupTooLong(n int, dev Device) bool {
	_, per := groupTile(n, dev.MaxInvocations)
	return per == 0 || per > groupPer/2 // of x and of dy
}

// normGradGroup plans the gradient where a workgroup has a row, and strips of
// columns follow.
func normGradGroup(g *spec.NormGrad, io normGradOperands, r normRows, dev Device) Plan {
	const wg = 64
	p := normGradPlan{g: *g, io: io, dev: dev}
	p.coef, p.low = p.temp(4*g.Groups), p.temp(g.Groups)
	load := gradLanes(r.n)
	n := r.n / load
	rowWG, per := groupTile(n, dev.MaxInvocations)
	size, parts := chunks(r.rows, 32, 1024)
	part := p.temp(2 * parts * r.n)
	p.Steps = append(p.Steps, Step{
		Kernel:   normGradGroupKernel(load, rowWG, per),
		Params:   Params{}.U32(r.rows, n, boolU32(g.RMS)).F32(float32(1/float64(g.Count)), g.Eps),
		Operands: []Operand{io.dy, io.x, io.scale, p.coef, p.low},
		Groups:   Grid1D(r.rows, dev.MaxGroups),
	}, Step{
		Kernel:   normGradStripsKernel(load),
		Params:   Params{}.U32(parts*n, parts, size, r.rows, n),
		Operands: []Operand{io.dy, io.x, p.coef, p.low, io.scale, io.dx, part},
		Groups:   Grid1D(ceilDiv(parts*n, wg), dev.MaxGroups),
	})
	p.totals(r.n, part, parts)
	return p.Plan
}

func normGradTotalKernel(load int) *Kernel {
	edits := []edit(nil)
	if load == 4 {
		edits = append(edits, swap("lanes", "alias T = vec4<f32>;"))
	}
	return intern(fmt.Sprintf("norm_grad_total_x%d", load), func() *Kernel {
		return &Kernel{Source: specialise(normGradTotalWGSL, edits...), ParamBytes: 24, Writes: []bool{false, true}}
	})
}

// totals plans dshift and dscale, the sums of part [2, parts, n] over its parts:
// where these are many, chunks of them first.
func (p *normGradPlan) totals(n int, part Operand, parts int) {
	const wg, most = 32, 512
	load := gradLanes(n)
	n /= load
	add := func(to Operand, from, at, size, chunks int) {
		p.Steps = append(p.Steps, Step{
			Kernel:   normGradTotalKernel(load),
			Params:   Params{}.U32(chunks*n, n, parts, size, from, at),
			Operands: []Operand{part, to},
			Groups:   Grid1D(ceilDiv(chunks*n, wg), p.dev.MaxGroups),
		})
	}
	for parts > most {
		size := 64
		fewer := ceilDiv(parts, size)
		to := p.temp(2 * fewer * n * load)
		add(to, 0, 0, size, fewer)
		add(to, parts*n, fewer*n, size, fewer)
		part, parts = to, fewer
	}
	add(p.io.dshift, 0, 0, parts, 1)
	add(p.io.dscale, parts*n, 0, parts, 1)
}

// normGradRowsKernels enumerates the kernels of this file.
func normGradRowsKernels() []*Kernel {
	var all []*Kernel
	for _, rows := range []int{2, 8} {
		for _, n := range []int{1, 9, 23, 31, 4, 32, 40, 36, 44} { // both loads; short, whole, neither
			k, _ := normGradRowsKernel(n, rows)
			all = append(all, k)
		}
	}
	for _, load := range []int{1, 4} {
		all = append(all, normGradStripsKernel(load), normGradTotalKernel(load))
		for n := 1; n <= 1024*groupPer; n *= 2 {
			wg, per := groupTile(n, 1024)
			all = append(all, normGradGroupKernel(load, wg, per))
		}
	}
	return all
}
