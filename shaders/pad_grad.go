package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed pad_grad.wgsl
var padGradWGSL string

//go:embed pad_grad_rows.wgsl
var padGradRowsWGSL string

// PlanPadGrad plans one pass of the gradient of a padding. Input: dy; output: dx.
// Variants: naive, rows (an invocation for a run, for software adapters).
func PlanPadGrad(g spec.PadGrad, dev Device, force string) (Plan, error) {
	naive := candidate{name: "naive", why: "serves every case", plan: func() (Plan, error) { return padGrad(g, dev), nil }}
	rows := candidate{name: "rows", why: "runs of neighbours, without a division for each",
		not: tooManyRounds(4*padGradRun+g.Out, dev), plan: func() (Plan, error) { return padGradRows(g, dev), nil }}
	order := []candidate{naive, rows}
	if dev.CPU {
		order = []candidate{rows, naive}
	}
	return choose("pad_grad", force, order)
}

func padGrad(g spec.PadGrad, dev Device) Plan {
	total := g.Outer * g.In * g.Inner
	return Plan{Steps: []Step{{
		Kernel:   padGradKernel(g.Mode),
		Params:   Params{}.U32(total, g.Inner).I32(g.In, g.Out, g.Begin),
		Operands: []Operand{In(0), Out(0)},
		Groups:   Grid1D(ceilDiv(total, 64), dev.MaxGroups),
	}}}
}

func padGradKernel(mode spec.PadMode) *Kernel {
	return intern(fmt.Sprintf("pad_grad_%v", mode), func() *Kernel {
		return &Kernel{
			Source:     specialise(padGradWGSL, setU32("PAD_MODE", int(mode))),
			ParamBytes: 20,
			Writes:     []bool{false, true},
		}
	})
}

// padGradRun is about how many elements, or vec4s, an invocation of the kernel of
// rows has.
const padGradRun = 128

func padGradRows(g spec.PadGrad, dev Device) Plan {
	lanes, along := 1, g.Inner == 1
	inner, length, places := g.Inner, g.In, g.Outer
	if along && g.In%4 == 0 || !along && inner%4 == 0 {
		lanes = 4
	}
	if !along {
		inner /= lanes
		length, places = inner, g.Outer*g.In
	}
	run := ceilDiv(length, ceilDiv(length, padGradRun))
	if along {
		run = ceilDiv(run, lanes) * lanes
	}
	runs := ceilDiv(length, run)
	total := places * runs
	return Plan{Steps: []Step{{
		Kernel:   padGradRowsKernel(g.Mode, along, lanes),
		Params:   Params{}.U32(total, g.Outer, inner).I32(g.In, g.Out, g.Begin).U32(run, runs),
		Operands: []Operand{In(0), Out(0)},
		Groups:   Grid1D(ceilDiv(total, 64), dev.MaxGroups),
	}}}
}

func padGradRowsKernel(mode spec.PadMode, along bool, lanes int) *Kernel {
	return intern(fmt.Sprintf("pad_grad_rows_%v_along%t_x%d", mode, along, lanes), func() *Kernel {
		edits := []edit{setU32("PAD_MODE", int(mode)), setBool("ALONG", along)}
		switch {
		case lanes == 4 && along:
			edits = append(edits, swap("dx", padGradVec4))
		case lanes == 4:
			edits = append(edits, swap("lanes", "alias T = vec4<f32>;"))
		}
		return &Kernel{Source: specialise(padGradRowsWGSL, edits...), ParamBytes: 32, Writes: []bool{false, true}}
	})
}

// padGradVec4 stores what needs no sum as vec4s, which start at multiples of 4.
const padGradVec4 = `@group(0) @binding(2) var<storage, read_write> dx: array<vec4<f32>>;
fn put(i: u32, v: f32) { dx[i / 4u][i % 4u] = v; }
fn more(i: u32, v: f32) { dx[i / 4u][i % 4u] += v; }
fn copy(row_x: u32, first: i32, last: i32, source: i32) {
  let head = (first + 3) & -4;
  for (var i = first; i < min(head, last + 1); i++) { put(row_x + u32(i), dy[u32(source + i)]); }
  for (var i = head; i + 3 <= last; i += 4) {
    let at = u32(source + i);
    dx[(row_x + u32(i)) / 4u] = vec4<f32>(dy[at], dy[at + 1u], dy[at + 2u], dy[at + 3u]);
  }
  for (var i = max(head, (last + 1) & -4); i <= last; i++) { put(row_x + u32(i), dy[u32(source + i)]); }
}`

// padGradKernels enumerates the kernels that PlanPadGrad can return.
func padGradKernels() []*Kernel {
	var all []*Kernel
	for _, mode := range []spec.PadMode{spec.PadReflect, spec.PadReplicate, spec.PadCircular} {
		all = append(all, padGradKernel(mode), padGradRowsKernel(mode, true, 1), padGradRowsKernel(mode, true, 4), padGradRowsKernel(mode, false, 1), padGradRowsKernel(mode, false, 4))
	}
	return all
}
