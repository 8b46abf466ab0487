// The gradient of softmax and log softmax along one axis: one workgroup for a
// slice, or for a chunk of one; see softmax_grad.wgsl for the mathematics.
//
// Layout:   y, dy and dx are [o, n, i]; a slice is [o, :, i]. T is what is loaded
//           at once: a vec4 of four elements of a slice where i is 1 and 4 divides
//           n, else a float; n counts T's. Where a slice has several chunks,
//           part[slice*parts + j] is the sum of chunk j
// Tile:     WG invocations for WG*PER T's, read once and kept in registers
// Bindings: 0 params, 1 dy, 2 y, 3 dx, or part
// Limits:   4*WG bytes of workgroup memory

struct Params {
  chunks: u32, // slices * parts
  parts: u32,  // chunks of a slice
  n: u32,
  i: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
fn exp_lanes(v: T) -> T { return k_exp(v); }
fn total(v: T) -> f32 { return v; }
// end swap
@group(0) @binding(1) var<storage, read> dy: array<T>;
@group(0) @binding(2) var<storage, read> y: array<T>;
// swap: out
@group(0) @binding(3) var<storage, read_write> dx: array<T>;
fn write_part(i: u32, sum: f32) {}
fn write(at: u32, v: T) { dx[at] = v; }
const SPLIT = false;
// end swap

const WG = 64u;
const PER = 1u;
const LOG = false;

// swap: exp
fn k_exp(v: f32) -> f32 { return exp(v); }
// end swap

var<workgroup> sums: array<f32, WG>;

// The sum of v over the workgroup, in a tree of fixed shape.
fn workgroup_sum(v: f32, local: u32) -> f32 {
  sums[local] = v;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { sums[local] += sums[local + half]; }
  }
  workgroupBarrier();
  return sums[0];
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let c = group.x + groups.x * (group.y + groups.y * group.z);
  if (c >= p.chunks) { return; }
  let slice = c / p.parts;
  let start = c % p.parts * (WG * PER);
  let n = min(WG * PER, p.n - start);
  let base = (slice / p.i * p.n + start) * p.i + slice % p.i;
  var g: array<T, PER>;
  var v: array<T, PER>;
  var sum = T(0.0);
  for (var q = 0u; q < PER; q++) { // unroll
    let l = q * WG + local;
    g[q] = T(0.0);
    v[q] = T(0.0);
    if (l < n) {
      g[q] = dy[base + l * p.i];
      if (!LOG || !SPLIT) { v[q] = y[base + l * p.i]; }
    }
    if (LOG) {
      sum += g[q];
    } else {
      sum = fma(g[q], v[q], sum);
    }
  }
  let s = workgroup_sum(total(sum), local);
  if (SPLIT) {
    if (local == 0u) { write_part(c, s); }
    return;
  }
  for (var q = 0u; q < PER; q++) { // unroll
    let l = q * WG + local;
    if (l < n) {
      if (LOG) {
        write(base + l * p.i, fma(-exp_lanes(v[q]), T(s), g[q]));
      } else {
        write(base + l * p.i, v[q] * (g[q] - T(s)));
      }
    }
  }
}
