package shaders

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed binary.wgsl
var binaryNaiveWGSL string

//go:embed binary_vec4.wgsl
var binaryVec4WGSL string

//go:embed binary_math.wgsl
var binaryMathWGSL string

// BinarySource returns the WGSL of `fn apply(a: f32, b: f32) -> f32` for a
// function of two numbers, and of what it uses.
func BinarySource(f spec.BinaryFunc) string {
	math, quotients, value := binaryParts(f)
	text := MathSource(math...)
	if quotients {
		text += binaryMathWGSL
	}
	return text + "fn apply(a: f32, b: f32) -> f32 { return " + value + "; }"
}

// binaryParts returns a function of two numbers a and b as an expression, with
// what it uses of math.wgsl, and whether it uses binary_math.wgsl.
func binaryParts(f spec.BinaryFunc) (math []string, quotients bool, value string) {
	switch f {
	case spec.Sub:
		return nil, false, "a - b"
	case spec.Mul:
		return nil, false, "a * b"
	case spec.Div:
		return []string{"k_pin", "k_head", "k_scale"}, true, "quotient(a, b)"
	case spec.Min:
		return []string{"k_is_nan"}, false, "select(select(min(a, b), b, k_is_nan(b)), a, k_is_nan(a))"
	case spec.Max:
		return []string{"k_is_nan"}, false, "select(select(max(a, b), b, k_is_nan(b)), a, k_is_nan(a))"
	case spec.Pow:
		return []string{"k_pin", "k_head", "k_scale"}, true, "power(a, b)"
	case spec.PReLU:
		return nil, false, "select(a * b, a, a >= 0.0)"
	}
	return nil, false, "a + b"
}

// PlanBinary plans a function of two tensors. Inputs: a, b; output: y. Variants:
// vec4, runs (the same for software adapters), naive.
func PlanBinary(g spec.Binary, dev Device, force string) (Plan, error) {
	cands := streaming(dev, binaryVec4Not(&g), "four outputs at a time", func(f inRuns) Plan { return binaryVec4(g, dev, f) })
	return chooseTuned("binary", force, dev, func() string { return binaryClass(&g) }, append(cands,
		candidate{name: "naive", why: "serves every case", plan: func() (Plan, error) { return binaryNaive(g, dev), nil }}))
}

// binaryVec4Not says why the kernels of vec4s cannot serve, "" where they can.
func binaryVec4Not(g *spec.Binary) string {
	if inner := g.Axis[0].Size; g.Axes > 1 && inner%4 != 0 {
		return fmt.Sprintf("the innermost %d elements are no multiple of 4", inner)
	}
	return ""
}

// binaryParamBytes is the size of the uniform struct that the kernels share.
const binaryParamBytes = 4 * (1 + 3*spec.MaxRank)

func binaryVec4Kernel(f spec.BinaryFunc, axes int, repeatA, repeatB bool, form inRuns) *Kernel {
	return intern(form.name(fmt.Sprintf("binary_vec4_%v_axes%d_%s", f, axes, repeats(repeatA, repeatB))), func() *Kernel {
		return &Kernel{
			Source: specialise(binaryVec4WGSL, swap("apply", BinarySource(f)), swap("places", binaryPlaces(axes)),
				swap("bindings", binaryBindings(repeatA, repeatB)), form.edit),
			ParamBytes: binaryParamBytes,
			Writes:     []bool{false, false, true},
		}
	})
}

// binaryBindings binds the operands: as single numbers where they repeat along the
// innermost axis.
func binaryBindings(repeatA, repeatB bool) string {
	return fmt.Sprintf("@group(0) @binding(1) var<storage, read> a: array<%s>;\n@group(0) @binding(2) var<storage, read> b: array<%s>;",
		elementType(!repeatA), elementType(!repeatB))
}

// elementType is what an array of f32 is bound as.
func elementType(vec bool) string {
	if vec {
		return "vec4<f32>"
	}
	return "f32"
}

// repeats names what operands do along the innermost axis: go along or repeat.
func repeats(a, b bool) string {
	return map[bool]string{false: "along", true: "repeat"}[a] + "_" + map[bool]string{false: "along", true: "repeat"}[b]
}

// binaryPlaces decomposes i over the axes; the outermost takes what is left.
func binaryPlaces(axes int) string {
	if axes == 1 {
		return "  return i * vec2<u32>(p.a0, p.b0);"
	}
	var s strings.Builder
	s.WriteString("  var rest = i;\n  var at = vec2<u32>();\n")
	for i := range axes - 1 {
		fmt.Fprintf(&s, "  at += rest %% p.size%d * vec2<u32>(p.a%d, p.b%d);\n  rest /= p.size%d;\n", i, i, i, i)
	}
	fmt.Fprintf(&s, "  return at + rest * vec2<u32>(p.a%d, p.b%d);", axes-1, axes-1)
	return s.String()
}

func binaryVec4(g spec.Binary, dev Device, form inRuns) Plan {
	total := ceilDiv(spec.Count(g.OutShape()), 4)
	repeatA, repeatB := g.Axis[0].A == 0, g.Axis[0].B == 0
	return Plan{Steps: []Step{{
		Kernel:   binaryVec4Kernel(g.Func, max(1, g.Axes), repeatA, repeatB, form),
		Params:   binaryVec4Params(g),
		Operands: []Operand{In(0), In(1), Out(0)},
		Groups:   form.grid(total, dev),
	}}}
}

// binaryVec4Params are the parameters with sizes and steps in vec4s, where the
// operands are bound as such.
func binaryVec4Params(g spec.Binary) Params {
	p := Params{}.U32(ceilDiv(spec.Count(g.OutShape()), 4))
	for i, axis := range g.Axis {
		if i == 0 {
			axis.Size = ceilDiv(axis.Size, 4)
		}
		if g.Axis[0].A != 0 && i > 0 {
			axis.A /= 4
		}
		if g.Axis[0].B != 0 && i > 0 {
			axis.B /= 4
		}
		p = p.U32(axis.Size, axis.A, axis.B)
	}
	return p
}

// binaryScalarParams are the parameters with sizes and steps in elements.
func binaryScalarParams(g spec.Binary) Params {
	p := Params{}.U32(spec.Count(g.OutShape()))
	for _, axis := range g.Axis {
		p = p.U32(axis.Size, axis.A, axis.B)
	}
	return p
}

func binaryNaiveKernel(f spec.BinaryFunc) *Kernel {
	return intern("binary_naive_"+f.String(), func() *Kernel {
		return &Kernel{
			Source:     specialise(binaryNaiveWGSL, swap("apply", BinarySource(f))),
			ParamBytes: binaryParamBytes,
			Writes:     []bool{false, false, true},
		}
	})
}

func binaryNaive(g spec.Binary, dev Device) Plan {
	const wg = 64
	total := spec.Count(g.OutShape())
	return Plan{Steps: []Step{{
		Kernel:   binaryNaiveKernel(g.Func),
		Params:   binaryScalarParams(g),
		Operands: []Operand{In(0), In(1), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	}}}
}

// binaryKernels enumerates the kernels that PlanBinary can return: every function
// with one form of the operands, and every form with Add.
func binaryKernels() []*Kernel {
	var all []*Kernel
	for _, f := range spec.Binaries() {
		all = append(all, binaryNaiveKernel(f))
		for _, repeat := range [][2]bool{{false, false}, {false, true}, {true, false}, {true, true}} {
			for _, form := range bothForms {
				all = append(all, binaryVec4Kernel(f, 1, repeat[0], repeat[1], form))
			}
		}
	}
	for axes := 2; axes <= spec.MaxRank; axes++ {
		for _, repeat := range [][2]bool{{false, false}, {false, true}, {true, false}} {
			for _, form := range bothForms {
				all = append(all, binaryVec4Kernel(spec.Add, axes, repeat[0], repeat[1], form))
			}
		}
	}
	return all
}
