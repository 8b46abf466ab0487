package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed unpool.wgsl
var unpoolWGSL string

// PlanUnpool plans a max unpooling. Inputs: x, indices; output: y. Variants:
// naive.
func PlanUnpool(g spec.Unpool, dev Device, force string) (Plan, error) {
	return choose("unpool", force, []candidate{
		{name: "naive", why: "serves every case", plan: func() (Plan, error) { return unpoolNaive(g, dev), nil }},
	})
}

func unpoolKernel(step int) *Kernel {
	return intern(fmt.Sprintf("unpool_step%d", step), func() *Kernel {
		return &Kernel{
			Source:     specialise(unpoolWGSL, setU32("STEP", step)),
			ParamBytes: 3 * 4,
			Writes:     []bool{false, false, true},
		}
	})
}

func unpoolNaive(g spec.Unpool, dev Device) Plan {
	const wg = 64
	in, out := g.Planes()*g.InSize(), g.Planes()*g.OutSize()
	var plan Plan
	for step, total := range []int{out, in, out} {
		plan.Steps = append(plan.Steps, Step{
			Kernel:   unpoolKernel(step),
			Params:   Params{}.U32(total, g.InSize(), g.OutSize()),
			Operands: []Operand{In(0), In(1), Out(0)},
			Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
		})
	}
	return plan
}

// unpoolKernels enumerates the kernels that PlanUnpool can return.
func unpoolKernels() []*Kernel {
	return []*Kernel{unpoolKernel(0), unpoolKernel(1), unpoolKernel(2)}
}
