package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed reduce.wgsl
var reduceNaiveWGSL string

// PlanReduce plans a reduction over axes. Input: x; output: y. Variants: naive.
func PlanReduce(g spec.Reduce, dev Device, force string) (Plan, error) {
	return choose("reduce", force, []candidate{
		{name: "naive", why: "serves every case", plan: func() (Plan, error) { return reduceNaive(g, dev), nil }},
	})
}

// reduceAxes is how many kept, or reduced, axes there can be: of two that are
// neighbours one would do.
const reduceAxes = spec.MaxRank / 2

func reduceNaiveKernel(f spec.ReduceFunc) *Kernel {
	return intern(fmt.Sprintf("reduce_naive_%v", f), func() *Kernel {
		return &Kernel{
			Source:     specialise(reduceNaiveWGSL, setU32("FUNC", int(f))),
			ParamBytes: 4 * (3 + 4*reduceAxes),
			Writes:     []bool{false, true},
		}
	})
}

func reduceNaive(g spec.Reduce, dev Device) Plan {
	const wg = 64
	return Plan{Steps: []Step{{
		Kernel:   reduceNaiveKernel(g.Func),
		Params:   reduceParams(&g),
		Operands: []Operand{In(0), Out(0)},
		Groups:   Grid1D(ceilDiv(g.Outputs(), wg), dev.MaxGroups),
	}}}
}

// reduceParams fills the uniform struct that the kernels share.
func reduceParams(g *spec.Reduce) Params {
	factor := float32(1)
	if g.Func == spec.ReduceMean {
		factor = 1 / float32(g.Terms())
	}
	p := Params{}.U32(g.Outputs(), g.Terms()).F32(factor)
	for _, axis := range g.Kept[:reduceAxes] {
		p = p.U32(axis.Size, axis.Step)
	}
	for _, axis := range g.Reduced[:reduceAxes] {
		p = p.U32(axis.Size, axis.Step)
	}
	return p
}

// reduceKernels enumerates the kernels that PlanReduce can return.
func reduceKernels() []*Kernel {
	var all []*Kernel
	for _, f := range spec.ReduceFuncs() {
		all = append(all, reduceNaiveKernel(f))
	}
	return all
}
