package shaders

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed fused.wgsl
var fusedWGSL string

// mostFused is how many kernels for chains a process makes. A program that draws
// its chains at random would make more and more of them, and each takes memory and
// time to compile.
const mostFused = 512

var fusedMade bounded

var errMostFused = &spec.Error{Kind: spec.ErrUnsupported, Message: fmt.Sprintf("there are %d kernels for chains already", mostFused)}

// PlanFused plans a chain of functions, element by element, in one pass. Inputs:
// those of f; output: y. It returns ErrUnsupported for a chain of a new form when
// there are many already: its functions are to be computed one by one. Variants:
// plane, chain, and runs, which is chain for software adapters.
func PlanFused(f spec.Fused, dev Device, force string) (Plan, error) {
	not := firstOf(
		reason(len(f.Inputs)+1 > dev.MaxStorageBuffers, "more tensors than the device binds"),
		reason(len(f.Inputs) > spec.MaxFusedInputs || len(f.Steps) > spec.MaxFusedSteps, "the chain is too long"))
	why := f.String() + " in one pass: nothing else reads what is between"
	plane := planeOf(&f)
	cands := []candidate{{name: "plane", why: why, not: firstOf(not, notPlane(&f, plane)), plan: func() (Plan, error) { return fusedPlanes(f, plane, dev) }}}
	not = firstOf(not, reason(plane > 0, "it has a normalization"))
	chain := func(name string, form inRuns) candidate {
		return candidate{name: name, why: why, not: not, plan: func() (Plan, error) { return fused(f, dev, form) }}
	}
	if dev.CPU {
		cands = append(cands, chain("runs", true), chain("chain", false))
	} else {
		cands = append(cands, chain("chain", false), chain("runs", true))
	}
	return choose("fused", force, cands)
}

// IsClamp reports whether an activation is nothing but a clamp.
func IsClamp(a spec.Activation) bool {
	switch a.Func {
	case spec.ReLU, spec.ReLU6, spec.HardTanh:
		return true
	}
	return false
}

// ClampsAlike reports whether the plan of a function that ends with a clamp gives
// the bits of the clamp by itself. Kernels that know a floor only leave -0 as it
// is, which the functions max and clamp need not; those of software adapters do.
func (p *Plan) ClampsAlike(dev Device) bool {
	return dev.CPU || !strings.HasPrefix(p.Variant, "gather") && !strings.HasPrefix(p.Variant, "register") && p.Variant != "depthwise_row"
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

func fused(f spec.Fused, dev Device, form inRuns) (Plan, error) {
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
	k := fusedKernel(f.Steps, access, form)
	if k == nil {
		return Plan{}, errMostFused
	}
	return Plan{Steps: []Step{{
		Kernel:   k,
		Params:   p,
		Operands: append(operands, Out(0)),
		Groups:   form.grid(count, dev),
	}}}, nil
}

// fusedKernel returns the kernel of a chain, or nil; see mostFused.
func fusedKernel(steps []spec.FusedStep, access []fusedAccess, form inRuns) *Kernel {
	return fusedMade.intern(form.name("fused"+fusedName(steps, access)), mostFused, func() *Kernel { return buildFused(steps, access, form) })
}

// fusedName names a chain by its functions and how it reads: "_w_r_add1_relu"
// begins with x0, adds x1, which is a row, and clamps.
func fusedName(steps []spec.FusedStep, access []fusedAccess) string {
	name := make([]byte, 0, 128)
	for _, a := range access {
		name = append(name, '_', "wros"[a])
	}
	for _, s := range steps {
		name = append(name, '_')
		switch {
		case s.Norm != nil:
			name = append(name, "norm"...)
			for _, j := range []int{s.Norm.Mean, s.Norm.Variance, s.Norm.Scale, s.Norm.Shift} {
				if j < 0 {
					name = append(name, 'n')
				} else {
					name = strconv.AppendInt(name, int64(j), 10)
				}
			}
		case s.Other < 0:
			name = append(name, s.Act.Func.String()...)
		case s.Second:
			name = append(strconv.AppendInt(name, int64(s.Other), 10), s.Func.String()...)
		default:
			name = strconv.AppendInt(append(name, s.Func.String()...), int64(s.Other), 10)
		}
	}
	return string(name)
}

func buildFused(steps []spec.FusedStep, access []fusedAccess, form inRuns) *Kernel {
	var b fusedText
	b.inputs(access, func(a fusedAccess) string { return elementType(a == fusedWhole || a == fusedRow) }, "vec4<f32>")
	for k, s := range steps {
		b.step(k, s, func(j int) string { return access[j].load(j) }, 4)
	}
	return b.kernel(fusedWGSL, 2, len(access), len(steps), form.edit)
}

// fusedText collects the parts of a chain's kernel.
type fusedText struct {
	params, bindings, functions, chain strings.Builder
	math                               []string
	divides                            bool
}

// inputs adds the inputs after the first, and y of the given type.
func (b *fusedText) inputs(access []fusedAccess, element func(a fusedAccess) string, y string) {
	for j, a := range access {
		if j == 0 {
			continue
		}
		fmt.Fprintf(&b.params, "  inner%d: u32, size%d: u32,\n", j, j)
		fmt.Fprintf(&b.bindings, "@group(0) @binding(%d) var<storage, read> x%d: array<%s>;\n", 1+j, j, element(a))
	}
	fmt.Fprintf(&b.bindings, "@group(0) @binding(%d) var<storage, read_write> y: array<%s>;", 1+len(access), y)
}

// step adds function k of one or two numbers; load returns the expression of an
// input's values.
func (b *fusedText) step(k int, s spec.FusedStep, load func(j int) string, lanes int) {
	fmt.Fprintf(&b.params, "  a%d: f32, b%d: f32,\n", k, k)
	call := "f%d(v%s, p.a%[1]d, p.b%[1]d)"
	if s.Other < 0 {
		f := "k_" + s.Act.Func.String()
		b.math = append(b.math, f)
		args := []string{"v", "v, a", "v, a, b"}[s.Act.Func.Params()]
		fmt.Fprintf(&b.functions, "fn f%d(v: f32, a: f32, b: f32) -> f32 { return %s(%s); }\n", k, f, args)
	} else {
		uses, quotients, value := binaryParts(s.Func)
		b.math, b.divides = append(b.math, uses...), b.divides || quotients
		fmt.Fprintf(&b.functions, "fn f%d(a: f32, b: f32) -> f32 { return %s; }\n", k, value)
		fmt.Fprintf(&b.chain, "  let u%d = %s;\n", k, load(s.Other))
		call = "f%d(v%s, u%[1]d%[2]s)"
		if s.Second {
			call = "f%d(u%[1]d%[2]s, v%[2]s)"
		}
	}
	if lanes == 1 {
		fmt.Fprintf(&b.chain, "  v = pin("+call+");\n", k, "")
		return
	}
	var each [4]string
	for l := range each {
		each[l] = fmt.Sprintf(call, k, "."+"xyzw"[l:l+1])
	}
	fmt.Fprintf(&b.chain, "  v = pin(vec4<f32>(%s));\n", strings.Join(each[:], ", "))
}

// kernel puts the parts into a shader's text, whose parameters begin with some
// numbers of its own.
func (b *fusedText) kernel(text string, own, inputs, steps int, edits ...edit) *Kernel {
	if b.divides {
		b.functions.WriteString(binaryMathWGSL)
	}
	writes := make([]bool, inputs+1)
	writes[inputs] = true
	edits = append([]edit{swap("params", b.params.String()), swap("bindings", b.bindings.String()),
		swap("functions", MathSource(b.math...)+b.functions.String()), swap("chain", b.chain.String())}, edits...)
	return &Kernel{Source: specialise(text, edits...), ParamBytes: 4 * (own + 2*(inputs-1) + 2*steps), Writes: writes}
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
	return append(all, fusedPlaneKernels()...)
}
