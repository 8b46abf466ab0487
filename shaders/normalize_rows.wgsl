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
fn activate_lanes(v: T) -> T { return activate(v, p.act_a, p.act_b); }
// end swap
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read> scale: array<T>;
@group(0) @binding(3) var<storage, read> shift: array<T>;
@group(0) @binding(4) var<storage, read_write> y: array<T>;

const WG = 32u;
const ROWS = 2u;
const BLOCK = 16u;
const SCALE = true;
const SHIFT = true;

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

// swap: moments
fn recentre(pivot: f32, offset: f32) -> vec2<f32> {
  let hi = pivot + offset;
  return vec2<f32>(hi, offset - (hi - pivot));
}
fn inv_std(variance: f32, eps: f32, eps_on_std: u32) -> f32 { return inverseSqrt(variance + eps); }
// end swap

// (hi, inv_std, -lo * inv_std) of the row that begins at base.
fn row_moments(base: u32) -> vec3<f32> {
  let averaged = select(1.0, 0.0, p.rms == 1u);
  let pivot = averaged * first(x[base]);
  var count = 0.0;      // of each lane so far
  var mean = T(0.0);    // of each lane, less pivot
  var squares = T(0.0); // around it
  for (var l = 0u; l < p.n; l += BLOCK) {
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
      let d = masked(v[q] - m, q < n);
      block = fma(d, d, block);
    }
    let d = m - mean;
    let share = f32(n) / (count + f32(n));
    mean = fma(d, T(share), mean);
    squares += fma(d * d, T(count * share), block);
    count += f32(n);
  }
  let middle = total(mean) / f32(LANES);
  let apart = mean - T(middle);
  let m = recentre(pivot, middle);
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
