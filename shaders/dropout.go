package shaders

import (
	_ "embed"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed dropout.wgsl
var dropoutWGSL string

const dropoutMask = `@group(0) @binding(3) var<storage, read_write> mask: array<vec4<f32>>;
fn write_mask(i: u32, keep: vec4<bool>) { mask[i] = select(vec4<f32>(0.0), vec4<f32>(1.0), keep); }`

// PlanDropout plans a dropout. Input: x; outputs: y and, where g.Mask is set, the
// mask. Variants: vec4.
func PlanDropout(g spec.Dropout, dev Device, force string) (Plan, error) {
	return choose("dropout", force, []candidate{
		{name: "vec4", why: "one pass", plan: func() (Plan, error) {
			const wg = 64
			count := ceilDiv(spec.Count(g.Shape), 4)
			k := dropoutKernel(g.Mask)
			return Plan{Steps: []Step{{
				Kernel: k,
				Params: Params{}.U32(count, int(uint32(g.Seed)), int(uint32(g.Seed>>32)), int(g.Threshold), boolU32(g.P < 1)).
					F32(g.Scale),
				Operands: []Operand{In(0), Out(0), Out(1)}[:len(k.Writes)],
				Groups:   Grid1D(ceilDiv(count, wg), dev.MaxGroups),
			}}}, nil
		}},
	})
}

func dropoutKernel(mask bool) *Kernel {
	name, writes, edits := "dropout", []bool{false, true}, []edit(nil)
	if mask {
		name, writes, edits = "dropout_mask", []bool{false, true, true}, []edit{swap("mask", dropoutMask)}
	}
	return intern(name, func() *Kernel {
		return &Kernel{Source: specialise(dropoutWGSL, edits...), ParamBytes: 24, Writes: writes}
	})
}

// dropoutKernels enumerates the kernels that PlanDropout can return.
func dropoutKernels() []*Kernel { return []*Kernel{dropoutKernel(false), dropoutKernel(true)} }
