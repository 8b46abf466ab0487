// The coefficients of the gradient of a normalization of contiguous rows, with a
// scale for each element of a row, for GPUs; norm_grad_strips.wgsl has the rest.
//
//   coef[r] = (hi, k, mean(d), mean(d*xhat)),  low[r] = lo,  d = dy*scale,
//   k = 1/sqrt(variance + eps),  xhat = (x - m)*k,  m = hi + lo the mean
//
// Layout:   x and dy are [rows, n], scale [n]. T is what is loaded at once: a vec4
//           where 4 divides n, else a float; n counts T's
// Tile:     a workgroup for a row, WG invocations with PER T's each of x and of
//           dy*scale, read once and kept in registers
// Bindings: 0 params, 1 dy, 2 x, 3 scale, 4 coef, 5 low
// Limits:   16*WG bytes of workgroup memory

struct Params {
  rows: u32,
  n: u32,
  rms: u32, // 1: the mean is taken as 0
  inv_count: f32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
const LANES = 1u;
fn first(v: T) -> f32 { return v; }
fn total(v: T) -> f32 { return v; }
// end swap
@group(0) @binding(1) var<storage, read> dy: array<T>;
@group(0) @binding(2) var<storage, read> x: array<T>;
@group(0) @binding(3) var<storage, read> scale: array<T>;
@group(0) @binding(4) var<storage, read_write> coef: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> low: array<f32>;

const WG = 128u;
const PER = 4u;

// swap: moments
fn inv_sqrt(v: f32) -> f32 { return inverseSqrt(v); }
fn k_pin(x: f32) -> f32 { return x; }
// end swap

var<workgroup> sums: array<vec4<f32>, WG>;

// The sum of v over the workgroup, in a tree of fixed shape.
fn workgroup_sum(v: vec4<f32>, local: u32) -> vec4<f32> {
  sums[local] = v;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { sums[local] += sums[local + half]; }
  }
  workgroupBarrier();
  let all = sums[0];
  workgroupBarrier(); // before the next sum overwrites it
  return all;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let row = group.x + groups.x * (group.y + groups.y * group.z);
  if (row >= p.rows) { return; }
  let base = row * p.n;
  let pivot = select(first(x[base]), 0.0, p.rms == 1u);
  var v: array<T, PER>;
  var d: array<T, PER>;
  var sum = T(0.0);
  for (var q = 0u; q < PER; q++) { // unroll
    let l = q * WG + local;
    v[q] = T(pivot);
    d[q] = T(0.0);
    if (l < p.n) {
      v[q] = x[base + l];
      d[q] = dy[base + l] * scale[l];
    }
    sum += v[q] - T(pivot);
  }
  var hi = 0.0;
  if (p.rms == 0u) { hi = k_pin(pivot + workgroup_sum(vec4<f32>(total(sum), 0.0, 0.0, 0.0), local).x * p.inv_count); }
  var off = T(0.0);
  var squares = T(0.0);
  var weight = T(0.0);
  var product = T(0.0);
  for (var q = 0u; q < PER; q++) { // unroll
    if (q * WG + local < p.n) {
      let z = v[q] - T(hi);
      off += z;
      squares = fma(z, z, squares);
      weight += d[q];
      product = fma(d[q], z, product);
    }
  }
  let all = workgroup_sum(vec4<f32>(total(off), total(squares), total(weight), total(product)), local);
  if (local == 0u) {
    let lo = select(all.x * p.inv_count, 0.0, p.rms == 1u);
    let k = inv_sqrt((all.y - all.x * lo) * p.inv_count + p.eps);
    let c = k * (fma(-lo, all.z, all.w) * p.inv_count);
    coef[row] = vec4<f32>(hi, k, select(all.z * p.inv_count, 0.0, p.rms == 1u), c);
    low[row] = lo;
  }
}
