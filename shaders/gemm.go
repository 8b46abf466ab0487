package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed gemm.wgsl
var gemmNaiveWGSL string

// PlanGemm plans a matrix product: Gemm, MatMul and Linear alike. Inputs: a, b,
// c (absent where g.Bias is false); output: y. Variants: naive.
func PlanGemm(g spec.Gemm, dev Device, force string) (Plan, error) {
	return choose("gemm", force, []candidate{
		{name: "naive", why: "serves every case", plan: func() (Plan, error) { return gemmNaive(g, dev), nil }},
	})
}

func gemmNaiveKernel(fn spec.Pointwise, bias bool) *Kernel {
	return intern(fmt.Sprintf("gemm_naive_bias%t_%v", bias, fn), func() *Kernel {
		return &Kernel{
			Source: specialise(gemmNaiveWGSL, setBool("BIAS", bias),
				swap("activate", ActivationSource("activate", spec.Activation{Func: fn}))),
			ParamBytes: gemmParamWords * 4,
			Writes:     []bool{false, false, false, true},
		}
	})
}

// gemmParamWords is the size of the uniform struct that the kernels share.
const gemmParamWords = 14 + 3*spec.MaxBatchAxes

// gemmParams fills the uniform struct that the kernels share; its first member
// is the kernel's own.
func gemmParams(first int, g *spec.Gemm) Params {
	am, ak, bk, bn := g.K, 1, g.N, 1
	if g.TransA {
		am, ak = 1, g.M
	}
	if g.TransB {
		bk, bn = 1, g.K
	}
	p := Params{}.U32(first, g.M, g.N, g.K, am, ak, bk, bn, g.BiasM, g.BiasN).
		F32(g.Alpha, g.Beta, g.Act.A, g.Act.B)
	for i := spec.MaxBatchAxes - 1; i >= 0; i-- {
		p = p.U32(g.Batch[i].Size, g.Batch[i].A, g.Batch[i].B)
	}
	return p
}

func gemmNaive(g spec.Gemm, dev Device) Plan {
	const wg = 64
	total := g.Batches() * g.M * g.N
	return Plan{Steps: []Step{{
		Kernel:   gemmNaiveKernel(g.Act.Func, g.Bias),
		Params:   gemmParams(total, &g),
		Operands: []Operand{In(0), In(1), In(2), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	}}}
}

// gemmKernels enumerates the kernels that PlanGemm can return.
func gemmKernels() []*Kernel {
	all := []*Kernel{gemmNaiveKernel(spec.Identity, false), gemmNaiveKernel(spec.Identity, true)}
	for _, fn := range spec.Pointwises() {
		all = append(all, gemmNaiveKernel(fn, true))
	}
	return all
}
