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
)

// rowGradient describes a gradient of a normalization of contiguous rows with a
// scale for each element of a row: rows, or one workgroup for each, make the
// coefficients, and strips of columns dx, dscale and dshift.
func rowGradient(g *spec.NormGrad) (r normRows, not string) {
	r, not = rowsOf(&g.Norm)
	return r, firstOf(not,
		reason(g.Given || g.Fixed, "the statistics are inputs"),
		reason(!g.Scale || !r.elements, "scale is not of the row's elements"))
}

func normGradRowsKernel(n int) (k *Kernel, load, block int) {
	load, edits := lanes(n, vec4Moments+vec4Masked)
	block = 8
	if n/load < 8 {
		block = 4
	}
	whole := n/load%block == 0
	return intern(fmt.Sprintf("norm_grad_rows_x%d_block%d_whole%t", load, block, whole), func() *Kernel {
		edits = append(edits, setU32("ROWS", rowsPer), setU32("BLOCK", block), setBool("WHOLE", whole),
			swap("moments", MathSource(momentsMath...)+momentsWGSL), unroll)
		return &Kernel{Source: specialise(normGradRowsWGSL, edits...), ParamBytes: 20, Writes: []bool{false, false, false, true, true}}
	}), load, block
}

// normGradRows plans the gradient where an invocation has whole rows.
func normGradRows(g *spec.NormGrad, io normGradOperands, r normRows, dev Device) Plan {
	const wg = 16
	p := newNormGradPlan(g, io, dev)
	k, load, _ := normGradRowsKernel(r.n)
	p.Steps = append(p.Steps, Step{
		Kernel:   k,
		Params:   Params{}.U32(r.rows, r.n/load, boolU32(g.RMS)).F32(float32(1/float64(g.Count)), g.Eps),
		Operands: []Operand{io.dy, io.x, io.scale, p.coef, p.low},
		Groups:   Grid1D(ceilDiv(ceilDiv(r.rows, rowsPer), wg), dev.MaxGroups),
	})
	return p.strips(r)
}

// newNormGradPlan begins a plan with room for the coefficients.
func newNormGradPlan(g *spec.NormGrad, io normGradOperands, dev Device) *normGradPlan {
	p := &normGradPlan{g: *g, io: io, dev: dev}
	p.coef, p.low = p.temp(4*g.Groups), p.temp(g.Groups)
	return p
}

func normGradStripsKernel(load, cols int) *Kernel {
	_, edits := lanes(load, vec4Columns)
	return intern(fmt.Sprintf("norm_grad_strips_x%d_cols%d", load, cols), func() *Kernel {
		return &Kernel{
			Source:     specialise(normGradStripsWGSL, append(edits, setU32("COLS", cols), unroll)...),
			ParamBytes: 24,
			Writes:     []bool{false, false, false, false, false, true, true},
		}
	})
}

// strips plans dx, dscale and dshift from the coefficients of the rows.
func (p *normGradPlan) strips(r normRows) Plan {
	const wg = 64
	load, _ := lanes(r.n, "")
	cols := 1
	if p.dev.CPU && r.n/load%2 == 0 {
		cols = 2
	}
	n := r.n / load
	size, parts := chunks(r.rows, 64, 1024)
	part := p.temp(4 * r.n * parts)
	p.Steps = append(p.Steps, Step{
		Kernel:   normGradStripsKernel(load, cols),
		Params:   Params{}.U32(parts*(n/cols), n/cols, parts, size, r.rows, n),
		Operands: []Operand{p.io.dy, p.io.x, p.coef, p.low, p.io.scale, p.io.dx, part},
		Groups:   Grid1D(ceilDiv(parts*(n/cols), wg), p.dev.MaxGroups),
	})
	p.finish(outputsOf(gradDims(&p.g), sideAffine), part, parts, sideAffine, true)
	return p.Plan
}

// normGradRowsKernels enumerates the kernels of this file.
func normGradRowsKernels() []*Kernel {
	var all []*Kernel
	for _, load := range []int{1, 4} {
		for _, n := range []int{1, 4, 8, 9} {
			n *= load
			if load == 1 && n%4 == 0 {
				n += 15 // 19 and 23: no vec4
			}
			k, _, _ := normGradRowsKernel(n)
			all = append(all, k)
		}
		all = append(all, normGradStripsKernel(load, 1), normGradStripsKernel(load, 2))
	}
	return all
}
