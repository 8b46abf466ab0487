package shaders

import (
	_ "embed"
	"fmt"
	"math"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed pool.wgsl
var poolNaiveWGSL string

// PlanPool plans a max, average or Lp pooling. Input: x; outputs: y and, with
// indices, the places of the maxima. Variants: naive.
func PlanPool(g spec.Pool, indices bool, dev Device, force string) (Plan, error) {
	return choose(g.Kind.String()+"pool", force, []candidate{
		{name: "naive", why: "serves every case", plan: func() (Plan, error) { return poolNaive(g, indices, dev), nil }},
	})
}

func poolNaiveKernel(kind spec.PoolKind, adaptive, indices bool) *Kernel {
	return intern(fmt.Sprintf("pool_naive_%v_adaptive%t_indices%t", kind, adaptive, indices), func() *Kernel {
		k := &Kernel{
			Source:     specialise(poolNaiveWGSL, setU32("KIND", int(kind)), setBool("ADAPTIVE", adaptive)),
			ParamBytes: 27 * 4,
			Writes:     []bool{false, true, true},
		}
		if !indices {
			k.Source, k.Writes = specialise(k.Source, noIndices), k.Writes[:2]
		}
		return k
	})
}

// noIndices takes the second output out of a pooling kernel.
var noIndices = swap("indices", "fn store_index(o: u32, at: i32) {}")

// poolOperands are the bindings of a pooling kernel.
func poolOperands(indices bool) []Operand {
	if indices {
		return []Operand{In(0), Out(0), Out(1)}
	}
	return []Operand{In(0), Out(0)}
}

// poolParams are the parameters that the pooling kernels share.
func poolParams(g *spec.Pool) Params {
	p := Params{}.U32(g.Planes() * g.OutSize()).U32(g.In[:]...).U32(g.Out[:]...).U32(g.Kernel[:]...).
		U32(g.Stride[:]...).U32(g.Dilation[:]...).U32(g.PadBegin[:]...)
	for i := range g.In {
		p = p.U32(g.In[i] + g.PadEnd[i])
	}
	return p.U32(flag(g.ExcludePad)).F32(float32(g.Divisor)).U32(flag(g.PlainNorm)).
		F32(g.Norm, float32(math.Inf(-1)))
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func poolNaive(g spec.Pool, indices bool, dev Device) Plan {
	const wg = 64
	return Plan{Steps: []Step{{
		Kernel:   poolNaiveKernel(g.Kind, g.Adaptive, indices),
		Params:   poolParams(&g),
		Operands: poolOperands(indices),
		Groups:   Grid1D(ceilDiv(g.Planes()*g.OutSize(), wg), dev.MaxGroups),
	}}}
}

// poolKernels enumerates the kernels that PlanPool can return.
func poolKernels() []*Kernel {
	var all []*Kernel
	for _, kind := range []spec.PoolKind{spec.PoolMax, spec.PoolAvg, spec.PoolLp} {
		for _, adaptive := range []bool{false, true} {
			all = append(all, poolNaiveKernel(kind, adaptive, false))
		}
	}
	for _, adaptive := range []bool{false, true} {
		all = append(all, poolNaiveKernel(spec.PoolMax, adaptive, true))
	}
	return all
}
