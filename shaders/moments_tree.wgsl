// Moments of planes, in chunks: one workgroup each, for GPUs.
//
//   part[g*parts + j] = (hi, lo, sum of (x - hi)^2 - n*lo^2, n) of chunk j of
//   group g, the mean of the chunk being hi + lo
//
// Layout:   x is [n, c, s]; group g is the elements [:, g, :], taken as one
//           sequence of n*s. T is what is loaded at once: a vec4 where 4
//           divides s, else a float; all numbers below count T's
// Tile:     one workgroup of WG invocations for one chunk of WG*PER, which is
//           read once and kept in registers
// Bindings: 0 params, 1 x, 2 part
// Limits:   16*WG bytes of workgroup memory

struct Params {
  chunks: u32, // groups * parts
  parts: u32,  // chunks of one group
  count: u32,  // of a group: n*s
  s: u32,      // of a plane
  step: u32,   // from a plane to the next one of the group: c*s
  rms: u32,    // 1: the mean is taken as 0
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
const LANES = 1u;
fn first(v: T) -> f32 { return v; }
fn total(v: T) -> f32 { return v; }
fn lane(v: T, k: u32) -> f32 { return v; }
fn pin(v: T) -> T { return bitcast<f32>(min(bitcast<u32>(v), 0xffc00000u)); }
// end swap
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read_write> part: array<vec4<f32>>;

const WG = 256u;
const PER = 4u;
const CHUNK = WG * PER;

// swap: moments
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
  let i = group.x + groups.x * (group.y + groups.y * group.z);
  if (i >= p.chunks) { return; }
  let start = i % p.parts * CHUNK;
  let n = min(CHUNK, p.count - start);
  let count = f32(n * LANES);
  let base = i / p.parts * p.s;
  let pivot = select(first(x[start / p.s * p.step + base + start % p.s]), 0.0, p.rms == 1u);
  var v: array<T, PER>;
  var sum = T(0.0);
  for (var q = 0u; q < PER; q++) { // unroll
    let l = start + q * WG + local;
    v[q] = T(pivot);
    if (l < start + n) { v[q] = x[l / p.s * p.step + base + l % p.s]; }
    sum += v[q] - T(pivot);
  }
  var hi = 0.0;
  if (p.rms == 0u) { hi = pivot + workgroup_join(vec3<f32>(total(sum), 0.0, 0.0), local).x / count; }
  sum = T(0.0);
  var rest = T(0.0);
  var squares = T(0.0);
  for (var q = 0u; q < PER; q++) { // unroll
    if (q * WG + local < n) {
      let d = two_sum(v[q], T(-hi));
      let next = two_sum(sum, d.s);
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
  if (local == 0u) {
    let lo = select((all.x + all.y) / count, 0.0, p.rms == 1u);
    part[i] = vec4<f32>(hi, lo, all.z - all.x * lo, count);
  }
}
