package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed gemm_tile.wgsl
var gemmTileWGSL string

//go:embed gemm_sum.wgsl
var gemmSumWGSL string

// gemmTile is a size of the tile through workgroup memory: m x n outputs in
// steps of k, by threads*threads invocations.
type gemmTile struct{ m, n, k, threads int }

// The tiles that there are, largest first: 8x8 outputs for an invocation, or 4x4.
var (
	gemmTile128 = gemmTile{128, 128, 8, 16}
	gemmTile64  = gemmTile{64, 64, 16, 16}
	gemmTile32  = gemmTile{32, 32, 16, 8}
)

func (t gemmTile) String() string { return fmt.Sprintf("%dx%dx%d", t.m, t.n, t.k) }

// groups returns how many tiles all products take.
func (t gemmTile) groups(g *spec.Gemm) int {
	return g.Batches() * ceilDiv(g.M, t.m) * ceilDiv(g.N, t.n)
}

// gemmForm is everything but the tile that shapes a kernel's text.
type gemmForm struct {
	transA, transB bool
	vecIn, vecOut  bool // the rows of a and b, of y, are whole vec4s in memory
	edges          bool // some size is no multiple of the tile's
	fn             spec.Pointwise
}

// gemmFormOf returns the form of a product whose tile is m x n x k.
func gemmFormOf(g *spec.Gemm, m, n, k int, split bool) gemmForm {
	rowA, rowB := g.K, g.N
	if g.TransA {
		rowA = g.M
	}
	if g.TransB {
		rowB = g.K
	}
	f := gemmForm{
		transA: g.TransA, transB: g.TransB,
		vecIn: rowA%4 == 0 && rowB%4 == 0, vecOut: g.N%4 == 0,
		fn: g.Act.Func,
	}
	f.edges = g.M%m != 0 || g.N%n != 0 || g.K%k != 0 || !f.vecIn || !f.vecOut
	if split {
		f.fn = spec.Identity // it is the sum's
	}
	return f
}

// alongK reports whether vectors are read along k.
func (f gemmForm) alongK() bool { return f.vecIn && (!f.transA || f.transB) }

func (f gemmForm) String() string {
	s := ""
	for _, part := range []struct {
		set     bool
		yes, no string
	}{{f.transA, "t", "n"}, {f.transB, "t", "n"}, {f.vecIn, "4", "1"}, {f.vecOut, "4", "1"}, {f.edges, "_edges", ""}} {
		if part.set {
			s += part.yes
		} else {
			s += part.no
		}
	}
	return fmt.Sprintf("%s_%v", s, f.fn)
}

func gemmTileKernel(t gemmTile, f gemmForm) *Kernel {
	return intern(fmt.Sprintf("gemm_tile_%v_%v", t, f), func() *Kernel {
		wg := t.threads * t.threads
		rows, cols := t.m/(4*t.threads), t.n/(4*t.threads)
		return &Kernel{
			Source: specialise(gemmTileWGSL,
				setU32("TILE_M", t.m), setU32("TILE_N", t.n), setU32("TILE_K", t.k), setU32("THREADS", t.threads), setU32("WG", wg),
				setU32("ROWS4", rows), setU32("ROWS", 4*rows), setU32("COLS4", cols), setU32("SUMS", 4*rows*cols),
				setU32("LOADS_A", t.m*t.k/4/wg), setU32("LOADS_B", t.n*t.k/4/wg),
				setU32("PITCH_A", t.m/4+1), setU32("PITCH_B", t.n/4+1),
				setU32("SIZE_A", t.k*(t.m/4+1)), setU32("SIZE_B", t.k*(t.n/4+1)),
				setBool("TRANS_A", f.transA), setBool("TRANS_B", f.transB), setBool("EDGES", f.edges),
				swap("bindings", gemmBindings(f)),
				swap("memory", gemmFetch("a", f.vecIn)+gemmFetch("b", f.vecIn)+gemmStore(f.vecOut)),
				swap("activate", ActivationSource("activate", spec.Activation{Func: f.fn})),
				unroll),
			ParamBytes: 4 * gemmGridWords,
			Writes:     []bool{false, false, false, true},
		}
	})
}

// gemmBindings declares the operands, of vec4s where their rows are whole ones.
func gemmBindings(f gemmForm) string {
	return fmt.Sprintf(`@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<%s>;
@group(0) @binding(2) var<storage, read> b: array<%s>;
@group(0) @binding(3) var<storage, read> c: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<%s>;`, elementType(f.vecIn), elementType(f.vecIn), elementType(f.vecOut))
}

// gemmFetch is fetch_a or fetch_b.
func gemmFetch(operand string, vec bool) string {
	const head = "fn fetch_%[1]s(start: u32, outer: u32, inner: u32, rows: u32, length: u32) -> vec4<f32> {\n"
	if vec {
		return fmt.Sprintf(head+`  if (EDGES && (outer >= rows || inner >= length)) { return vec4<f32>(); }
  return %[1]s[(start + outer * length + inner) / 4u];
}
`, operand)
	}
	return fmt.Sprintf(head+`  var v = vec4<f32>();
  if (outer >= rows) { return v; }
  let at = start + outer * length + inner;
  if (inner < length) { v.x = %[1]s[at]; }
  if (inner + 1u < length) { v.y = %[1]s[at + 1u]; }
  if (inner + 2u < length) { v.z = %[1]s[at + 2u]; }
  if (inner + 3u < length) { v.w = %[1]s[at + 3u]; }
  return v;
}
`, operand)
}

// gemmStore is store4.
func gemmStore(vec bool) string {
	if vec {
		return "fn store4(row: u32, first: u32, v: vec4<f32>) { y[(row * p.n + first) / 4u] = v; }"
	}
	return `fn store4(row: u32, first: u32, v: vec4<f32>) {
  let at = row * p.n + first;
  if (first < p.n) { y[at] = v.x; }
  if (first + 1u < p.n) { y[at + 1u] = v.y; }
  if (first + 2u < p.n) { y[at + 2u] = v.z; }
  if (first + 3u < p.n) { y[at + 3u] = v.w; }
}`
}

// gemmGridWords is the size of the uniform struct of the kernels whose
// workgroups compute tiles.
const gemmGridWords = gemmParamWords + 5

// gemmGrid is the grid of a kernel whose workgroups compute tiles, and its
// parameters. Under a split each workgroup sums chunk of k.
func gemmGrid(g *spec.Gemm, tilesM, tilesN, splits, chunk int, dev Device) (Params, [3]int) {
	groups := g.Batches() * tilesM * tilesN * splits
	return gemmParams(groups, g).U32(tilesM, tilesN, g.Batches(), chunk, flag(splits > 1)), Grid1D(groups, dev.MaxGroups)
}

// gemmTiled plans a product by tiles, with the sum over k cut into this many
// parts at most.
func gemmTiled(g spec.Gemm, t gemmTile, splits int, dev Device) Plan {
	splits, chunk := splitChunks(g.K, splits, t.k)
	p, grid := gemmGrid(&g, ceilDiv(g.M, t.m), ceilDiv(g.N, t.n), splits, chunk, dev)
	k := gemmTileKernel(t, gemmFormOf(&g, t.m, t.n, t.k, splits > 1))
	return gemmSplit(g, k, p, grid, splits, false, dev)
}

// splitChunks cuts k into at most this many chunks of whole steps, and returns
// how many there are and their length.
func splitChunks(k, splits, step int) (count, chunk int) {
	chunk = ceilDiv(ceilDiv(k, splits), step) * step
	return ceilDiv(k, chunk), chunk
}

// gemmSplit is the plan of a tiled kernel: one dispatch, or, where the sum is
// split, one to a workspace and one that adds the parts in order. swapped says
// that the kernel takes b before a.
func gemmSplit(g spec.Gemm, k *Kernel, p Params, grid [3]int, splits int, swapped bool, dev Device) Plan {
	a, b := In(0), In(1)
	if swapped {
		a, b = b, a
	}
	if splits == 1 {
		return Plan{Steps: []Step{{Kernel: k, Params: p, Operands: []Operand{a, b, In(2), Out(0)}, Groups: grid}}}
	}
	const wg = 64
	total := g.Batches() * g.M * g.N
	sum := Step{
		Kernel: gemmSumKernel(g.Act.Func),
		Params: Params{}.U32(total, splits, g.M, g.N, flag(g.Bias), g.BiasM, g.BiasN).
			F32(g.Alpha, g.Beta, g.Act.A, g.Act.B),
		Operands: []Operand{Temp(0), In(2), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	}
	return Plan{
		Steps: []Step{{Kernel: k, Params: p, Operands: []Operand{a, b, In(2), Temp(0)}, Groups: grid}, sum},
		Temps: []int{splits * total},
	}
}

func gemmSumKernel(fn spec.Pointwise) *Kernel {
	return intern(fmt.Sprintf("gemm_sum_%v", fn), func() *Kernel {
		return &Kernel{
			Source:     specialise(gemmSumWGSL, swap("activate", ActivationSource("activate", spec.Activation{Func: fn}))),
			ParamBytes: 44,
			Writes:     []bool{false, false, true},
		}
	})
}
