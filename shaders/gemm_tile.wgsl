// Matrix product, batched: a tile through workgroup memory.
//
//   y[i,m,n] = act(alpha * (sum over k of a[i,m,k] * b[i,k,n]) + beta * c[m,n])
//
// A workgroup computes TILE_M x TILE_N outputs. In steps of TILE_K it copies a
// panel of a and one of b to workgroup memory, both as [k][m or n] whatever the
// operands' layout, while the values of the next step are already on their way
// to registers. Each invocation keeps ROWS4*4 x COLS4*4 sums in registers and
// per k reads ROWS4 + COLS4 vectors for 16*ROWS4*COLS4 multiply-adds. Its rows
// and columns are groups of four that lie THREADS*4 apart, so that neighbours
// read and store neighbouring vectors.
//
// Layout:   a is [M, K] or, under TRANS_A, [K, M]; b is [K, N] or, under TRANS_B,
//           [N, K]; c is at m*cm + n*cn; y is [i, M, N]. where the rows of a and b, or
//           those of y, are whole vec4s in memory, the bindings are of vec4s
// Tile:     TILE_M x TILE_N x TILE_K, THREADS x THREADS invocations
// Bindings: 0 params, 1 a, 2 b, 3 c (a dummy where p.bias is 0), 4 y
// Limits:   without EDGES every size is a multiple of the tile's
//
// Under a split the sum over k is cut into chunks of whole steps, a workgroup for
// each; y is then a workspace [split, i, M, N] of plain sums, which
// gemm_sum.wgsl adds in order.

struct Params {
  groups: u32, // workgroups that have work: the grid may be larger
  m: u32, n: u32, k: u32,
  am: u32, ak: u32, bk: u32, bn: u32,
  bias: u32, cm: u32, cn: u32, // whether there is a c, and its steps
  alpha: f32, beta: f32, act_a: f32, act_b: f32,
  size0: u32, a0: u32, b0: u32, // the innermost batch axis
  size1: u32, a1: u32, b1: u32,
  size2: u32, a2: u32, b2: u32,
  size3: u32, a3: u32, b3: u32,
  size4: u32, a4: u32, b4: u32,
  size5: u32, a5: u32, b5: u32, // the outermost
  tiles_m: u32, tiles_n: u32,
  batches: u32,
  chunk: u32, // length of one split's part of k, all of it without a split
  split: u32, // 1 under a split
}

// swap: bindings
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> c: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
// end swap

const TILE_M = 64u;
const TILE_N = 64u;
const TILE_K = 16u;
const THREADS = 16u;
const ROWS4 = 1u; // TILE_M / (THREADS*4)
const ROWS = 4u;  // ROWS4*4
const COLS4 = 1u; // TILE_N / (THREADS*4)
const SUMS = 4u;  // ROWS * COLS4
const LOADS_A = 1u; // vectors of a, of b, that an invocation copies in one step
const LOADS_B = 1u;
const PITCH_A = 17u; // vectors from one k to the next: one more than the tile's,
const PITCH_B = 17u; // so that transposing stores hit different banks
const SIZE_A = 272u; // TILE_K * PITCH_A
const SIZE_B = 272u;
const WG = 256u; // THREADS * THREADS
const TRANS_A = false;
const TRANS_B = false;
const EDGES = true;
const BAND = 8u; // tiles of m that are done together, so that b's panels stay in the cache

var<workgroup> tile_a: array<vec4<f32>, SIZE_A>;
var<workgroup> tile_b: array<vec4<f32>, SIZE_B>;

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

// fetch_a and fetch_b read four neighbours of row `outer`, from `inner` on,
// where start is the first element of the matrix; store4 writes four
// neighbours of y, `first` being the first one's column.
// swap: memory
fn fetch_a(start: u32, outer: u32, inner: u32, rows: u32, length: u32) -> vec4<f32> {
  var v = vec4<f32>();
  if (outer >= rows) { return v; }
  let at = start + outer * length + inner;
  if (inner < length) { v.x = a[at]; }
  if (inner + 1u < length) { v.y = a[at + 1u]; }
  if (inner + 2u < length) { v.z = a[at + 2u]; }
  if (inner + 3u < length) { v.w = a[at + 3u]; }
  return v;
}
fn fetch_b(start: u32, outer: u32, inner: u32, rows: u32, length: u32) -> vec4<f32> {
  var v = vec4<f32>();
  if (outer >= rows) { return v; }
  let at = start + outer * length + inner;
  if (inner < length) { v.x = b[at]; }
  if (inner + 1u < length) { v.y = b[at + 1u]; }
  if (inner + 2u < length) { v.z = b[at + 2u]; }
  if (inner + 3u < length) { v.w = b[at + 3u]; }
  return v;
}
fn store4(row: u32, first: u32, v: vec4<f32>) {
  let at = row * p.n + first;
  if (first < p.n) { y[at] = v.x; }
  if (first + 1u < p.n) { y[at + 1u] = v.y; }
  if (first + 2u < p.n) { y[at + 2u] = v.z; }
  if (first + 3u < p.n) { y[at + 3u] = v.w; }
}
// end swap

// Where the matrices of product i start in a and in b.
fn starts(i: u32) -> vec2<u32> {
  if (p.batches == 1u) { return vec2<u32>(); }
  var rest = i;
  var at = (rest % p.size0) * vec2<u32>(p.a0, p.b0);
  rest /= p.size0;
  at += (rest % p.size1) * vec2<u32>(p.a1, p.b1);
  rest /= p.size1;
  at += (rest % p.size2) * vec2<u32>(p.a2, p.b2);
  rest /= p.size2;
  at += (rest % p.size3) * vec2<u32>(p.a3, p.b3);
  rest /= p.size3;
  at += (rest % p.size4) * vec2<u32>(p.a4, p.b4);
  return at + (rest / p.size4) * vec2<u32>(p.a5, p.b5);
}

// The slot-th vector of this step's panel of a: along m under TRANS_A, else
// along k.
fn load_a(slot: u32, start: u32, m0: u32, k0: u32) -> vec4<f32> {
  if (TRANS_A) {
    return fetch_a(start, k0 + slot / (TILE_M / 4u), m0 + slot % (TILE_M / 4u) * 4u, p.k, p.m);
  }
  return fetch_a(start, m0 + slot / (TILE_K / 4u), k0 + slot % (TILE_K / 4u) * 4u, p.m, p.k);
}

fn keep_a(slot: u32, v: vec4<f32>) {
  if (TRANS_A) {
    tile_a[slot / (TILE_M / 4u) * PITCH_A + slot % (TILE_M / 4u)] = v;
    return;
  }
  let m = slot / (TILE_K / 4u);
  let k = slot % (TILE_K / 4u) * 4u;
  tile_a[k * PITCH_A + m / 4u][m % 4u] = v.x;
  tile_a[(k + 1u) * PITCH_A + m / 4u][m % 4u] = v.y;
  tile_a[(k + 2u) * PITCH_A + m / 4u][m % 4u] = v.z;
  tile_a[(k + 3u) * PITCH_A + m / 4u][m % 4u] = v.w;
}

// Likewise of b: along k under TRANS_B, else along n.
fn load_b(slot: u32, start: u32, n0: u32, k0: u32) -> vec4<f32> {
  if (TRANS_B) {
    return fetch_b(start, n0 + slot / (TILE_K / 4u), k0 + slot % (TILE_K / 4u) * 4u, p.n, p.k);
  }
  return fetch_b(start, k0 + slot / (TILE_N / 4u), n0 + slot % (TILE_N / 4u) * 4u, p.k, p.n);
}

fn keep_b(slot: u32, v: vec4<f32>) {
  if (!TRANS_B) {
    tile_b[slot / (TILE_N / 4u) * PITCH_B + slot % (TILE_N / 4u)] = v;
    return;
  }
  let n = slot / (TILE_K / 4u);
  let k = slot % (TILE_K / 4u) * 4u;
  tile_b[k * PITCH_B + n / 4u][n % 4u] = v.x;
  tile_b[(k + 1u) * PITCH_B + n / 4u][n % 4u] = v.y;
  tile_b[(k + 2u) * PITCH_B + n / 4u][n % 4u] = v.z;
  tile_b[(k + 3u) * PITCH_B + n / 4u][n % 4u] = v.w;
}

// One sum's way out: factor, addend, activation.
fn finish(sum: f32, m: u32, n: u32) -> f32 {
  if (p.split != 0u) { return sum; }
  var v = sum * p.alpha;
  if (p.bias != 0u) { v = fma(p.beta, c[m * p.cm + min(n, p.n - 1u) * p.cn], v); }
  return activate(v, p.act_a, p.act_b);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let linear = group.x + groups.x * (group.y + groups.y * group.z);
  if (linear >= p.groups) { return; }
  // Tiles go down a band of BAND rows before they step to the next column.
  let tiles = p.tiles_m * p.tiles_n;
  let in_matrix = linear % tiles;
  let band = in_matrix / (BAND * p.tiles_n);
  let band_rows = min(BAND, p.tiles_m - band * BAND);
  let in_band = in_matrix - band * BAND * p.tiles_n;
  let m0 = (band * BAND + in_band % band_rows) * TILE_M;
  let n0 = in_band / band_rows * TILE_N;
  let product = linear / tiles; // counts the batches of each split
  let start = starts(product % p.batches);
  var k0 = product / p.batches * p.chunk;
  let k_end = min(k0 + p.chunk, p.k);

  let tm = local / THREADS;
  let tn = local % THREADS;
  var acc: array<vec4<f32>, SUMS>; // [ROWS][COLS4]
  var next_a: array<vec4<f32>, LOADS_A>;
  var next_b: array<vec4<f32>, LOADS_B>;
  for (var i = 0u; i < LOADS_A; i++) { // unroll
    next_a[i] = load_a(local + i * WG, start.x, m0, k0);
  }
  for (var i = 0u; i < LOADS_B; i++) { // unroll
    next_b[i] = load_b(local + i * WG, start.y, n0, k0);
  }
  while (k0 < k_end) {
    for (var i = 0u; i < LOADS_A; i++) { // unroll
      keep_a(local + i * WG, next_a[i]);
    }
    for (var i = 0u; i < LOADS_B; i++) { // unroll
      keep_b(local + i * WG, next_b[i]);
    }
    workgroupBarrier();
    k0 += TILE_K;
    if (k0 < k_end) {
      for (var i = 0u; i < LOADS_A; i++) { // unroll
        next_a[i] = load_a(local + i * WG, start.x, m0, k0);
      }
      for (var i = 0u; i < LOADS_B; i++) { // unroll
        next_b[i] = load_b(local + i * WG, start.y, n0, k0);
      }
    }
    for (var k = 0u; k < TILE_K; k++) {
      for (var r = 0u; r < ROWS4; r++) { // unroll
        let va = tile_a[k * PITCH_A + r * THREADS + tm];
        for (var v = 0u; v < COLS4; v++) { // unroll
          let vb = tile_b[k * PITCH_B + v * THREADS + tn];
          acc[(r * 4u) * COLS4 + v] = fma(vec4<f32>(va.x), vb, acc[(r * 4u) * COLS4 + v]);
          acc[(r * 4u + 1u) * COLS4 + v] = fma(vec4<f32>(va.y), vb, acc[(r * 4u + 1u) * COLS4 + v]);
          acc[(r * 4u + 2u) * COLS4 + v] = fma(vec4<f32>(va.z), vb, acc[(r * 4u + 2u) * COLS4 + v]);
          acc[(r * 4u + 3u) * COLS4 + v] = fma(vec4<f32>(va.w), vb, acc[(r * 4u + 3u) * COLS4 + v]);
        }
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < ROWS; i++) { // unroll
    let m = m0 + (i / 4u * THREADS + tm) * 4u + i % 4u;
    for (var v = 0u; v < COLS4; v++) { // unroll
      let n = n0 + (v * THREADS + tn) * 4u;
      let s = acc[i * COLS4 + v];
      if (!EDGES || (m < p.m && n < p.n)) {
        store4(product * p.m + m, n, vec4<f32>(finish(s.x, m, n), finish(s.y, m, n + 1u),
                                               finish(s.z, m, n + 2u), finish(s.w, m, n + 3u)));
      }
    }
  }
}
