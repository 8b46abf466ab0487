// Moments of planes, in chunks: one invocation each, for software adapters.
//
//   part[g*parts + j] = (hi, lo, sum of (x - hi)^2 - n*lo^2, n) of chunk j of
//   group g, the mean of the chunk being hi + lo
//
// Layout:   x is [n, c, s]; group g is the elements [:, g, :], taken as one
//           sequence of n*s. T is what is loaded at once: a vec4 where 4
//           divides s, else a float; all numbers below count T's
// Tile:     one invocation for one chunk, read twice: chunks are small enough
//           to stay in the nearest cache between the two
// Bindings: 0 params, 1 x, 2 part
// Limits:   none
//
// No workgroup memory and no barrier: a CPU has neither.

struct Params {
  chunks: u32, // groups * parts
  parts: u32,  // chunks of one group
  size: u32,   // of a chunk; the last one of a group may be smaller
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
// end swap
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read_write> part: array<vec4<f32>>;

const WG = 32u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.chunks) { return; }
  let start = i % p.parts * p.size;
  let n = min(p.size, p.count - start);
  let count = f32(n * LANES);
  let base = start / p.s * p.step + i / p.parts * p.s + start % p.s;
  let left_first = p.s - start % p.s;
  var hi = 0.0;
  if (p.rms == 0u) {
    let pivot = first(x[base]);
    var sum = T(0.0);
    var at = base;
    var left = left_first; // in this plane
    for (var k = 0u; k < n;) {
      let m = min(min(16u, n - k), left);
      var block = T(0.0);
      for (var q = 0u; q < m; q++) { block += x[at + q] - T(pivot); }
      sum += block;
      k += m;
      at += m;
      left -= m;
      if (left == 0u) {
        at += p.step - p.s;
        left = p.s;
      }
    }
    hi = pivot + total(sum) / count;
  }
  var sum = T(0.0);
  var squares = T(0.0);
  var at = base;
  var left = left_first;
  for (var k = 0u; k < n;) {
    let m = min(min(16u, n - k), left);
    var block = T(0.0);
    var block2 = T(0.0);
    for (var q = 0u; q < m; q++) {
      let d = x[at + q] - T(hi);
      block += d;
      block2 = fma(d, d, block2);
    }
    sum += block;
    squares += block2;
    k += m;
    at += m;
    left -= m;
    if (left == 0u) {
      at += p.step - p.s;
      left = p.s;
    }
  }
  let lo = select(total(sum) / count, 0.0, p.rms == 1u);
  part[i] = vec4<f32>(hi, lo, total(squares) - total(sum) * lo, count);
}
