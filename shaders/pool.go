package shaders

import (
	_ "embed"
	"fmt"
	"math"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed pool.wgsl
var poolNaiveWGSL string

//go:embed pool_tile.wgsl
var poolTileWGSL string

//go:embed pool_group.wgsl
var poolGroupWGSL string

//go:embed pool_plane.wgsl
var poolPlaneWGSL string

// PlanPool plans a max, average or Lp pooling. Input: x; outputs: y and, with
// indices, the places of the maxima. Variants: plane, tile, group, naive.
func PlanPool(g spec.Pool, indices bool, dev Device, force string) (Plan, error) {
	plane := candidate{name: "plane", why: "whole planes: a workgroup reduces each", not: poolPlaneNot(&g, dev),
		plan: func() (Plan, error) { return poolPlane(g, indices, dev), nil }}
	tile := candidate{name: "tile", why: "a window: neighbours share their loads", not: poolTileNot(&g, dev),
		plan: func() (Plan, error) { return poolTile(g, indices, dev), nil }}
	group := candidate{name: "group", why: "large windows: a workgroup shares each", not: poolGroupNot(&g, dev),
		plan: func() (Plan, error) { return poolEach(g, indices, poolGroupSize(&g), dev), nil }}
	naive := candidate{name: "naive", why: "small windows, few of them along a row", not: poolNaiveNot(&g, dev),
		plan: func() (Plan, error) { return poolEach(g, indices, 0, dev), nil }}
	order := []candidate{tile, naive, group, plane}
	switch {
	case g.Whole() && !dev.CPU && g.InSize() >= 32:
		order = []candidate{plane, group, naive, tile}
	case !dev.CPU && g.Taps() >= 512:
		order = []candidate{tile, group, naive, plane}
	case g.Whole():
		order = []candidate{naive, plane, group, tile}
	case g.Out[2] < 3: // a tile of four outputs would be half empty
		order = []candidate{naive, tile, group, plane}
	}
	return chooseTuned(g.Kind.String()+"pool", force, dev, func() string { return poolClass(&g, indices) }, order)
}

// poolNaiveNot says why the naive kernel cannot serve a pooling, if so.
func poolNaiveNot(g *spec.Pool, dev Device) string {
	loops := g.Kernel[0] * (1 + g.Kernel[1]*(1+g.Kernel[2]))
	if g.Kind == spec.PoolLp && g.Norm != 1 {
		loops *= 2 // the largest element comes first, or a second try with a scale
	}
	return tooManyLoops(loops, dev)
}

func tooManyLoops(n int, dev Device) string {
	if dev.MaxLoop > 0 && n > dev.MaxLoop {
		return fmt.Sprintf("%s ends an invocation after %d loop iterations, and this takes %d", dev.Name, dev.MaxLoop, n)
	}
	return ""
}

// poolGroupNot says why the group kernel cannot serve a pooling, if so.
func poolGroupNot(g *spec.Pool, dev Device) string {
	wg := poolGroupSize(g)
	if dev.MaxInvocations < wg || dev.WorkgroupBytes < 8*wg {
		return "the device's workgroups are too small"
	}
	return tooManyLoops(2*ceilDiv(g.Taps(), wg), dev)
}

// poolGroupSize returns the invocations that share one window.
func poolGroupSize(g *spec.Pool) int {
	if g.Taps() < 4096 {
		return 64
	}
	return 256
}

// poolKernel is the naive kernel, or with a group size the group kernel.
func poolKernel(kind spec.PoolKind, adaptive, indices bool, group int) *Kernel {
	name := "naive"
	if group > 0 {
		name = fmt.Sprintf("group%d", group)
	}
	return intern(fmt.Sprintf("pool_%s_%v_adaptive%t_indices%t", name, kind, adaptive, indices), func() *Kernel {
		edits := []edit{setU32("KIND", int(kind)), setBool("ADAPTIVE", adaptive), poolMath()}
		k := &Kernel{ParamBytes: 27 * 4, Writes: []bool{false, true, true}}
		if group > 0 {
			edits = append(edits, setU32("WG", group), swap("walk", poolGroupWGSL))
		}
		if !indices {
			edits = append(edits, swap("indices", "fn store_index(o: u32, at: i32) {}"))
			k.Writes = k.Writes[:2]
		}
		k.Source = specialise(poolNaiveWGSL, edits...)
		return k
	})
}

// poolMath puts in the arithmetic that drivers do not promise to get right.
func poolMath() edit {
	return swap("math", MathSource("k_is_nan", "k_nan", "k_pin", "k_sqrt", "k_log2", "k_exp2"))
}

// poolOperands are the bindings of a pooling kernel.
func poolOperands(indices bool) []Operand {
	if indices {
		return []Operand{In(0), Out(0), Out(1)}
	}
	return []Operand{In(0), Out(0)}
}

// lowest is -Inf, for which WGSL has no constant: it goes in as a parameter.
var lowest = float32(math.Inf(-1))

// poolEach plans the naive kernel, or with a group size the group kernel.
func poolEach(g spec.Pool, indices bool, group int, dev Device) Plan {
	total := g.Planes() * g.OutSize()
	groups := total
	if group == 0 {
		groups = ceilDiv(total, 64)
	}
	return Plan{Steps: []Step{{
		Kernel: poolKernel(g.Kind, g.Adaptive, indices, group),
		Params: Params{}.U32(total).U32(g.In[:]...).U32(g.Out[:]...).U32(g.Kernel[:]...).
			U32(g.Stride[:]...).U32(g.Dilation[:]...).U32(g.PadBegin[:]...).
			U32(g.In[0]+g.PadEnd[0], g.In[1]+g.PadEnd[1], g.In[2]+g.PadEnd[2]).
			U32(flag(g.ExcludePad)).F32(float32(g.Divisor)).U32(flag(g.PlainNorm)).F32(g.Norm, lowest),
		Operands: poolOperands(indices),
		Groups:   Grid1D(groups, dev.MaxGroups),
	}}}
}

// poolTileConfig is what shapes the text of the tile kernel.
type poolTileConfig struct {
	kind                     spec.PoolKind
	indices                  bool
	rows                     int // output rows per invocation
	kernel, stride, dilation int // along a row
	depth                    bool
	fixed                    bool // every window of an average has the same count
	lead                     int  // elements between the start of a vec4 and the first tap
	vecIn, vecOut            bool // rows of whole vec4s
}

// maxSegment bounds the elements of a row that an invocation holds in registers.
const maxSegment = 40

// poolTileNot says why the tile kernel cannot serve a pooling, if so.
func poolTileNot(g *spec.Pool, dev Device) string {
	switch {
	case g.Kind == spec.PoolLp:
		return "it has no Lp form"
	case g.Adaptive:
		return "the windows differ in size"
	case 3*g.Stride[2]+g.Extent(2) > maxSegment-4:
		return fmt.Sprintf("four windows span %d elements of a row, more than %d", 3*g.Stride[2]+g.Extent(2), maxSegment-4)
	}
	rows := 3*g.Stride[1] + g.Extent(1)                                 // of a band of four
	return tooManyLoops(g.Kernel[0]*rows*(maxSegment+g.Kernel[2]), dev) // were nothing unrolled
}

func poolTileConfigOf(g *spec.Pool, indices bool, dev Device) poolTileConfig {
	c := poolTileConfig{
		kind: g.Kind, indices: indices, rows: 1,
		kernel: g.Kernel[2], stride: g.Stride[2], dilation: g.Dilation[2],
		vecIn: g.In[2]%4 == 0, vecOut: g.Out[2]%4 == 0,
	}
	if c.vecIn {
		c.lead = (4 - g.PadBegin[2]%4) % 4
	}
	if g.Dilation[1] == 1 {
		// A software adapter gains from loading less; a GPU also from more
		// invocations.
		switch {
		case dev.CPU && g.Out[1] > 2:
			c.rows = 4
		case g.Out[1] > 1:
			c.rows = 2
		}
	}
	if g.Kind == spec.PoolAvg {
		c.depth = g.Kernel[0] > 1
		_, c.fixed = g.FixedCount()
	}
	return c
}

func poolTileKernel(c poolTileConfig) *Kernel {
	return intern(fmt.Sprintf("pool_tile_%+v", c), func() *Kernel {
		segment := c.lead + 3*c.stride + (c.kernel-1)*c.dilation + 1
		if c.vecIn {
			segment = ceilDiv(segment, 4) * 4
		}
		edits := []edit{
			setU32("KIND", int(c.kind)), setBool("INDICES", c.indices), setU32("ROWS", c.rows),
			setU32("KERNEL_W", c.kernel), setU32("STRIDE_W", c.stride), setU32("DILATION_W", c.dilation),
			setBool("DEPTH", c.depth), setBool("FIXED", c.fixed), setU32("LEAD", c.lead), setU32("SEGMENT", segment),
		}
		k := &Kernel{ParamBytes: 24 * 4, Writes: []bool{false, true, true}}
		if c.vecIn {
			edits = append(edits, swap("input", poolTileVecIn))
		}
		if c.vecOut {
			edits = append(edits, swap("output", poolTileVecOut), swap("indices", poolTileVecIndices))
		}
		if !c.indices {
			edits = append(edits, swap("indices", "fn store_index(row: u32, block: u32, v: vec4<i32>) {}"))
			k.Writes = k.Writes[:2]
		}
		k.Source = specialise(poolTileWGSL, edits...)
		return k
	})
}

// The forms of the tile kernel's loads and stores for rows of whole vec4s, which
// start and end at whole vec4s too: a vec4 is on the row or off it.
const (
	poolTileVecIn = `@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
fn load(s: ptr<function, array<f32, SEGMENT>>, row: u32, c: i32, outside: f32) {
  for (var i = 0u; i < SEGMENT; i += 4u) {
    let at = c + i32(i);
    var v = vec4<f32>(outside);
    if (at >= 0 && at < i32(p.in_w)) { v = x[(row + u32(at)) / 4u]; }
    (*s)[i] = v.x;
    (*s)[i + 1u] = v.y;
    (*s)[i + 2u] = v.z;
    (*s)[i + 3u] = v.w;
  }
}`
	poolTileVecOut = `@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
fn store(row: u32, block: u32, v: vec4<f32>) { y[row * p.out_w / 4u + block] = v; }`
	poolTileVecIndices = `@group(0) @binding(3) var<storage, read_write> indices: array<vec4<i32>>;
fn store_index(row: u32, block: u32, v: vec4<i32>) { indices[row * p.out_w / 4u + block] = v; }`
)

func poolTile(g spec.Pool, indices bool, dev Device) Plan {
	const wg = 64
	c := poolTileConfigOf(&g, indices, dev)
	blocksW, blocksH := ceilDiv(g.Out[2], 4), ceilDiv(g.Out[1], c.rows)
	total := g.Planes() * g.Out[0] * blocksH * blocksW
	scale := float32(0)
	if n, ok := g.FixedCount(); ok {
		scale = float32(1 / float64(n))
	}
	return Plan{Steps: []Step{{
		Kernel: poolTileKernel(c),
		Params: Params{}.U32(total, blocksW, blocksH).U32(g.In[:]...).U32(g.Out[:]...).
			U32(g.Kernel[0], g.Kernel[1], g.Stride[0], g.Stride[1], g.Dilation[0], g.Dilation[1]).
			U32(g.PadBegin[:]...).U32(g.In[0]+g.PadEnd[0], g.In[1]+g.PadEnd[1], g.In[2]+g.PadEnd[2]).
			U32(flag(g.ExcludePad)).F32(scale, lowest),
		Operands: poolOperands(indices),
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	}}}
}

// poolPlaneNot says why the plane kernel cannot serve a pooling, if so.
func poolPlaneNot(g *spec.Pool, dev Device) string {
	_, fixed := g.FixedCount()
	switch {
	case !g.Whole():
		return "the window is not the whole plane"
	case g.Kind == spec.PoolLp && !g.PlainNorm:
		return "it has no form of PyTorch's signed norms"
	case g.Kind == spec.PoolAvg && !fixed:
		return "the window hangs over the plane"
	case dev.MaxInvocations < poolPlaneGroup(g) || dev.WorkgroupBytes < 8*poolPlaneGroup(g):
		return "the device's workgroups are too small"
	}
	return tooManyLoops(2*ceilDiv(g.InSize(), 4*poolPlaneGroup(g)), dev)
}

// poolPlaneGroup returns the invocations that reduce one plane.
func poolPlaneGroup(g *spec.Pool) int {
	if g.InSize() < 4096 {
		return 64
	}
	return 256
}

func poolPlaneKernel(kind spec.PoolKind, indices, vec bool, group int) *Kernel {
	return intern(fmt.Sprintf("pool_plane_%v_indices%t_vec%t_%d", kind, indices, vec, group), func() *Kernel {
		k := &Kernel{
			Source:     specialise(poolPlaneWGSL, setU32("KIND", int(kind)), setBool("INDICES", indices), setU32("WG", group), poolMath()),
			ParamBytes: 7 * 4,
			Writes:     []bool{false, true, true},
		}
		if vec {
			k.Source = specialise(k.Source, swap("input", `@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
fn load(base: u32, i: u32, end: u32, outside: f32) -> vec4<f32> { return x[(base + i) / 4u]; }`))
		}
		if !indices {
			k.Source = specialise(k.Source, swap("indices", "fn store_index(o: u32, at: u32) {}"))
			k.Writes = k.Writes[:2]
		}
		return k
	})
}

// poolSegments returns into how many segments the planes are cut: as many as
// give a GPU enough workgroups, as long as each has a few thousand elements.
func poolSegments(g *spec.Pool, indices bool) int {
	const enough, least = 256, 8192
	if indices || g.Kind == spec.PoolLp {
		return 1
	}
	return max(1, min(ceilDiv(enough, g.Planes()), g.InSize()/least))
}

func poolPlane(g spec.Pool, indices bool, dev Device) Plan {
	n, wg := g.InSize(), poolPlaneGroup(&g)
	count, _ := g.FixedCount()
	scale := float32(1 / float64(count))
	step := func(n, segments int, scale float32, in Operand, out []Operand) Step {
		length := ceilDiv(ceilDiv(n, segments), 4) * 4
		groups := g.Planes() * segments
		return Step{
			Kernel:   poolPlaneKernel(g.Kind, indices, n%4 == 0, wg),
			Params:   Params{}.U32(groups, segments, n, length).F32(scale, g.Norm, lowest),
			Operands: append([]Operand{in}, out...),
			Groups:   Grid1D(groups, dev.MaxGroups),
		}
	}
	s := poolSegments(&g, indices)
	if s == 1 {
		return Plan{Steps: []Step{step(n, 1, scale, In(0), poolOperands(indices)[1:])}}
	}
	return Plan{
		Temps: []int{g.Planes() * s},
		Steps: []Step{
			step(n, s, 1, In(0), []Operand{Temp(0)}),
			step(s, 1, scale, Temp(0), []Operand{Out(0)}),
		},
	}
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// poolKernels enumerates the kernels that PlanPool can return. The tile kernel
// has one for each kernel size along a row; here are those of common windows.
func poolKernels() []*Kernel {
	var all []*Kernel
	for _, group := range []int{0, 64, 256} {
		for _, adaptive := range []bool{false, true} {
			for _, kind := range []spec.PoolKind{spec.PoolMax, spec.PoolAvg, spec.PoolLp} {
				all = append(all, poolKernel(kind, adaptive, false, group))
			}
			all = append(all, poolKernel(spec.PoolMax, adaptive, true, group))
		}
	}
	for _, vec := range []bool{false, true} {
		for _, group := range []int{64, 256} {
			for _, kind := range []spec.PoolKind{spec.PoolMax, spec.PoolAvg, spec.PoolLp} {
				all = append(all, poolPlaneKernel(kind, false, vec, group))
			}
			all = append(all, poolPlaneKernel(spec.PoolMax, true, vec, group))
		}
	}
	for _, w := range [][3]int{{2, 2, 1}, {3, 2, 1}, {3, 1, 1}, {3, 1, 2}, {13, 1, 1}} {
		for _, vec := range []bool{false, true} {
			for _, indices := range []bool{false, true} {
				all = append(all, poolTileKernel(poolTileConfig{kind: spec.PoolMax, indices: indices, rows: 2,
					kernel: w[0], stride: w[1], dilation: w[2], vecIn: vec, vecOut: vec}))
			}
			for _, fixed := range []bool{false, true} {
				all = append(all, poolTileKernel(poolTileConfig{kind: spec.PoolAvg, rows: 1, fixed: fixed, depth: !fixed,
					kernel: w[0], stride: w[1], dilation: w[2], vecIn: vec, vecOut: vec}))
			}
		}
	}
	return all
}
