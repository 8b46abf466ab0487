// Matrix product, batched: a tile in registers, without workgroup memory.
//
//   y[i,m,n] = act(alpha * (sum over k of a[i,m,k] * b[i,k,n]) + beta * c[m,n])
//
// An invocation keeps ROWS x COLS sums in registers and reads both operands
// straight from storage, STEP of k at a time: 1, or 4 where the rows of an
// operand that runs along k are whole vec4s. It is meant for software adapters,
// which keep workgroup memory in main memory and run an invocation for each
// lane of a SIMD register: there every vector of a is read once for all lanes
// where LANES_N > 1, and every one of b where LANES_M > 1.
//
// Layout:   a is [M, K] or, under TRANS_A, [K, M]; b is [K, N] or, under TRANS_B,
//           [N, K]; c is at m*cm + n*cn; y is [i, M, N]
// Tile:     ROWS x COLS outputs for an invocation, LANES_M x LANES_N invocations
//           for a workgroup
// Bindings: 0 params, 1 a, 2 b, 3 c (a dummy where p.bias is 0), 4 y
// Limits:   every tensor below 2^31 elements. Rows and columns past the end are
//           computed from the last one and not stored
//
// Under a split the sum over k is cut into chunks, a workgroup for each; y is then
// a workspace [split, i, M, N] of plain sums, which gemm_sum.wgsl adds in order.

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
  tiles_m: u32, tiles_n: u32,   // counted in workgroups
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

const ROWS = 8u;
const ROWS4 = 2u; // vectors of rows, rounded up
const COLS4 = 4u; // vectors of columns
const COLS = 16u;
const SUMS = 32u; // ROWS * COLS4
const STEP = 1u;
const LANES_M = 1u;
const LANES_N = 8u;
const WG = 8u;

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
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
  var m0 = linear % tiles / p.tiles_n * (ROWS * LANES_M);
  if (LANES_M > 1u) { m0 += local / LANES_N * ROWS; }
  var n0 = linear % tiles % p.tiles_n * (COLS * LANES_N);
  if (LANES_N > 1u) { n0 += local % LANES_N * COLS; }
  if (m0 >= p.m || n0 >= p.n) { return; }
  var k0 = product / p.batches * p.chunk;
  let k_end = min(k0 + p.chunk, p.k);
  // Where each row of a and column (or vector of columns) of b begins.
  var row: array<u32, ROWS>;
  for (var r = 0u; r < ROWS; r++) { // unroll
    row[r] = start.x + min(m0 + r, p.m - 1u) * p.am;
  }
  var col: array<u32, COLS>;
  for (var j = 0u; j < COLS; j++) { // unroll
    col[j] = start.y + min(n0 + j, p.n - 1u) * p.bn;
  }

  var acc: array<vec4<f32>, SUMS>; // [ROWS][COLS4]
  for (var k = k0; k < k_end; k += STEP) {
    // swap: step
    var vb: array<vec4<f32>, COLS4>;
    for (var v = 0u; v < COLS4; v++) { // unroll
      vb[v] = vec4<f32>(b[col[v * 4u] + k * p.bk], b[col[v * 4u + 1u] + k * p.bk],
                        b[col[v * 4u + 2u] + k * p.bk], b[col[v * 4u + 3u] + k * p.bk]);
    }
    for (var r = 0u; r < ROWS; r++) { // unroll
      let va = vec4<f32>(a[row[r] + k * p.ak]);
      for (var v = 0u; v < COLS4; v++) { // unroll
        acc[r * COLS4 + v] = fma(va, vb[v], acc[r * COLS4 + v]);
      }
    }
    // end swap
  }

  for (var r = 0u; r < ROWS; r++) { // unroll
    let m = m0 + r;
    if (m < p.m) {
      for (var v = 0u; v < COLS4; v++) { // unroll
        let n = n0 + v * 4u;
        let s = acc[r * COLS4 + v];
        let at = (product * p.m + m) * p.n + n;
        // swap: store
        if (n < p.n) { y[at] = finish(s.x, m, n); }
        if (n + 1u < p.n) { y[at + 1u] = finish(s.y, m, n + 1u); }
        if (n + 2u < p.n) { y[at + 2u] = finish(s.z, m, n + 2u); }
        if (n + 3u < p.n) { y[at + 3u] = finish(s.w, m, n + 3u); }
        // end swap
      }
    }
  }
}
