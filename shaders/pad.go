package shaders

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed pad.wgsl
var padWGSL string

// PlanPad plans a padding. Input: x; output: y. Variants: naive.
func PlanPad(g spec.Pad, dev Device, force string) (Plan, error) {
	return choose("pad", force, []candidate{
		{name: "naive", why: "serves every case", plan: func() (Plan, error) { return padNaive(g, dev), nil }},
	})
}

func padKernel(mode spec.PadMode, axes int) *Kernel {
	return intern(fmt.Sprintf("pad_%v_axes%d", mode, axes), func() *Kernel {
		return &Kernel{
			Source:     specialise(padWGSL, setU32("PAD_MODE", int(mode)), swap("axes", padAxes(axes))),
			ParamBytes: 4 * (2 + 3*spec.MaxRank),
			Writes:     []bool{false, true},
		}
	})
}

// padAxes writes out the steps over the axes from the second on.
func padAxes(axes int) string {
	var s strings.Builder
	for i := 1; i < axes; i++ {
		fmt.Fprintf(&s, "  rest /= p.out%d;\n", i-1)
		fmt.Fprintf(&s, "  let i%d = pad_index(i32(rest %% p.out%d) - p.begin%d, p.in%d);\n", i, i, i, i)
		fmt.Fprintf(&s, "  inside = inside && i%d >= 0;\n", i)
		fmt.Fprintf(&s, "  at += i%d * step;\n", i)
		fmt.Fprintf(&s, "  step *= p.in%d;\n", i)
	}
	return s.String()
}

func padNaive(g spec.Pad, dev Device) Plan {
	const wg = 64
	total := spec.Count(g.OutShape())
	p := Params{}.U32(total).F32(g.Value)
	for _, axis := range g.Axis {
		p = p.I32(axis.In).U32(axis.Out).I32(axis.Begin)
	}
	return Plan{Steps: []Step{{
		Kernel:   padKernel(g.Mode, max(1, g.Axes)),
		Params:   p,
		Operands: []Operand{In(0), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	}}}
}

// padKernels enumerates the kernels that PlanPad can return.
func padKernels() []*Kernel {
	var all []*Kernel
	for _, mode := range []spec.PadMode{spec.PadZeros, spec.PadReflect, spec.PadReplicate, spec.PadCircular} {
		for axes := 1; axes <= spec.MaxRank; axes++ {
			all = append(all, padKernel(mode, axes))
		}
	}
	return all
}
