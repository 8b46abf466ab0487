// The gradient of a normalization of contiguous rows with a scale for each
// element of a row, from the coefficients of the rows; and, of the same pass, the
// sums of which the gradients of scale and shift are made.
//
//   dx = k * (dy*scale - z - xhat*c),  (hi, k, z, c) = coef of the row
//   part[0, j] = sum of dy, part[1, j] = sum of dy*xhat over the rows of chunk j,
//   xhat = (x - hi - low)*k
//
// Layout:   x, dy and dx are [rows, n], scale [n], part [2, parts, n]. T is what is
//           loaded at once: a vec4 where 4 divides n, else a float; n counts T's
// Tile:     one invocation for a T of `size` rows; neighbours have neighbouring
//           columns
// Bindings: 0 params, 1 dy, 2 x, 3 coef, 4 low, 5 scale, 6 dx, 7 part
// Limits:   none

struct Params {
  total: u32, // parts * n
  parts: u32, // chunks of rows
  size: u32,  // rows of a chunk; the last one may be smaller
  rows: u32,
  n: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
// end swap
@group(0) @binding(1) var<storage, read> dy: array<T>;
@group(0) @binding(2) var<storage, read> x: array<T>;
@group(0) @binding(3) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> low: array<f32>;
@group(0) @binding(5) var<storage, read> scale: array<T>;
@group(0) @binding(6) var<storage, read_write> dx: array<T>;
@group(0) @binding(7) var<storage, read_write> part: array<T>;

const WG = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  let j = i / p.n;
  let l = i % p.n;
  let w = scale[l];
  var sum = T(0.0);
  var product = T(0.0);
  let end = min(j * p.size + p.size, p.rows);
  for (var row = j * p.size; row < end;) {
    let stop = min(row + 8u, end);
    var block = T(0.0);
    var block_product = T(0.0);
    for (; row < stop; row++) {
      let c = coef[row];
      let d = dy[row * p.n + l];
      let v = fma(x[row * p.n + l] - T(c.x), T(c.y), T(-low[row] * c.y)); // xhat
      dx[row * p.n + l] = fma(v, T(-c.w), fma(d, w, T(-c.z))) * c.y;
      block += d;
      block_product = fma(d, v, block_product);
    }
    sum += block;
    product += block_product;
  }
  part[i] = sum;
  part[p.parts * p.n + i] = product;
}
