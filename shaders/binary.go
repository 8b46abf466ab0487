package shaders

import (
	_ "embed"
	"strings"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed binary.wgsl
var binaryNaiveWGSL string

//go:embed binary_math.wgsl
var binaryMathWGSL string

// binarySource returns the WGSL of `fn apply(a: f32, b: f32) -> f32` and what it
// needs; the kernel's params have a member zero, which is 0.
func binarySource(f spec.BinaryFunc) string {
	const head = "fn apply(a: f32, b: f32) -> f32 { return "
	const isNaN = "fn is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }\n"
	switch f {
	case spec.Add:
		return head + "a + b; }"
	case spec.Sub:
		return head + "a - b; }"
	case spec.Mul:
		return head + "a * b; }"
	case spec.Min:
		return isNaN + head + "select(select(min(a, b), b, is_nan(b)), a, is_nan(a)); }"
	case spec.Max:
		return isNaN + head + "select(select(max(a, b), b, is_nan(b)), a, is_nan(a)); }"
	case spec.PReLU:
		return head + "select(a * b, a, a >= 0.0); }"
	}
	_, library, _ := strings.Cut(binaryMathWGSL, "// library\n")
	library, _, _ = strings.Cut(library, "// end library\n")
	if f == spec.Div {
		return library + head + "quotient(a, b); }"
	}
	return library + head + "power(a, b); }"
}

// PlanBinary plans a function of two tensors. Inputs: a, b; output: y. Variants:
// naive.
func PlanBinary(g spec.Binary, dev Device, force string) (Plan, error) {
	return choose("binary", force, []candidate{
		{name: "naive", why: "serves every case", plan: func() (Plan, error) { return binaryNaive(g, dev), nil }},
	})
}

func binaryNaiveKernel(f spec.BinaryFunc) *Kernel {
	return intern("binary_naive_"+f.String(), func() *Kernel {
		return &Kernel{
			Source:     specialise(binaryNaiveWGSL, swap("apply", binarySource(f))),
			ParamBytes: 4 * (2 + 3*spec.MaxRank),
			Writes:     []bool{false, false, true},
		}
	})
}

func binaryNaive(g spec.Binary, dev Device) Plan {
	const wg = 64
	total := spec.Count(g.OutShape())
	p := Params{}.U32(0, total)
	for _, axis := range g.Axis {
		p = p.U32(axis.Size, axis.A, axis.B)
	}
	return Plan{Steps: []Step{{
		Kernel:   binaryNaiveKernel(g.Func),
		Params:   p,
		Operands: []Operand{In(0), In(1), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	}}}
}

// binaryKernels enumerates the kernels that PlanBinary can return.
func binaryKernels() []*Kernel {
	var all []*Kernel
	for _, f := range spec.Binaries() {
		all = append(all, binaryNaiveKernel(f))
	}
	return all
}
