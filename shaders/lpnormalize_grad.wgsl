// The gradient of Lp normalization along one axis. With n the norm and y = x/n,
//
//   dx = (dy - s*slope) / n, s = sum of dy*y, slope = sign(x) * |y|^(p-1)
//
// slope is 0 where x is, and for p = +Inf it is sign(x) over the number of largest
// elements at these, else 0. Where the norm is below eps, dx = dy/eps, and where
// both are 0 it is 0.
//
// Layout:   x, dy and dx are [o, n, i]; a slice is [o, :, i]
// Tile:     THREADS invocations for a slice, WG/THREADS slices to a workgroup;
//           with THREADS = 1 there is no barrier. Sums are in blocks of 16
// Bindings: 0 params, 1 dy, 2 x, 3 dx
// Limits:   8*WG bytes of workgroup memory; on software adapters 4*n loops, see
//           softwareLoops in plan.go

struct Params {
  slices: u32, // o*i
  n: u32,
  i: u32,
  p: f32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

const WG = 64u;
const THREADS = 1u;
const SCALED = false; // terms are of x over the largest magnitude

// swap: power
fn term(v: f32, most: f32) -> f32 { return v * v; }
fn add(a: f32, b: f32) -> f32 { return a + b; }
fn root(sum: f32, most: f32) -> f32 { return sqrt(sum); }
fn slope(v: f32, norm: f32, count: f32) -> f32 { return v / norm; }
// end swap

var<workgroup> values: array<vec2<f32>, WG>;

// The larger of two magnitudes; a NaN is larger than everything.
fn larger(a: f32, b: f32) -> f32 { return bitcast<f32>(max(bitcast<u32>(a), bitcast<u32>(b))); }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let slice = (group.x + groups.x * (group.y + groups.y * group.z)) * (WG / THREADS) + local / THREADS;
  let t = local % THREADS;
  // No early return: every invocation takes part in the barriers.
  let s = min(slice, p.slices - 1u);
  let base = s / p.i * p.n * p.i + s % p.i;
  var most = 0.0;
  if (SCALED) {
    for (var l = t; l < p.n; l += THREADS) { most = larger(most, abs(x[base + l * p.i])); }
    if (THREADS > 1u) {
      values[local].x = most;
      for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (t < half) { values[local].x = larger(values[local].x, values[local + half].x); }
      }
      workgroupBarrier();
      most = values[local - t].x;
      workgroupBarrier();
    }
    most = select(most, 1.0, most == 0.0);
  }
  var sum = 0.0;
  for (var l = t; l < p.n;) {
    var block = 0.0;
    for (var q = 0u; q < 16u && l < p.n; q++) {
      block = add(block, term(x[base + l * p.i], most));
      l += THREADS;
    }
    sum = add(sum, block);
  }
  if (THREADS > 1u) {
    values[local].x = sum;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (t < half) { values[local].x = add(values[local].x, values[local + half].x); }
    }
    workgroupBarrier();
    sum = values[local - t].x;
    workgroupBarrier();
  }
  let norm = root(sum, most);
  // The sum of dy*x, and how many elements have the norm for their magnitude.
  var pair = vec2<f32>(0.0);
  for (var l = t; l < p.n;) {
    var block = vec2<f32>(0.0);
    for (var q = 0u; q < 16u && l < p.n; q++) {
      let v = x[base + l * p.i];
      block += vec2<f32>(dy[base + l * p.i] * (v / norm), select(0.0, 1.0, abs(v) == norm));
      l += THREADS;
    }
    pair += block;
  }
  if (THREADS > 1u) {
    values[local] = pair;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (t < half) { values[local] += values[local + half]; }
    }
    workgroupBarrier();
    pair = values[local - t];
  }
  if (slice < p.slices) {
    let small = norm < p.eps;
    for (var l = t; l < p.n; l += THREADS) {
      let at = base + l * p.i;
      let v = x[at];
      var d = dy[at];
      if (small) {
        d /= p.eps;
      } else if (norm == 0.0) {
        d = 0.0;
      } else {
        d = fma(-pair.x, select(slope(v, norm, pair.y), 0.0, v == 0.0), d) / norm;
      }
      dx[at] = d;
    }
  }
}
