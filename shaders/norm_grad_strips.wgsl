// The gradient of a normalization of contiguous rows with a scale for each
// element of a row, from the coefficients of the rows; and, of the same pass, the
// sums of which the gradients of scale and shift are made.
//
//   dx = k * (dy*scale - z - (x - hi)*c),  (hi, k, z, c) = coef of the row
//   part[l*parts + j] = (sum of dy, sum of dy*xhat, 0, 0) over the rows of chunk j,
//   xhat = (x - hi - low)*k
//
// Layout:   x, dy and dx are [rows, n], scale [n]. T is what is loaded at once: a
//           vec4 where 4 divides n, else a float; n counts T's
// Tile:     one invocation for COLS T's, WG*COLS*t apart or side by side, of
//           `size` rows; neighbours have neighbouring columns
// Bindings: 0 params, 1 dy, 2 x, 3 coef, 4 low, 5 scale, 6 dx, 7 part
// Limits:   none

struct Params {
  total: u32, // invocations: parts * strips
  strips: u32, // of a row: n / COLS
  parts: u32, // chunks of rows
  size: u32,  // rows of a chunk; the last one may be smaller
  rows: u32,
  n: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
const LANES = 1u;
fn lane(v: T, k: u32) -> f32 { return v; }
// end swap
@group(0) @binding(1) var<storage, read> dy: array<T>;
@group(0) @binding(2) var<storage, read> x: array<T>;
@group(0) @binding(3) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> low: array<f32>;
@group(0) @binding(5) var<storage, read> scale: array<T>;
@group(0) @binding(6) var<storage, read_write> dx: array<T>;
@group(0) @binding(7) var<storage, read_write> part: array<vec4<f32>>;

const WG = 64u;
const COLS = 1u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  let j = i / p.strips;
  let first = i % p.strips * COLS;
  var w: array<T, COLS>;
  var sum: array<T, COLS>;
  var product: array<T, COLS>;
  for (var q = 0u; q < COLS; q++) { // unroll
    w[q] = scale[first + q];
    sum[q] = T(0.0);
    product[q] = T(0.0);
  }
  let end = min(j * p.size + p.size, p.rows);
  for (var row = j * p.size; row < end;) {
    let stop = min(row + 16u, end);
    var block: array<T, COLS>;
    var block_product: array<T, COLS>;
    for (var q = 0u; q < COLS; q++) { // unroll
      block[q] = T(0.0);
      block_product[q] = T(0.0);
    }
    for (; row < stop; row++) {
      let c = coef[row];
      let rest = -low[row] * c.y;
      let at = row * p.n + first;
      for (var q = 0u; q < COLS; q++) { // unroll
        let d = dy[at + q];
        let v = x[at + q] - T(c.x);
        dx[at + q] = fma(v, T(-c.w), fma(d, w[q], T(-c.z))) * c.y;
        block[q] += d;
        block_product[q] = fma(d, fma(v, T(c.y), T(rest)), block_product[q]);
      }
    }
    for (var q = 0u; q < COLS; q++) { // unroll
      sum[q] += block[q];
      product[q] += block_product[q];
    }
  }
  for (var q = 0u; q < COLS; q++) { // unroll
    for (var k = 0u; k < LANES; k++) { // unroll
      part[((first + q) * LANES + k) * p.parts + j] = vec4<f32>(lane(sum[q], k), lane(product[q], k), 0.0, 0.0);
    }
  }
}
