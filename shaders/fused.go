package shaders

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed fused.wgsl
var fusedWGSL string

// PlanFused plans a chain of functions, element by element, in one pass. Inputs:
// those of f; output: y. Variants: chain, and runs for software adapters.
func PlanFused(f spec.Fused, dev Device, force string) (Plan, error) {
	not := firstOf(
		reason(len(f.Inputs)+1 > dev.MaxStorageBuffers, "more tensors than the device binds"),
		reason(len(f.Inputs) > spec.MaxFusedInputs || len(f.Steps) > spec.MaxFusedSteps, "the chain is too long"))
	why := f.String() + " in one pass: nothing else reads what is between"
	cands := streaming(dev, not, why, func(form inRuns) Plan { return fused(f, dev, form) })
	for i := range cands {
		if cands[i].name == "vec4" {
			cands[i].name = "chain"
		}
	}
	return choose("fused", force, cands)
}

// fusedAccess is how a kernel reads an input.
type fusedAccess int

const (
	fusedWhole  fusedAccess = iota // vec4 by vec4
	fusedRow                       // vec4 by vec4, from the start again and again
	fusedOne                       // one value for all four
	fusedScalar                    // four values, each from its own place
)

func fusedAccessOf(in spec.FusedInput, n int) fusedAccess {
	switch {
	case in.Inner == 1 && in.Size == n:
		return fusedWhole
	case in.Inner == 1 && in.Size%4 == 0:
		return fusedRow
	case in.Inner%4 == 0 || in.Size == 1:
		return fusedOne
	}
	return fusedScalar
}

// params are the numbers that the access needs: the value for vec4 i is at
// (i / inner) % size.
func (a fusedAccess) params(in spec.FusedInput) (inner, size int) {
	switch {
	case a == fusedRow:
		return 1, in.Size / 4
	case a == fusedOne:
		return max(1, in.Inner/4), in.Size
	}
	return in.Inner, in.Size
}

// load returns the expression of an input's four values.
func (a fusedAccess) load(j int) string {
	switch a {
	case fusedWhole:
		return fmt.Sprintf("x%d[i]", j)
	case fusedRow:
		return fmt.Sprintf("x%d[i %% p.size%d]", j, j)
	case fusedOne:
		return fmt.Sprintf("vec4<f32>(x%d[i / p.inner%d %% p.size%d])", j, j, j)
	}
	var at [4]string
	for k := range at {
		at[k] = fmt.Sprintf("x%d[(4u * i + %du) / p.inner%d %% p.size%d]", j, k, j, j)
	}
	return "vec4<f32>(" + strings.Join(at[:], ", ") + ")"
}

func fused(f spec.Fused, dev Device, form inRuns) Plan {
	count := ceilDiv(f.N, 4)
	p := Params{}.U32(count, 0)
	operands := []Operand{In(0)}
	access := make([]fusedAccess, len(f.Inputs))
	for j, in := range f.Inputs {
		if j == 0 {
			continue
		}
		access[j] = fusedAccessOf(in, f.N)
		p = p.U32(access[j].params(in))
		operands = append(operands, In(j))
	}
	for _, s := range f.Steps {
		p = p.F32(s.Act.A, s.Act.B)
	}
	return Plan{Steps: []Step{{
		Kernel:   fusedKernel(f.Steps, access, form),
		Params:   p,
		Operands: append(operands, Out(0)),
		Groups:   form.grid(count, dev),
	}}}
}

// fusedKernel returns the kernel of a chain, whose name has its functions and
// how it reads: "fused_w_r_add1_relu" begins with x0, adds x1, which is a row,
// and clamps.
func fusedKernel(steps []spec.FusedStep, access []fusedAccess, form inRuns) *Kernel {
	var name strings.Builder
	name.WriteString("fused")
	for _, a := range access {
		name.WriteString("_" + "wros"[a:a+1])
	}
	for _, s := range steps {
		switch {
		case s.Other < 0:
			fmt.Fprintf(&name, "_%v", s.Act.Func)
		case s.Second:
			fmt.Fprintf(&name, "_%d%v", s.Other, s.Func)
		default:
			fmt.Fprintf(&name, "_%v%d", s.Func, s.Other)
		}
	}
	return intern(form.name(name.String()), func() *Kernel { return buildFused(steps, access, form) })
}

func buildFused(steps []spec.FusedStep, access []fusedAccess, form inRuns) *Kernel {
	var params, bindings, functions, chain strings.Builder
	for j, a := range access {
		if j == 0 {
			continue
		}
		fmt.Fprintf(&params, "  inner%d: u32, size%d: u32,\n", j, j)
		fmt.Fprintf(&bindings, "@group(0) @binding(%d) var<storage, read> x%d: array<%s>;\n", 1+j, j, elementType(a == fusedWhole || a == fusedRow))
	}
	fmt.Fprintf(&bindings, "@group(0) @binding(%d) var<storage, read_write> y: array<vec4<f32>>;", 1+len(access))
	var math []string
	divides := false
	for k, s := range steps {
		fmt.Fprintf(&params, "  a%d: f32, b%d: f32,\n", k, k)
		call := "f%d(v.%c, p.a%d, p.b%d)"
		if s.Other < 0 {
			f := "k_" + s.Act.Func.String()
			math = append(math, f)
			args := []string{"v", "v, a", "v, a, b"}[s.Act.Func.Params()]
			fmt.Fprintf(&functions, "fn f%d(v: f32, a: f32, b: f32) -> f32 { return %s(%s); }\n", k, f, args)
		} else {
			uses, quotients, value := binaryParts(s.Func)
			math, divides = append(math, uses...), divides || quotients
			fmt.Fprintf(&functions, "fn f%d(a: f32, b: f32) -> f32 { return %s; }\n", k, value)
			fmt.Fprintf(&chain, "  let u%d = %s;\n", k, access[s.Other].load(s.Other))
			call = "f%d(v.%c, u%d.%[2]c)"
			if s.Second {
				call = "f%d(u%[3]d.%[2]c, v.%[2]c)"
			}
		}
		var lanes [4]string
		for l, c := range "xyzw" {
			if s.Other < 0 {
				lanes[l] = fmt.Sprintf(call, k, c, k, k)
			} else {
				lanes[l] = fmt.Sprintf(call, k, c, k)
			}
		}
		fmt.Fprintf(&chain, "  v = pin(vec4<f32>(%s));\n", strings.Join(lanes[:], ", "))
	}
	if divides {
		functions.WriteString(binaryMathWGSL)
	}
	writes := make([]bool, len(access)+1)
	writes[len(access)] = true
	return &Kernel{
		Source: specialise(fusedWGSL, swap("params", params.String()), swap("bindings", bindings.String()),
			swap("functions", MathSource(math...)+functions.String()), swap("chain", chain.String()), form.edit),
		ParamBytes: 4 * (2 + 2*(len(access)-1) + 2*len(steps)),
		Writes:     writes,
	}
}

// fusedKernels enumerates kernels that PlanFused can return: every function
// behind a sum and every function of two numbers, on both sides, with each kind
// of input, and the longest chain. All combinations would be too many.
func fusedKernels() []*Kernel {
	var all []*Kernel
	both := func(steps []spec.FusedStep, access []fusedAccess) {
		for _, form := range bothForms {
			all = append(all, fusedKernel(steps, access, form))
		}
	}
	add := spec.FusedStep{Func: spec.Add, Other: 1}
	for _, fn := range spec.Pointwises() {
		both([]spec.FusedStep{add, {Act: spec.Activation{Func: fn}, Other: -1}}, []fusedAccess{fusedWhole, fusedWhole})
	}
	for _, f := range spec.Binaries() {
		for _, second := range []bool{false, true} {
			both([]spec.FusedStep{add, {Func: f, Other: 2, Second: second}}, []fusedAccess{fusedWhole, fusedRow, fusedOne})
		}
	}
	both([]spec.FusedStep{add, add}, []fusedAccess{fusedWhole, fusedScalar})
	var steps []spec.FusedStep
	var access []fusedAccess
	for k := range spec.MaxFusedSteps {
		steps = append(steps, spec.FusedStep{Func: spec.Binaries()[k%len(spec.Binaries())], Other: k % spec.MaxFusedInputs})
		access = append(access, fusedWhole)
	}
	both(steps, access[:spec.MaxFusedInputs])
	return all
}
