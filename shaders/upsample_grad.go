package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed upsample_grad.wgsl
var upsampleGradWGSL string

//go:embed upsample_grad_rows.wgsl
var upsampleGradRowsWGSL string

// PlanUpsampleGrad plans one pass of the gradient of a resampling. Inputs: dy,
// and the tables start, from and weight; output: dx. Variants: naive, rows (an
// invocation for a run, for software adapters).
func PlanUpsampleGrad(g spec.UpsampleGrad, dev Device, force string) (Plan, error) {
	naive := candidate{name: "naive", why: "serves every case", plan: func() (Plan, error) { return upsampleGrad(g, dev), nil }}
	rows := candidate{name: "rows", why: "runs of neighbours, which share the table",
		not: tooManyRounds(upsampleGradAlong+len(g.From), dev), plan: func() (Plan, error) { return upsampleGradRows(g, dev), nil }}
	order := []candidate{naive, rows}
	if dev.CPU {
		order = []candidate{rows, naive}
	}
	return choose("upsample_grad", force, order)
}

func upsampleGrad(g spec.UpsampleGrad, dev Device) Plan {
	total := g.Outer * g.In * g.Inner
	return Plan{Steps: []Step{{
		Kernel:   upsampleGradKernel(),
		Params:   Params{}.U32(total, g.Inner, g.In, g.Out),
		Operands: []Operand{In(0), In(1), In(2), In(3), Out(0)},
		Groups:   Grid1D(ceilDiv(total, 64), dev.MaxGroups),
	}}}
}

func upsampleGradKernel() *Kernel {
	return intern("upsample_grad", func() *Kernel {
		return &Kernel{Source: upsampleGradWGSL, ParamBytes: 16, Writes: []bool{false, false, false, false, true}}
	})
}

// upsampleGradAlong is about how many elements along the axis an invocation of the
// kernel of rows has, and upsampleGradRun how many neighbours, or vec4s of them.
const upsampleGradAlong, upsampleGradRun = 64, 4

func upsampleGradRows(g spec.UpsampleGrad, dev Device) Plan {
	lanes, along := 1, g.Inner == 1
	inner := g.Inner
	run, runs, total := 0, 0, 0
	if along {
		runs = ceilDiv(g.In, upsampleGradAlong)
		run = ceilDiv(g.In, runs)
		total = g.Outer * ceilDiv(g.In, run)
	} else {
		if inner%4 == 0 {
			lanes = 4
		}
		inner /= lanes
		runs = ceilDiv(inner, upsampleGradRun)
		total = g.Outer * g.In * runs
	}
	return Plan{Steps: []Step{{
		Kernel:   upsampleGradRowsKernel(along, lanes),
		Params:   Params{}.U32(total, g.Outer, inner, g.In, g.Out, run, runs),
		Operands: []Operand{In(0), In(1), In(2), In(3), Out(0)},
		Groups:   Grid1D(ceilDiv(total, 64), dev.MaxGroups),
	}}}
}

func upsampleGradRowsKernel(along bool, lanes int) *Kernel {
	return intern(fmt.Sprintf("upsample_grad_rows_along%t_x%d", along, lanes), func() *Kernel {
		edits := []edit{setBool("ALONG", along), setU32("RUN", upsampleGradRun)}
		if lanes == 4 {
			edits = append(edits, swap("lanes", "alias T = vec4<f32>;"))
		}
		return &Kernel{Source: specialise(upsampleGradRowsWGSL, append(edits, unroll)...), ParamBytes: 28,
			Writes: []bool{false, false, false, false, true}}
	})
}

// upsampleGradKernels enumerates the kernels that PlanUpsampleGrad can return.
func upsampleGradKernels() []*Kernel {
	return []*Kernel{upsampleGradKernel(), upsampleGradRowsKernel(true, 1), upsampleGradRowsKernel(false, 1), upsampleGradRowsKernel(false, 4)}
}
