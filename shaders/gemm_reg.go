package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed gemm_reg.wgsl
var gemmRegWGSL string

// gemmReg is a tile in registers: rows x cols outputs for an invocation.
type gemmReg struct{ rows, cols int }

// gemmRegLanes is how many invocations a workgroup has: the lanes of a 256-bit
// register, which is what a software adapter works with.
const gemmRegLanes = 8

func (r gemmReg) String() string { return fmt.Sprintf("%dx%d", r.rows, r.cols) }

// padded returns how many outputs all lanes compute, those past the ends
// included, when the lanes lie along m or along n.
func (r gemmReg) padded(g *spec.Gemm, alongM bool) float64 {
	m, n := r.rows, r.cols
	if alongM {
		m *= gemmRegLanes
	} else {
		n *= gemmRegLanes
	}
	return float64(g.Batches()) * float64(ceilDiv(g.M, m)*m) * float64(ceilDiv(g.N, n)*n)
}

// groups returns how many workgroups all products take, with the lanes along
// whichever axis wastes fewer.
func (r gemmReg) groups(g *spec.Gemm) int {
	if g.N == 1 {
		s := gemmSwapped(*g)
		g = &s
	}
	outputs := min(r.padded(g, true), r.padded(g, false))
	return int(outputs) / (r.rows * r.cols * gemmRegLanes)
}

func gemmRegKernel(r gemmReg, alongM bool, f gemmForm, step int) *Kernel {
	lanesM, lanesN := 1, gemmRegLanes
	if alongM {
		lanesM, lanesN = lanesN, lanesM
	}
	name := fmt.Sprintf("gemm_reg_%v_lanes%dx%d_step%d_%v", r, lanesM, lanesN, step, f)
	return intern(name, func() *Kernel {
		return &Kernel{
			Source: specialise(gemmRegWGSL,
				setU32("ROWS", r.rows), setU32("ROWS4", ceilDiv(r.rows, 4)),
				setU32("COLS", r.cols), setU32("COLS4", r.cols/4), setU32("SUMS", r.rows*r.cols/4),
				setU32("STEP", step), setU32("LANES_M", lanesM), setU32("LANES_N", lanesN), setU32("WG", gemmRegLanes),
				swap("bindings", gemmBindings(f)),
				swap("step", gemmRegStep(f)), swap("store", gemmRegStore(f.vecOut)),
				swap("activate", ActivationSource("activate", spec.Activation{Func: f.fn})),
				unroll),
			ParamBytes: 4 * gemmGridWords,
			Writes:     []bool{false, false, false, true},
		}
	})
}

// gemmRegStepLength is how much of k a round of the loop takes.
func gemmRegStepLength(g *spec.Gemm) int {
	if g.K%4 == 0 {
		return 4
	}
	return 1
}

// gemmRegStep is the body of the loop over k. An operand whose rows run along k
// is read as a vector of four k, one whose rows run along m or n as a vector of
// those, and one whose rows are no whole vectors by single numbers.
func gemmRegStep(f gemmForm) string {
	s := ""
	alongA, alongB := f.vecIn && !f.transA, f.vecIn && f.transB
	if alongA {
		s += `    var a_k: array<vec4<f32>, ROWS>;
    for (var r = 0u; r < ROWS; r++) { // unroll
      a_k[r] = a[row[r] / 4u + k / 4u];
    }
`
	}
	if alongB {
		s += `    var b_k: array<vec4<f32>, COLS>;
    for (var j = 0u; j < COLS; j++) { // unroll
      b_k[j] = b[col[j] / 4u + k / 4u];
    }
`
	}
	s += `    for (var i = 0u; i < STEP; i++) { // unroll
      var vb: array<vec4<f32>, COLS4>;
      for (var v = 0u; v < COLS4; v++) { // unroll
`
	switch {
	case alongB:
		s += "        vb[v] = vec4<f32>(b_k[v * 4u][i], b_k[v * 4u + 1u][i], b_k[v * 4u + 2u][i], b_k[v * 4u + 3u][i]);\n"
	case f.vecIn:
		s += "        vb[v] = b[col[v * 4u] / 4u + (k + i) * (p.bk / 4u)];\n"
	default:
		s += `        vb[v] = vec4<f32>(b[col[v * 4u] + (k + i) * p.bk], b[col[v * 4u + 1u] + (k + i) * p.bk],
                          b[col[v * 4u + 2u] + (k + i) * p.bk], b[col[v * 4u + 3u] + (k + i) * p.bk]);
`
	}
	s += "      }\n"
	if f.vecIn && f.transA {
		s += `      var a_m: array<vec4<f32>, ROWS4>;
      for (var g = 0u; g < ROWS4; g++) { // unroll
        a_m[g] = a[row[g * 4u] / 4u + (k + i) * (p.ak / 4u)];
      }
`
	}
	s += `      for (var r = 0u; r < ROWS; r++) { // unroll
`
	switch {
	case alongA:
		s += "        let va = vec4<f32>(a_k[r][i]);\n"
	case f.vecIn:
		s += "        let va = vec4<f32>(a_m[r / 4u][r % 4u]);\n"
	default:
		s += "        let va = vec4<f32>(a[row[r] + (k + i) * p.ak]);\n"
	}
	return s + `        for (var v = 0u; v < COLS4; v++) { // unroll
          acc[r * COLS4 + v] = fma(va, vb[v], acc[r * COLS4 + v]);
        }
      }
    }`
}

// gemmRegStore stores one vector of sums s at row m and column n.
func gemmRegStore(vec bool) string {
	if vec {
		return `        if (n < p.n) {
          y[at / 4u] = vec4<f32>(finish(s.x, m, n), finish(s.y, m, n + 1u), finish(s.z, m, n + 2u), finish(s.w, m, n + 3u));
        }`
	}
	return `        if (n < p.n) { y[at] = finish(s.x, m, n); }
        if (n + 1u < p.n) { y[at + 1u] = finish(s.y, m, n + 1u); }
        if (n + 2u < p.n) { y[at + 2u] = finish(s.z, m, n + 2u); }
        if (n + 3u < p.n) { y[at + 3u] = finish(s.w, m, n + 3u); }`
}

// gemmRegistered plans a product by tiles in registers, with the sum over k cut
// into this many parts at most. The lanes lie along whichever axis wastes fewer.
func gemmRegistered(g spec.Gemm, r gemmReg, splits int, dev Device) Plan {
	swapped := false
	if g.N == 1 {
		g, swapped = gemmSwapped(g), true
	}
	step := gemmRegStepLength(&g)
	alongM := r.padded(&g, true) < r.padded(&g, false)
	m, n := r.rows, r.cols
	if alongM {
		m *= gemmRegLanes
	} else {
		n *= gemmRegLanes
	}
	splits, chunk := splitChunks(g.K, splits, step)
	f := gemmFormOf(&g, m, n, step, splits > 1)
	f.edges = true // there is but one form, which has them
	if !f.vecIn {
		f.transA, f.transB = false, false // single numbers are found by steps
	}
	p, grid := gemmGrid(&g, ceilDiv(g.M, m), ceilDiv(g.N, n), splits, chunk, dev)
	return gemmSplit(g, gemmRegKernel(r, alongM, f, step), p, grid, splits, swapped, dev)
}

// gemmSwapped returns the product y^T = b^T * a^T of one whose y has one column,
// and so lies in memory as its transpose does: the kernels prefer one row.
func gemmSwapped(g spec.Gemm) spec.Gemm {
	s := g
	s.M, s.N = g.N, g.M
	s.TransA, s.TransB = false, !g.TransA // one column lies as one row does
	s.BiasM, s.BiasN = g.BiasN, g.BiasM
	for i, axis := range g.Batch {
		s.Batch[i].A, s.Batch[i].B = axis.B, axis.A
	}
	return s
}
