package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed gemm_row.wgsl
var gemmRowWGSL string

// The shape of a workgroup of gemm_row.wgsl: columns, or vectors of them, and the
// invocations that share the sum of each.
const (
	gemmRowCols  = 8
	gemmRowLanes = 32
)

// gemmRowStep is how much of k a workgroup takes in one turn.
const gemmRowStep = 4 * gemmRowLanes

// gemmRowTiles returns how many workgroups cover one product in m and in n.
func gemmRowTiles(g *spec.Gemm, rows int) (m, n int) {
	if g.TransB {
		return ceilDiv(g.M, rows), ceilDiv(g.N, gemmRowCols)
	}
	return ceilDiv(g.M, rows), ceilDiv(g.N, 4*gemmRowCols)
}

func gemmRowKernel(rows int, f gemmForm) *Kernel {
	return intern(fmt.Sprintf("gemm_row%d_%v", rows, f), func() *Kernel {
		one := "\nfn store1(row: u32, column: u32, v: f32) { y[row * p.n + column] = v; }"
		if f.vecOut {
			one = "\nfn store1(row: u32, column: u32, v: f32) {}" // not called: single numbers are stored under TRANS_B only
		}
		return &Kernel{
			Source: specialise(gemmRowWGSL,
				setU32("ROWS", rows), setU32("COLS", gemmRowCols), setU32("LANES", gemmRowLanes), setU32("WG", gemmRowCols*gemmRowLanes),
				setBool("TRANS_B", f.transB), setBool("EDGES", f.edges),
				swap("bindings", gemmBindings(f)),
				swap("memory", gemmFetch("a", f.vecIn)+gemmFetch("b", f.vecIn)+gemmStore(f.vecOut)+one),
				swap("activate", ActivationSource("activate", spec.Activation{Func: f.fn})),
				unroll),
			ParamBytes: 4 * gemmGridWords,
			Writes:     []bool{false, false, false, true},
		}
	})
}

// gemmRows plans a product of few rows, with the sum over k cut into this many
// parts at most.
func gemmRows(g spec.Gemm, rows, splits int, dev Device) Plan {
	swapped := false
	if g.N == 1 {
		g, swapped = gemmSwapped(g), true
	}
	splits, chunk := splitChunks(g.K, splits, 4)
	tilesM, tilesN := gemmRowTiles(&g, rows)
	f := gemmFormOf(&g, rows, 1, 4, splits > 1)
	f.edges = true
	if f.transB {
		f.vecOut = false // it stores single numbers
	}
	p, grid := gemmGrid(&g, tilesM, tilesN, splits, chunk, dev)
	return gemmSplit(g, gemmRowKernel(rows, f), p, grid, splits, swapped, dev)
}
