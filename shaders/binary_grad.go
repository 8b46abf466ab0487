package shaders

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed binary_grad.wgsl
var binaryGradWGSL string

// binaryGradKinds are the functions that have a kernel of their own, in the order
// of KIND.
var binaryGradKinds = []spec.BinaryFunc{spec.Div, spec.Min, spec.Max, spec.Pow, spec.PReLU}

// PlanBinaryGrad plans the gradients of a function of two tensors for each
// element of its result. Inputs: dy, a, b; outputs: da, db, in the shape of dy.
// Variants: vec4, runs (the same for software adapters), scalar.
func PlanBinaryGrad(g spec.Binary, dev Device, force string) (Plan, error) {
	if !slices.Contains(binaryGradKinds, g.Func) {
		return Plan{}, &spec.Error{Kind: spec.ErrUnsupported, Message: fmt.Sprintf("%v has no kernel for its gradients", g.Func)}
	}
	cands := streaming(dev, binaryVec4Not(&g), "four elements at a time", func(f inRuns) Plan {
		count := ceilDiv(spec.Count(g.OutShape()), 4)
		k := binaryGradKernel(g.Func, max(1, g.Axes), g.Axis[0].A == 0, g.Axis[0].B == 0, f)
		return binaryGrad(k, binaryVec4Params(g), f.grid(count, dev))
	})
	return choose("binary_grad", force, append(cands,
		candidate{name: "scalar", why: "serves every case", plan: func() (Plan, error) {
			grid := Grid1D(ceilDiv(spec.Count(g.OutShape()), 64), dev.MaxGroups)
			return binaryGrad(binaryGradScalarKernel(g.Func, max(1, g.Axes)), binaryScalarParams(g), grid), nil
		}}))
}

func binaryGrad(k *Kernel, p Params, grid [3]int) Plan {
	return Plan{Steps: []Step{{Kernel: k, Params: p, Operands: []Operand{In(1), In(2), In(0), Out(0), Out(1)}, Groups: grid}}}
}

// binaryGradEdits are the edits that all forms share.
func binaryGradEdits(f spec.BinaryFunc, axes int) []edit {
	math := "fn k_log(v: f32) -> f32 { return v; }\nfn power(u: f32, v: f32) -> f32 { return u; }" // not called
	if f == spec.Pow {
		parts, _, _ := binaryParts(spec.Pow)
		math = MathSource(append(slices.Clone(parts), "k_log")...) + binaryMathWGSL
	}
	return []edit{setU32("KIND", slices.Index(binaryGradKinds, f)), swap("math", math), swap("places", binaryPlaces(axes))}
}

var binaryGradWrites = []bool{false, false, false, true, true}

func binaryGradKernel(f spec.BinaryFunc, axes int, repeatA, repeatB bool, form inRuns) *Kernel {
	return intern(form.name(fmt.Sprintf("binary_grad_%v_axes%d_%s", f, axes, repeats(repeatA, repeatB))), func() *Kernel {
		edits := append(binaryGradEdits(f, axes), swap("bindings", binaryBindings(repeatA, repeatB)), form.edit)
		return &Kernel{Source: specialise(binaryGradWGSL, edits...), ParamBytes: binaryParamBytes, Writes: binaryGradWrites}
	})
}

func binaryGradScalarKernel(f spec.BinaryFunc, axes int) *Kernel {
	return intern(fmt.Sprintf("binary_grad_scalar_%v_axes%d", f, axes), func() *Kernel {
		edits := append(binaryGradEdits(f, axes), swap("bindings", binaryBindings(true, true)),
			swap("dense", `@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> da: array<f32>;
@group(0) @binding(5) var<storage, read_write> db: array<f32>;`),
			swap("element", "  let g = gradients(dy[i], a[at.x], b[at.y]);\n  da[i] = g.x;\n  db[i] = g.y;"))
		return &Kernel{Source: specialise(binaryGradWGSL, edits...), ParamBytes: binaryParamBytes, Writes: binaryGradWrites}
	})
}

// binaryGradKernels enumerates the kernels that PlanBinaryGrad can return: every
// function with every form of the operands, and every number of axes with Div.
func binaryGradKernels() []*Kernel {
	var all []*Kernel
	for _, f := range binaryGradKinds {
		all = append(all, binaryGradScalarKernel(f, 1))
		for _, repeat := range [][2]bool{{false, false}, {false, true}, {true, false}, {true, true}} {
			for _, form := range bothForms {
				all = append(all, binaryGradKernel(f, 1, repeat[0], repeat[1], form))
			}
		}
	}
	for axes := 2; axes <= spec.MaxRank; axes++ {
		all = append(all, binaryGradScalarKernel(spec.Div, axes))
		for _, form := range bothForms {
			all = append(all, binaryGradKernel(spec.Div, axes, false, false, form))
		}
	}
	return all
}
