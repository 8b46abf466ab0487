// Normalizes contiguous rows in one dispatch, for software adapters.
//
//   y = act((x - mean) * inv_std * scale[l] + shift[l]),  l the position in the row
//
// Layout:   x and y are [rows, n], scale and shift [n]. T is what is loaded at
//           once: a vec4 where 4 divides n, else a float; n counts T's
// Tile:     one invocation for ROWS rows, so that a scale and a shift that are
//           loaded serve all of them; the first pass has blocks of BLOCK T's in
//           registers, as moments_split.wgsl has
// Bindings: 0 params, 1 x, 2 scale, 3 shift (dummies where there are none), 4 y
// Limits:   n*(1 + 1/BLOCK) loops, see softwareLoops in plan.go

struct Params {
  rows: u32,
  n: u32,
  rms: u32, // 1: the mean is taken as 0
  inv_count: f32,
  eps: f32,
  eps_on_std: u32,
  act_a: f32, act_b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
const LANES = 1u;
fn first(v: T) -> f32 { return v; }
fn total(v: T) -> f32 { return v; }
fn masked(v: T, keep: bool) -> T { return select(0.0, v, keep); }
fn lane(v: T, k: u32) -> f32 { return v; }
fn pin(v: T) -> T { return bitcast<f32>(min(bitcast<u32>(v), 0xffc00000u)); }
fn activate_lanes(v: T) -> T { return activate(v, p.act_a, p.act_b); }
// end swap
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read> scale: array<T>;
@group(0) @binding(3) var<storage, read> shift: array<T>;
@group(0) @binding(4) var<storage, read_write> y: array<T>;

const WG = 32u;
const ROWS = 2u;
const BLOCK = 16u;
const BLOCK4 = 4u; // BLOCK / 4
const SCALE = true;
const SHIFT = true;
const SHORT = false; // rows are so short that the mean's roundings show

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

// swap: moments
fn recentre(pivot: f32, offset: f32) -> vec2<f32> {
  let hi = pivot + offset;
  return vec2<f32>(hi, offset - (hi - pivot));
}
fn inv_std(variance: f32, eps: f32, eps_on_std: u32) -> f32 { return inverseSqrt(variance + eps); }
fn middle(a: f32, b: f32, c: f32) -> f32 { return max(min(a, b), min(max(a, b), c)); }
fn k_pin(x: f32) -> f32 { return x; }
// end swap

struct Pair { s: T, e: T }

// a + b, and what its rounding leaves of it (Knuth).
fn two_sum(a: T, b: T) -> Pair {
  let s = pin(a + b);
  let t = pin(s - a);
  return Pair(s, (a - pin(s - t)) + (b - t));
}

// The mean less hi of the row that begins at base.
fn remainder(base: u32, hi: f32) -> f32 {
  var sum = T(0.0);
  var rest = T(0.0);
  for (var l = 0u; l < p.n; l++) {
    let d = two_sum(x[base + l], T(-hi));
    let next = two_sum(sum, d.s);
    sum = next.s;
    rest += next.e + d.e;
  }
  var all = 0.0;
  var left = total(rest);
  for (var k = 0u; k < LANES; k++) { // unroll
    let b = lane(sum, k);
    let s = k_pin(all + b);
    let t = k_pin(s - all);
    left += (all - k_pin(s - t)) + (b - t);
    all = s;
  }
  return (all + left) * p.inv_count;
}

// (hi, inv_std, -lo * inv_std) of the row that begins at base.
fn row_moments(base: u32) -> vec3<f32> {
  let averaged = select(1.0, 0.0, p.rms == 1u);
  // Deviations are taken from near the mean: from the mean of the middle block.
  let near = middle(first(x[base + p.n / 4u]), first(x[base + p.n / 2u]), first(x[base + 3u * p.n / 4u]));
  let from_middle = (p.n - min(BLOCK, p.n)) / 2u;
  let some = min(BLOCK, p.n);
  var offset = T(0.0);
  for (var q = 0u; q < BLOCK; q++) { // unroll
    offset += masked(x[base + from_middle + min(q, some - 1u)] - T(near), q < some);
  }
  let pivot = select(k_pin(near + total(offset) / f32(some * LANES)), 0.0, p.rms == 1u);
  var count = 0.0;      // of each lane so far
  var mean = T(0.0);    // of each lane, less pivot
  var squares = T(0.0); // around it
  for (var l = 0u; l < p.n;) {
    // 16 blocks make a block of their own, so that no sum is long.
    var near_count = 0.0;
    var near_mean = T(0.0);
    var near_squares = T(0.0);
    for (var b = 0u; b < 16u && l < p.n; b++) {
      let n = min(BLOCK, p.n - l);
      var v: array<T, BLOCK>;
      var sum = T(0.0);
      for (var q = 0u; q < BLOCK; q++) { // unroll
        v[q] = masked(x[base + l + min(q, n - 1u)] - T(pivot), q < n);
        sum += v[q];
      }
      let m = sum * (averaged / f32(n));
      var block = T(0.0);
      for (var q = 0u; q < BLOCK; q++) { // unroll
        v[q] = masked(v[q] - m, q < n);
      }
      for (var q = 0u; q < BLOCK4; q++) { // unroll
        let a = fma(v[4u * q], v[4u * q], v[4u * q + 1u] * v[4u * q + 1u]);
        block += a + fma(v[4u * q + 2u], v[4u * q + 2u], v[4u * q + 3u] * v[4u * q + 3u]);
      }
      let d = m - near_mean;
      let share = f32(n) / (near_count + f32(n));
      near_mean = fma(d, T(share), near_mean);
      near_squares += fma(d * d, T(near_count * share), block);
      near_count += f32(n);
      l += BLOCK;
    }
    let d = near_mean - mean;
    let share = near_count / (count + near_count);
    mean = fma(d, T(share), mean);
    squares += fma(d * d, T(count * share), near_squares);
    count += near_count;
  }
  let middle = total(mean) / f32(LANES);
  let apart = mean - T(middle);
  var m = recentre(pivot, middle);
  if (SHORT && p.rms == 0u) { m.y = remainder(base, m.x); }
  let inv = inv_std(total(fma(apart * apart, T(count), squares)) * p.inv_count, p.eps, p.eps_on_std);
  return vec3<f32>(m.x, inv, -m.y * inv);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i * ROWS >= p.rows) { return; }
  var base: array<u32, ROWS>;
  var c: array<vec3<f32>, ROWS>;
  for (var r = 0u; r < ROWS; r++) { // unroll
    // Past the last row, the last one again: the same values to the same place.
    base[r] = min(i * ROWS + r, p.rows - 1u) * p.n;
    c[r] = row_moments(base[r]);
  }
  for (var l = 0u; l < p.n; l++) {
    var g = T(1.0);
    var b = T(0.0);
    if (SCALE) { g = scale[l]; }
    if (SHIFT) { b = shift[l]; }
    for (var r = 0u; r < ROWS; r++) { // unroll
      let v = fma(x[base[r] + l] - T(c[r].x), T(c[r].y), T(c[r].z));
      y[base[r] + l] = activate_lanes(fma(v, g, b));
    }
  }
}
