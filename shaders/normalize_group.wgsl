// Normalizes contiguous rows in one dispatch, for GPUs.
//
//   y = act((x - mean) * inv_std * scale[a] + shift[a])
//
// Layout:   x and y are [rows, n]. Element l of a row takes the affine element
//           a = l where ELEMENTS is set, and otherwise
//           a = row / row_div % row_mod * row_step + l / run. T is what is loaded
//           at once: a vec4 where 4 divides n and run, else a float; n and run
//           count T's
// Tile:     a workgroup for a row, WG invocations with PER T's each, read once
//           and kept in registers
// Bindings: 0 params, 1 x, 2 scale, 3 shift (dummies where there are none), 4 y,
//           5 mean, 6 inv_std (where STATS)
// Limits:   16*WG bytes of workgroup memory

struct Params {
  rows: u32,
  n: u32,
  rms: u32, // 1: the mean is taken as 0
  inv_count: f32,
  eps: f32,
  eps_on_std: u32,
  scale: u32, // 1: there is a scale
  shift: u32, // 1: there is a shift
  row_div: u32, row_mod: u32, row_step: u32,
  run: u32,
  act_a: f32, act_b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
const LANES = 1u;
fn first(v: T) -> f32 { return v; }
fn total(v: T) -> f32 { return v; }
fn lane(v: T, k: u32) -> f32 { return v; }
fn pin(v: T) -> T { return bitcast<f32>(min(bitcast<u32>(v), 0xffc00000u)); }
fn activate_lanes(v: T) -> T { return activate(v, p.act_a, p.act_b); }
// end swap
@group(0) @binding(1) var<storage, read> x: array<T>;
// swap: affine
alias A = f32;
const ELEMENTS = false;
// end swap
@group(0) @binding(2) var<storage, read> scale: array<A>;
@group(0) @binding(3) var<storage, read> shift: array<A>;
@group(0) @binding(4) var<storage, read_write> y: array<T>;
// swap: stats
fn write_stats(row: u32, mean: f32, inv: f32) {}
// end swap

const WG = 128u;
const PER = 4u;

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

// swap: moments
fn inv_std(variance: f32, eps: f32, eps_on_std: u32) -> f32 { return inverseSqrt(variance + eps); }
fn k_pin(x: f32) -> f32 { return x; }
// end swap

struct Pair { s: T, e: T }

// a + b, and what its rounding leaves of it (Knuth).
fn two_sum(a: T, b: T) -> Pair {
  let s = pin(a + b);
  let t = pin(s - a);
  return Pair(s, (a - pin(s - t)) + (b - t));
}

// A sum as two floats, and a sum of squares.
fn join(a: vec3<f32>, b: vec3<f32>) -> vec3<f32> {
  let s = k_pin(a.x + b.x);
  let t = k_pin(s - a.x);
  return vec3<f32>(s, (a.x - k_pin(s - t)) + (b.x - t) + a.y + b.y, a.z + b.z);
}

var<workgroup> sums: array<vec3<f32>, WG>;

// The join of v over the workgroup, in a tree of fixed shape.
fn workgroup_join(v: vec3<f32>, local: u32) -> vec3<f32> {
  sums[local] = v;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { sums[local] = join(sums[local], sums[local + half]); }
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
  var sum = T(0.0);
  for (var q = 0u; q < PER; q++) { // unroll
    let l = q * WG + local;
    v[q] = T(pivot);
    if (l < p.n) { v[q] = x[base + l]; }
    sum += v[q] - T(pivot);
  }
  var hi = 0.0;
  if (p.rms == 0u) { hi = pivot + workgroup_join(vec3<f32>(total(sum), 0.0, 0.0), local).x * p.inv_count; }
  sum = T(0.0);
  var rest = T(0.0);
  var squares = T(0.0);
  for (var q = 0u; q < PER; q++) { // unroll
    if (q * WG + local < p.n) {
      let d = two_sum(v[q], T(-hi));
      let next = two_sum(sum, d.s);
      v[q] = d.s;
      sum = next.s;
      rest += next.e + d.e;
      squares = fma(d.s, d.s, squares);
    }
  }
  var own = vec3<f32>(0.0);
  for (var k = 0u; k < LANES; k++) { // unroll
    own = join(own, vec3<f32>(lane(sum, k), lane(rest, k), lane(squares, k)));
  }
  let all = workgroup_join(own, local);
  let lo = select((all.x + all.y) * p.inv_count, 0.0, p.rms == 1u);
  let inv = inv_std((all.z - all.x * lo) * p.inv_count, p.eps, p.eps_on_std);
  let offset = -lo * inv;
  if (local == 0u) { write_stats(row, hi + lo, inv); }
  let a0 = row / p.row_div % p.row_mod * p.row_step;
  for (var q = 0u; q < PER; q++) { // unroll
    let l = q * WG + local;
    if (l < p.n) {
      var a = l;
      if (!ELEMENTS) { a = a0 + l / p.run; }
      var g = A(1.0);
      var b = A(0.0);
      if (p.scale == 1u) { g = scale[a]; }
      if (p.shift == 1u) { b = shift[a]; }
      y[base + l] = activate_lanes(fma(fma(v[q], T(inv), T(offset)), T(g), T(b)));
    }
  }
}
