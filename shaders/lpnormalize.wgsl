// Lp normalization along one axis: y = x / max((sum of |x|^p)^(1/p), eps).
//
// Layout:   x and y are [o, n, i]; a slice is [o, :, i]
// Tile:     THREADS invocations for a slice, WG/THREADS slices to a workgroup;
//           with THREADS = 1 there is no barrier. Sums are in blocks of 16
// Bindings: 0 params, 1 x, 2 y
// Limits:   4*WG bytes of workgroup memory

struct Params {
  slices: u32, // o*i
  n: u32,
  i: u32,
  p: f32,
  eps: f32,
  act_a: f32, act_b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const WG = 64u;
const THREADS = 1u;
const SCALED = false; // terms are of x over the largest magnitude

// swap: power
fn term(v: f32, most: f32) -> f32 { return v * v; }
fn add(a: f32, b: f32) -> f32 { return a + b; }
fn root(sum: f32, most: f32) -> f32 { return sqrt(sum); }
// end swap

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

var<workgroup> values: array<f32, WG>;

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
      values[local] = most;
      for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (t < half) { values[local] = larger(values[local], values[local + half]); }
      }
      workgroupBarrier();
      most = values[local - t];
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
    values[local] = sum;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (t < half) { values[local] = add(values[local], values[local + half]); }
    }
    workgroupBarrier();
    sum = values[local - t];
  }
  var norm = root(sum, most);
  norm = select(norm, p.eps, norm < p.eps);
  norm = select(norm, 1.0, norm == 0.0);
  if (slice < p.slices) {
    for (var l = t; l < p.n; l += THREADS) {
      let at = base + l * p.i;
      y[at] = activate(x[at] / norm, p.act_a, p.act_b);
    }
  }
}
