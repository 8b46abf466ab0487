// Max, average and Lp pooling of whole planes (global pooling): a workgroup
// reduces one plane, or one segment of it.
//
//   max:  y[plane] = the largest element; NaN if one is NaN
//   avg:  y[plane] = sum of the elements * scale
//   lp:   y[plane] = (sum of |x|^p)^(1/p)
//
// Each invocation reduces every WG-th vec4, a sum in runs of RUN vec4s that are
// then added up; the invocations meet in a tree in workgroup memory. An element
// so passes through RUN + n/(4*WG*RUN) + log2(4*WG) additions at most, fewer
// than along the rows of a plane. The order depends on n alone.
//
// Few large planes are cut into segments, whose results a second dispatch
// reduces as a plane of their own; that is for maxima and averages only.
//
// NaN is found by its bits. The index of a maximum is that of the first of equal
// ones, or of the last NaN, whatever the order of the comparisons.
//
// Layout:   x [planes, n], y and indices [planes, segments]
// Tile:     a workgroup of WG invocations for one segment of a plane
// Bindings: 0 params, 1 x, 2 y, 3 indices (only where they are asked for)
// Limits:   every tensor below 2^31 elements; the vec4 form needs n % 4 == 0;
//           segments start at whole vec4s; WG*8 bytes of workgroup memory

struct Params {
  groups: u32,   // planes*segments
  segments: u32, // of each plane
  n: u32,        // elements of a plane
  length: u32,   // elements of a segment but the last, a multiple of 4
  scale: f32,    // avg: one over the count
  norm: f32,     // lp: p
  lowest: f32,   // -Inf, which WGSL has no constant for
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const WG = 64u;
const RUN = 32u;
const KIND = 0u; // 0 max, 1 avg, 2 lp
const INDICES = false;

// swap: input
@group(0) @binding(1) var<storage, read> x: array<f32>;
// The four elements from i on of a plane that starts at base and ends at end.
fn load(base: u32, i: u32, end: u32, outside: f32) -> vec4<f32> {
  var v = vec4<f32>(outside);
  v.x = x[base + i];
  if (i + 1u < end) { v.y = x[base + i + 1u]; }
  if (i + 2u < end) { v.z = x[base + i + 2u]; }
  if (i + 3u < end) { v.w = x[base + i + 3u]; }
  return v;
}
// end swap

// swap: indices
@group(0) @binding(3) var<storage, read_write> indices: array<i32>;
fn store_index(o: u32, at: u32) { indices[o] = i32(at); }
// end swap

// swap: math
fn k_is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }
fn k_sqrt(v: f32) -> f32 { return sqrt(v); }
fn k_log2(v: f32) -> f32 { return log2(v); }
fn k_exp2(v: f32) -> f32 { return exp2(v); }
// end swap

const INF = 0x7f800000u;

var<workgroup> values: array<f32, WG>;
var<workgroup> places: array<u32, WG>; // of maxima: the index, or the largest bit pattern

fn magnitude_bits(v: vec4<f32>) -> vec4<u32> { return bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu); }

// Whether value b at place j takes the place of a at i.
fn better(b: f32, j: u32, a: f32, i: u32) -> bool {
  if (k_is_nan(b)) { return !k_is_nan(a) || j > i; }
  return !k_is_nan(a) && (b > a || (b == a && j < i));
}

// The sum of one value per invocation, in every invocation.
fn sum_all(v: f32, local: u32) -> f32 {
  values[local] = v;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (local < half) { values[local] += values[local + half]; }
    workgroupBarrier();
  }
  let all = workgroupUniformLoad(&values[0]);
  return all;
}

// The sum over the segment of f(x*scale): f is the element itself for power 0,
// its magnitude for 1, its square for 2, (|x|/largest)^p for 3.
fn sum_of(base: u32, begin: u32, end: u32, power: u32, scale: f32, largest: f32, local: u32) -> f32 {
  var total = vec4<f32>(0.0);
  var run = vec4<f32>(0.0);
  var k = 0u;
  for (var i = begin + local * 4u; i < end; i += WG * 4u) {
    let v = load(base, i, end, 0.0) * scale;
    if (power == 0u) { run += v; }
    else if (power == 1u) { run += abs(v); }
    else if (power == 2u) { run = fma(v, v, run); }
    else { run += vec4<f32>(power_of(v.x, largest), power_of(v.y, largest), power_of(v.z, largest), power_of(v.w, largest)); }
    k++;
    if (k == RUN) {
      total += run;
      run = vec4<f32>(0.0);
      k = 0u;
    }
  }
  total += run;
  return sum_all((total.x + total.y) + (total.z + total.w), local);
}

// (|v|/largest)^p; largest is the largest magnitude.
fn power_of(v: f32, largest: f32) -> f32 {
  if (k_is_nan(v)) { return v; }
  if (abs(v) >= largest) { return select(1.0, 0.0, v == 0.0); }
  let ratio = abs(v) / largest;
  if (ratio > 0.0) { return k_exp2(p.norm * k_log2(ratio)); }
  return 0.0;
}

fn norm(base: u32, begin: u32, end: u32, local: u32) -> f32 {
  if (p.norm == 1.0) { return sum_of(base, begin, end, 1u, 1.0, 1.0, local); }
  if (p.norm == 2.0) {
    var sum = sum_of(base, begin, end, 2u, 1.0, 1.0, local);
    var back = 1.0;
    // Squares leave the range long before their root does: then once more with
    // the elements scaled by a power of two.
    if (sum > 1e36) { back = 0x1p80; sum = sum_of(base, begin, end, 2u, 0x1p-80, 1.0, local); }
    else if (sum < 1e-27) { back = 0x1p-80; sum = sum_of(base, begin, end, 2u, 0x1p80, 1.0, local); }
    return k_sqrt(sum) * back;
  }
  var most = 0.0;
  for (var i = begin + local * 4u; i < end; i += WG * 4u) {
    let v = abs(load(base, i, end, 0.0));
    let b = bitcast<vec4<u32>>(v) > vec4<u32>(INF);
    let m = select(v, vec4<f32>(0.0), b); // the sum takes care of NaN
    most = max(most, max(max(m.x, m.y), max(m.z, m.w)));
  }
  values[local] = most;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (local < half) { values[local] = max(values[local], values[local + half]); }
    workgroupBarrier();
  }
  var largest = workgroupUniformLoad(&values[0]);
  var scale = 1.0; // keeps a quotient's operands in the range that drivers divide well
  if (largest > 1e30) { scale = 0x1p-60; }
  else if (largest < 1e-30) { scale = 0x1p60; }
  largest *= scale;
  let sum = sum_of(base, begin, end, 3u, scale, largest, local);
  if (k_is_nan(sum) || sum == 0.0) { return sum; }
  var r = largest;
  if (sum != 1.0) { r = k_exp2(k_log2(sum) / p.norm) * largest; }
  return r * (1.0 / scale);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let o = group.x + groups.x * (group.y + groups.y * group.z);
  if (o >= p.groups) { return; }
  let base = o / p.segments * p.n;
  let begin = o % p.segments * p.length;
  let end = min(p.n, begin + p.length);
  if (KIND == 1u) {
    let sum = sum_of(base, begin, end, 0u, 1.0, 1.0, local);
    if (local == 0u) { y[o] = sum * p.scale; }
    return;
  }
  if (KIND == 2u) {
    let v = norm(base, begin, end, local);
    if (local == 0u) { y[o] = v; }
    return;
  }
  var best = p.lowest;
  var place = 0u; // the largest bit pattern, or with INDICES the index
  if (INDICES) { place = 0x7fffffffu; }
  for (var i = begin + local * 4u; i < end; i += WG * 4u) {
    let v = load(base, i, end, p.lowest);
    if (INDICES) {
      for (var j = 0u; j < 4u; j++) {
        if (i + j < end && better(v[j], i + j, best, place)) { best = v[j]; place = i + j; }
      }
    } else {
      let b = magnitude_bits(v);
      place = max(place, max(max(b.x, b.y), max(b.z, b.w)));
      best = max(best, max(max(v.x, v.y), max(v.z, v.w)));
    }
  }
  values[local] = best;
  places[local] = place;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (local < half) {
      let b = values[local + half];
      let j = places[local + half];
      if (INDICES) {
        if (better(b, j, values[local], places[local])) { values[local] = b; places[local] = j; }
      } else {
        values[local] = max(values[local], b);
        places[local] = max(places[local], j);
      }
    }
    workgroupBarrier();
  }
  if (local == 0u) {
    if (INDICES) {
      y[o] = values[0];
      store_index(o, places[0]);
    } else {
      y[o] = select(values[0], bitcast<f32>(places[0]), places[0] > INF);
    }
  }
}
