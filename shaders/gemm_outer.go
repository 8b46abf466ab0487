package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed gemm_outer.wgsl
var gemmOuterWGSL string

// gemmOuterNot says why a product is not that of one column and one row, "" where
// it is.
func gemmOuterNot(g *spec.Gemm, _ Device) string {
	switch {
	case g.K != 1 || g.Batches() != 1:
		return fmt.Sprintf("it is not one product of a column and a row: K is %d, and there are %d", g.K, g.Batches())
	case g.N%4 != 0:
		return fmt.Sprintf("4 does not divide a row of %d", g.N)
	case g.Bias || g.Act.Func != spec.Identity:
		return "something is added, or an activation applied"
	}
	return ""
}

// gemmOuterRows is the rows of y that a workgroup takes at once.
const gemmOuterRows = 4

func gemmOuter(g spec.Gemm, dev Device) Plan {
	const most = 128 // rounds
	n4, strips := g.N/4, ceilDiv(g.M, gemmOuterRows)
	parts := ceilDiv(n4, runsWG*most)
	rounds := ceilDiv(ceilDiv(n4, parts), runsWG)
	return Plan{Steps: []Step{{
		Kernel:   gemmOuterKernel(),
		Params:   Params{}.U32(strips*parts, g.M, n4, parts, rounds).F32(g.Alpha),
		Operands: []Operand{In(0), In(1), Out(0)},
		Groups:   Grid1D(strips*parts, dev.MaxGroups),
	}}}
}

func gemmOuterKernel() *Kernel {
	return intern("gemm_outer", func() *Kernel {
		return &Kernel{Source: specialise(gemmOuterWGSL, setU32("WG", runsWG), setU32("ROWS", gemmOuterRows), unroll),
			ParamBytes: 24, Writes: []bool{false, false, true}}
	})
}
