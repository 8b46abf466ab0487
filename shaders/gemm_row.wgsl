// Matrix product, batched: few rows, the sum over k shared by a workgroup.
//
//   y[i,m,n] = act(alpha * (sum over k of a[i,m,k] * b[i,k,n]) + beta * c[m,n])
//
// A matrix times a vector reads each element of the matrix once, so what counts
// is that neighbouring invocations read neighbouring vectors and that many are
// on their way at once. A workgroup has COLS columns (under TRANS_B), or COLS
// vectors of columns, times LANES invocations that take turns along k; each
// keeps ROWS vectors of sums, which are added in a fixed tree in the end.
//
// Layout:   a is [M, K]; b is [K, N] or, under TRANS_B, [N, K]; c is at
//           m*cm + n*cn; y is [i, M, N]; where the rows of a and b, or those of
//           y, are whole vec4s in memory, the bindings are of vec4s
// Tile:     ROWS x COLS, or ROWS x COLS*4, outputs for a workgroup of COLS*LANES
// Bindings: 0 params, 1 a, 2 b, 3 c (a dummy where p.bias is 0), 4 y
// Limits:   a is not transposed
//
// Under a split the sum over k is cut into chunks of whole vectors, a workgroup
// for each; y is then a workspace [split, i, M, N] of plain sums, which
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

const ROWS = 4u;
const COLS = 8u;
const LANES = 32u;
const WG = 256u; // COLS * LANES
const TRANS_B = false;
const EDGES = true;

var<workgroup> parts: array<vec4<f32>, WG>; // [LANES][COLS]

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
fn store1(row: u32, column: u32, v: f32) { y[row * p.n + column] = v; }
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
  let tiles = p.tiles_m * p.tiles_n;
  let product = linear / tiles; // counts the batches of each split
  let start = starts(product % p.batches);
  let m0 = linear % tiles / p.tiles_n * ROWS;
  // Neighbours lie along k under TRANS_B, and along n otherwise.
  var lane = local / COLS;
  var col = local % COLS;
  if (TRANS_B) {
    lane = local % LANES;
    col = local / LANES;
  }
  let tile_n = linear % tiles % p.tiles_n;
  var n = (tile_n * COLS + col) * 4u;
  if (TRANS_B) { n = tile_n * COLS + col; }
  let k0 = product / p.batches * p.chunk;
  let k_end = min(k0 + p.chunk, p.k);

  var acc: array<vec4<f32>, ROWS>;
  for (var k = k0 + lane * 4u; k < k_end; k += LANES * 4u) {
    if (TRANS_B) {
      let vb = fetch_b(start.y, n, k, p.n, p.k);
      for (var r = 0u; r < ROWS; r++) { // unroll
        acc[r] = fma(fetch_a(start.x, m0 + r, k, p.m, p.k), vb, acc[r]);
      }
    } else {
      let b0 = fetch_b(start.y, k, n, p.k, p.n);
      let b1 = fetch_b(start.y, k + 1u, n, p.k, p.n);
      let b2 = fetch_b(start.y, k + 2u, n, p.k, p.n);
      let b3 = fetch_b(start.y, k + 3u, n, p.k, p.n);
      for (var r = 0u; r < ROWS; r++) { // unroll
        let va = fetch_a(start.x, m0 + r, k, p.m, p.k);
        acc[r] = fma(vec4<f32>(va.w), b3, fma(vec4<f32>(va.z), b2, fma(vec4<f32>(va.y), b1, fma(vec4<f32>(va.x), b0, acc[r]))));
      }
    }
  }

  for (var r = 0u; r < ROWS; r++) { // unroll
    parts[lane * COLS + col] = acc[r];
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (lane < half) { parts[lane * COLS + col] += parts[(lane + half) * COLS + col]; }
    }
    let m = m0 + r;
    if (lane == 0u && m < p.m && n < p.n) {
      let s = parts[col];
      let row = product * p.m + m;
      if (TRANS_B) {
        store1(row, n, finish(s.x + s.y + s.z + s.w, m, n));
      } else {
        store4(row, n, vec4<f32>(finish(s.x, m, n), finish(s.y, m, n + 1u), finish(s.z, m, n + 2u), finish(s.w, m, n + 3u)));
      }
    }
    workgroupBarrier();
  }
}
