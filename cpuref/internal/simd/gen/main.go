// Command gen writes the assembly of package simd with avo. It is a module of
// its own, so that users of kansu do not depend on avo. Run it with
// "go generate" in package simd.
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"
)

// width is an instruction set, as far as the generator distinguishes them.
type width struct {
	name  string // suffix of the functions
	lanes int    // float32 per register
	regs  int    // vector registers
}

var (
	avx2   = width{"AVX2", 8, 16}
	avx512 = width{"AVX512", 16, 32}
)

// gen is an avo context for one instruction set.
type gen struct {
	*build.Context
	w      width
	labels int
	consts map[string]operand.Mem
}

// vec returns physical vector register i in the generator's width.
func (g *gen) vec(i int) reg.VecPhysical {
	if g.w.lanes == 16 {
		return zmm[i]
	}
	return ymm[i]
}

// bytes is the size of one vector.
func (g *gen) bytes() int { return 4 * g.w.lanes }

// label returns a label name that is new within the file.
func (g *gen) label(stem string) string {
	g.labels++
	return fmt.Sprintf("%s%d", stem, g.labels)
}

// fn starts an assembly function.
func (g *gen) fn(name, signature, doc string) {
	g.Function(name)
	g.Attributes(attr.NOSPLIT)
	g.Pragma("noescape")
	g.SignatureExpr(signature)
	g.Doc(doc)
}

// arg loads one of its parameters, a pointer or an int.
func (g *gen) arg(name string) reg.GPVirtual { return g.Load(g.Param(name), g.GP64()).(reg.GPVirtual) }

// scalar loads a float32 parameter into all lanes.
func (g *gen) scalar(name string) V {
	v := g.new()
	g.VBROADCASTSS(g.place(name), v)
	return v
}

// place is where a parameter lies that is no pointer or int.
func (g *gen) place(name string) operand.Op {
	c, err := g.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return c.Addr
}

// ret ends it. VZEROUPPER keeps later SSE code of the caller fast.
func (g *gen) ret() {
	g.VZEROUPPER()
	g.RET()
}

var (
	zmm = []reg.VecPhysical{reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
		reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
		reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31}
	ymm = []reg.VecPhysical{reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7,
		reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15}
)

// file generates one assembly file and its Go declarations for one width.
func file(stem string, w width, body func(*gen)) {
	c := build.NewContext()
	c.ConstraintExpr("!purego")
	g := &gen{Context: c, w: w, consts: map[string]operand.Mem{}}
	body(g)
	f, err := c.Result()
	if err != nil {
		log.Fatalf("%s: %v", stem, err)
	}
	if err := pass.Compile.Execute(f); err != nil {
		log.Fatalf("%s: %v", stem, err)
	}
	cfg := printer.Config{Name: "go generate (see gen)", Pkg: "simd"}
	write(stem+"_amd64.s", printer.NewGoAsm(cfg), f)
	write(stem+"_amd64.go", printer.NewStubs(cfg), f)
}

func main() {
	if len(os.Args) > 1 {
		outDir = os.Args[1]
	}
	file("gemm_avx512", avx512, gemm)
	file("math_avx512", avx512, mathFuncs)
	file("math_avx2", avx2, mathFuncs)
	file("simple_avx512", avx512, simpleFuncs)
	file("simple_avx2", avx2, simpleFuncs)
	file("array_avx512", avx512, arrayFuncs)
	file("array_avx2", avx2, arrayFuncs)
	file("reduce_avx512", avx512, reduce)
	file("reduce_avx2", avx2, reduce)
	file("window_avx512", avx512, windows)
	file("window_avx2", avx2, windows)
	file("winograd_avx512", avx512, winograd)
	file("winograd_avx2", avx2, winograd)
	file("winogradproduct_avx512", avx512, winogradProducts)
	file("winogradproduct_avx2", avx2, winogradProducts)
	file("winogradgrad_avx512", avx512, winogradGrads)
	file("winogradgrad_avx2", avx2, winogradGrads)
	file("winogradpair_avx512", avx512, winogradPairs)
	file("winogradpair_avx2", avx2, winogradPairs)
	file("plane_avx512", avx512, planes)
	file("plane_avx2", avx2, planes)
	file("correlate_avx512", avx512, correlations)
	file("correlate_avx2", avx2, correlations)
	file("dot_avx512", avx512, dots)
	file("dot_avx2", avx2, dots)
	file("grad_avx512", avx512, grads)
	file("grad_avx2", avx2, grads)
	file("spread_avx512", avx512, spreads)
	file("spread_avx2", avx2, spreads)
	file("gather_avx512", avx512, gathers)
	file("gather_avx2", avx2, gathers)
	file("power_avx512", avx512, powers)
	file("power_avx2", avx2, powers)
	gradTables(avx2, avx512)
	file("ceiling_avx512", avx512, ceilings)
	file("ceiling_avx2", avx2, ceilings)
	file("tail_avx512", avx512, tails)
	file("tail_avx2", avx2, tails)
	file("pack_avx512", avx512, pack)
	file("pack_avx2", avx2, pack)
	file("gemm_avx2", avx2, gemm)
	file("pool_avx512", avx512, pools)
	file("pool_avx2", avx2, pools)
	file("norm_avx512", avx512, norms)
	file("norm_avx2", avx2, norms)
	file("normgrad_avx512", avx512, normGrads)
	file("normgrad_avx2", avx2, normGrads)
	file("philox_avx512", avx512, dropouts)
	file("philox_avx2", avx2, dropouts)
	tables(avx2, avx512)
	neon()
}
