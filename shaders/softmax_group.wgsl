// Softmax and log softmax along one axis: one workgroup for a slice, or for a
// chunk of one; see softmax.wgsl for the mathematics.
//
// Layout:   x and y are [o, n, i]; a slice is [o, :, i]. T is what is loaded at
//           once: a vec4 of four elements of a slice where i is 1 and 4 divides
//           n, else a float; n counts T's. Where a slice has several chunks,
//           part[slice*parts + j] = (m, sum of the terms that are not 1, how many
//           are 1, 0) of chunk j
// Tile:     WG invocations for WG*PER T's, read once and kept in registers
// Bindings: 0 params, 1 x, 2 y, or part
// Limits:   8*WG bytes of workgroup memory

struct Params {
  chunks: u32, // slices * parts
  parts: u32,  // chunks of a slice
  n: u32,
  i: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
const LOG = false;
// swap: lanes
alias T = f32;
fn larger(a: T, b: T) -> T { return select(a, b, b > a); }
fn term_lanes(v: T, m: T) -> T { return term(v, m); }
fn equal_lanes(v: T, m: T) -> T { return select(0.0, 1.0, v == m); }
fn result_lanes(v: T, m: T, r: T) -> T { return result(v, m, r); }
fn first(v: T) -> f32 { return v; }
fn top(v: T) -> f32 { return v; }
fn total(v: T) -> f32 { return v; }
// end swap
@group(0) @binding(1) var<storage, read> x: array<T>;
// swap: out
@group(0) @binding(2) var<storage, read_write> y: array<T>;
fn write_part(i: u32, m: f32, sum: f32, count: f32) {}
fn write(at: u32, v: T) { y[at] = v; }
const SPLIT = false;
// end swap

const WG = 64u;
const PER = 1u;

// swap: softmax
fn term(v: f32, m: f32) -> f32 { return exp(v - m); }
fn divisor(rest: f32, m: f32) -> f32 { return select(1.0 + rest, log(1.0 + rest), LOG); }
fn result(v: f32, m: f32, divisor: f32) -> f32 {
  if (LOG) { return v - m - divisor; }
  return term(v, m) / divisor;
}
// end swap

var<workgroup> shared_pairs: array<vec2<f32>, WG>;

// The sum of v over the workgroup, in a tree of fixed shape.
fn workgroup_sum(v: vec2<f32>, local: u32) -> vec2<f32> {
  shared_pairs[local] = v;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { shared_pairs[local] += shared_pairs[local + half]; }
  }
  workgroupBarrier();
  return shared_pairs[0];
}

// The largest v of the workgroup, likewise.
fn workgroup_max(v: f32, local: u32) -> f32 {
  shared_pairs[local].x = v;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half && shared_pairs[local + half].x > shared_pairs[local].x) {
      shared_pairs[local].x = shared_pairs[local + half].x;
    }
  }
  workgroupBarrier();
  let most = shared_pairs[0].x;
  workgroupBarrier(); // before the next use overwrites it
  return most;
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
  var v: array<T, PER>;
  var most = T(first(x[base]));
  for (var q = 0u; q < PER; q++) {
    let l = q * WG + local;
    v[q] = most;
    if (l < n) { v[q] = x[base + l * p.i]; }
    most = larger(most, v[q]);
  }
  let m = workgroup_max(top(most), local);
  var sum = T(0.0);
  var count = T(0.0);
  for (var q = 0u; q < PER; q++) {
    if (q * WG + local < n) {
      let one = equal_lanes(v[q], T(m));
      let e = term_lanes(v[q], T(m));
      sum += e * (T(1.0) - one);
      count += one;
    }
  }
  let all = workgroup_sum(vec2<f32>(total(sum), total(count)), local);
  if (SPLIT) {
    if (local == 0u) { write_part(c, m, all.x, all.y); }
    return;
  }
  let r = divisor(all.x + (all.y - 1.0), m);
  for (var q = 0u; q < PER; q++) {
    let l = q * WG + local;
    if (l < n) { write(base + l * p.i, result_lanes(v[q], T(m), T(r))); }
  }
}
