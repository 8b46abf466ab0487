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

// PlanPool plans a max, average or Lp pooling. Input: x; outputs: y and, with
// indices, the places of the maxima. Variants: tile, naive.
func PlanPool(g spec.Pool, indices bool, dev Device, force string) (Plan, error) {
	return choose(g.Kind.String()+"pool", force, []candidate{
		{name: "tile", why: "a window: neighbours share their loads", not: poolTileNot(&g),
			plan: func() (Plan, error) { return poolTile(g, indices, dev), nil }},
		{name: "naive", why: "serves every case", plan: func() (Plan, error) { return poolNaive(g, indices, dev), nil }},
	})
}

func poolNaiveKernel(kind spec.PoolKind, adaptive, indices bool) *Kernel {
	return intern(fmt.Sprintf("pool_naive_%v_adaptive%t_indices%t", kind, adaptive, indices), func() *Kernel {
		k := &Kernel{
			Source:     specialise(poolNaiveWGSL, setU32("KIND", int(kind)), setBool("ADAPTIVE", adaptive)),
			ParamBytes: 27 * 4,
			Writes:     []bool{false, true, true},
		}
		if !indices {
			k.Source = specialise(k.Source, swap("indices", "fn store_index(o: u32, at: i32) {}"))
			k.Writes = k.Writes[:2]
		}
		return k
	})
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

func poolNaive(g spec.Pool, indices bool, dev Device) Plan {
	const wg = 64
	total := g.Planes() * g.OutSize()
	return Plan{Steps: []Step{{
		Kernel: poolNaiveKernel(g.Kind, g.Adaptive, indices),
		Params: Params{}.U32(total).U32(g.In[:]...).U32(g.Out[:]...).U32(g.Kernel[:]...).
			U32(g.Stride[:]...).U32(g.Dilation[:]...).U32(g.PadBegin[:]...).
			U32(g.In[0]+g.PadEnd[0], g.In[1]+g.PadEnd[1], g.In[2]+g.PadEnd[2]).
			U32(flag(g.ExcludePad)).F32(float32(g.Divisor)).U32(flag(g.PlainNorm)).F32(g.Norm, lowest),
		Operands: poolOperands(indices),
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
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
func poolTileNot(g *spec.Pool) string {
	switch {
	case g.Kind == spec.PoolLp:
		return "it has no Lp form"
	case g.Adaptive:
		return "the windows differ in size"
	case 3*g.Stride[2]+g.Extent(2) > maxSegment-4:
		return fmt.Sprintf("four windows span %d elements of a row, more than %d", 3*g.Stride[2]+g.Extent(2), maxSegment-4)
	}
	return ""
}

func poolTileConfigOf(g *spec.Pool, indices bool) poolTileConfig {
	c := poolTileConfig{
		kind: g.Kind, indices: indices, rows: 1,
		kernel: g.Kernel[2], stride: g.Stride[2], dilation: g.Dilation[2],
		vecIn: g.In[2]%4 == 0, vecOut: g.Out[2]%4 == 0,
	}
	if c.vecIn {
		c.lead = (4 - g.PadBegin[2]%4) % 4
	}
	if g.Out[1] > 1 && g.Dilation[1] == 1 {
		c.rows = 2
	}
	if g.Kind == spec.PoolAvg {
		c.depth = g.Kernel[0] > 1
		_, c.fixed = fixedCount(g)
	}
	return c
}

// fixedCount returns what every sum of an average is divided by, and whether
// there is one such number.
func fixedCount(g *spec.Pool) (count int, ok bool) {
	if g.Divisor != 0 {
		return g.Divisor, true
	}
	for i := range g.In {
		last := (g.Out[i]-1)*g.Stride[i] - g.PadBegin[i] + g.Extent(i) // the end of the last window
		if last > g.In[i]+g.PadEnd[i] {
			return 0, false
		}
		if g.ExcludePad && (g.PadBegin[i] > 0 || last > g.In[i]) {
			return 0, false
		}
	}
	return g.Taps(), true
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
	c := poolTileConfigOf(&g, indices)
	blocksW, blocksH := ceilDiv(g.Out[2], 4), ceilDiv(g.Out[1], c.rows)
	total := g.Planes() * g.Out[0] * blocksH * blocksW
	scale := float32(0)
	if n, ok := fixedCount(&g); ok {
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
	for _, kind := range []spec.PoolKind{spec.PoolMax, spec.PoolAvg, spec.PoolLp} {
		for _, adaptive := range []bool{false, true} {
			all = append(all, poolNaiveKernel(kind, adaptive, false))
		}
	}
	for _, adaptive := range []bool{false, true} {
		all = append(all, poolNaiveKernel(spec.PoolMax, adaptive, true))
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
