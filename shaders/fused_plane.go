package shaders

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed fused_plane.wgsl
var fusedPlaneWGSL string

// planeOf returns the size of the planes of a chain: that of its normalizations'
// channels, 0 where it has none.
func planeOf(f *spec.Fused) int {
	for _, s := range f.Steps {
		if s.Norm != nil {
			return s.Norm.Inner
		}
	}
	return 0
}

// notPlane says why a chain cannot go plane by plane.
func notPlane(f *spec.Fused, plane int) string {
	if plane == 0 {
		return "it has no normalization"
	}
	for j := range f.Inputs {
		if _, ok := planeAccessOf(f.Inputs[j], f.N, plane); !ok {
			return fmt.Sprintf("input %d varies within a plane", j)
		}
	}
	return ""
}

// planeAccessOf returns how a kernel that goes plane by plane reads an input:
// whole, or one value for each plane.
func planeAccessOf(in spec.FusedInput, n, plane int) (fusedAccess, bool) {
	switch {
	case in.Inner == 1 && in.Size == n:
		return fusedWhole, true
	case in.Inner%plane == 0 || in.Size == 1:
		return fusedOne, true
	}
	return 0, false
}

func fusedPlanes(f spec.Fused, plane int, dev Device) (Plan, error) {
	form := planeForm{lanes: 1, block: 4}
	if plane%4 == 0 {
		form.lanes = 4
	}
	run := plane / form.lanes
	var blocks, rounds, groups int
	switch {
	case dev.CPU && form.lanes == 4 && run >= leastPlane:
		form.block = 0
		blocks, rounds = planeRuns(f.N/plane, run)
		groups = f.N / plane * blocks
	case dev.CPU:
		form.block = 16
		fallthrough
	default:
		blocks = ceilDiv(run, form.block)
		groups = ceilDiv(f.N/plane*blocks, 64)
	}
	p := Params{}.U32(f.N/plane*blocks, blocks, run, 0, rounds)
	operands := []Operand{In(0)}
	access := make([]fusedAccess, len(f.Inputs))
	for j, in := range f.Inputs {
		if j == 0 {
			continue
		}
		access[j], _ = planeAccessOf(in, f.N, plane)
		p = p.U32(max(1, in.Inner/plane), in.Size)
		operands = append(operands, In(j))
	}
	for _, s := range f.Steps {
		if s.Norm != nil {
			p = p.F32(s.Norm.Eps, 0)
		} else {
			p = p.F32(s.Act.A, s.Act.B)
		}
	}
	k := fusedPlaneKernel(f.Steps, access, form)
	if k == nil {
		return Plan{}, errMostFused
	}
	return Plan{Steps: []Step{{
		Kernel:   k,
		Params:   p,
		Operands: append(operands, Out(0)),
		Groups:   Grid1D(groups, dev.MaxGroups),
	}}}, nil
}

// planeForm is how a kernel goes over planes: with so many floats at once, in
// blocks of so many loads for an invocation or, where block is 0, in parts.
type planeForm struct{ lanes, block int }

// The head and the loop of fused_plane.wgsl, and what they are for software
// adapters, as in normalize_planes.wgsl.
const (
	planeHead = `  let id = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  let plane = id / p.blocks;
  let start = id % p.blocks * BLOCK;
`
	planeLoop = `  let stop = first + min(start + BLOCK, p.run);
  for (var i = first + start; i < stop; i++) {
`
	partHead = `  let id = group.x + groups.x * (group.y + groups.y * group.z);
  if (id >= p.total) { return; }
  let plane = id / p.blocks;
`
	partLoop = `  let start = (id - plane * p.blocks) * p.rounds * (WG * RUN) + local * RUN;
  for (var round = 0u; round < p.rounds; round++) {
    for (var q = 0u; q < RUN; q++) { // unroll
      let l = start + round * (WG * RUN) + q;
      let i = first + l;
      if (l < p.run) {
`
)

// partsOfPlanes rewrites a kernel to the form for software adapters.
func partsOfPlanes(text string) string {
	head, body, ok := strings.Cut(text, planeHead)
	middle, rest, ok2 := strings.Cut(body, planeLoop)
	end := strings.LastIndex(rest, "  }\n}\n")
	if !ok || !ok2 || end < 0 {
		panic("shaders: not a kernel of planes") // a bug in this package, found by its tests
	}
	text = head + partHead + middle + partLoop + rest[:end] + "      }\n    }\n" + rest[end:]
	return specialise(text, setConst("WG", fmt.Sprintf("%du", runsWG)), setConst("BLOCK", "4u;\nconst RUN = 4u"), unroll)
}

// fusedPlaneKernel is fusedKernel plane by plane.
func fusedPlaneKernel(steps []spec.FusedStep, access []fusedAccess, form planeForm) *Kernel {
	name := fmt.Sprintf("fused_plane_x%d_block%d%s", form.lanes, form.block, fusedName(steps, access))
	return fusedMade.intern(name, mostFused, func() *Kernel { return buildFusedPlane(steps, access, form) })
}

func buildFusedPlane(steps []spec.FusedStep, access []fusedAccess, form planeForm) *Kernel {
	var b fusedText
	b.inputs(access, func(a fusedAccess) string {
		if a == fusedWhole {
			return "T"
		}
		return "f32"
	}, "T")
	var planes strings.Builder
	for j, a := range access {
		if a == fusedOne {
			fmt.Fprintf(&planes, "  let c%d = plane / p.inner%d %% p.size%d;\n", j, j, j)
		}
	}
	for k, s := range steps {
		if s.Norm == nil {
			b.step(k, s, func(j int) string {
				if access[j] == fusedWhole {
					return fmt.Sprintf("x%d[i]", j)
				}
				return fmt.Sprintf("T(x%d[c%d])", j, j)
			}, form.lanes)
			continue
		}
		fmt.Fprintf(&b.params, "  a%d: f32, b%d: f32,\n", k, k)
		at := func(j int) string { return fmt.Sprintf("x%d[c%d]", j, j) }
		fmt.Fprintf(&planes, "  let m%d = %s;\n  var k%d = inv_sqrt(%s + p.a%d);\n", k, at(s.Norm.Mean), k, at(s.Norm.Variance), k)
		if s.Norm.Scale >= 0 {
			fmt.Fprintf(&planes, "  k%d *= %s;\n", k, at(s.Norm.Scale))
		}
		add := "0.0"
		if s.Norm.Shift >= 0 {
			add = at(s.Norm.Shift)
		}
		fmt.Fprintf(&planes, "  let b%d = fma(-0.0, k%d, %s);\n", k, k, add)
		fmt.Fprintf(&b.chain, "  v = pin(fma(v - T(m%d), T(k%d), T(b%d)));\n", k, k, k)
	}
	b.math = append(b.math, momentsMath...)
	b.functions.WriteString(momentsWGSL)
	edits := []edit{setU32("BLOCK", max(1, form.block)), swap("planes", planes.String())}
	if form.lanes == 4 {
		edits = append(edits, swap("lanes", `alias T = vec4<f32>;
fn pin(v: T) -> T { return bitcast<vec4<f32>>(bitcast<vec4<u32>>(v) ^ vec4<u32>(p.zero)); }`))
	}
	if form.block == 0 {
		edits = append(edits, partsOfPlanes)
	}
	return b.kernel(fusedPlaneWGSL, 5, len(access), len(steps), edits...)
}

// fusedPlaneKernels enumerates kernels that PlanFused can return; see
// fusedKernels.
func fusedPlaneKernels() []*Kernel {
	relu := spec.FusedStep{Act: spec.Activation{Func: spec.ReLU}, Other: -1}
	add := spec.FusedStep{Func: spec.Add, Other: 5}
	var all []*Kernel
	for _, form := range []planeForm{{1, 4}, {1, 16}, {4, 4}, {4, 16}, {4, 0}} {
		norm := spec.FusedStep{Norm: &spec.FusedNorm{Mean: 1, Variance: 2, Scale: 3, Shift: 4}, Other: -1}
		bare := spec.FusedStep{Norm: &spec.FusedNorm{Mean: 1, Variance: 2, Scale: -1, Shift: -1}, Other: -1}
		access := []fusedAccess{fusedWhole, fusedOne, fusedOne, fusedOne, fusedOne, fusedWhole}
		all = append(all,
			fusedPlaneKernel([]spec.FusedStep{norm, relu}, access[:5], form),
			fusedPlaneKernel([]spec.FusedStep{norm, add, relu}, access, form),
			fusedPlaneKernel([]spec.FusedStep{relu, bare}, access[:3], form))
	}
	return all
}
