// Moments of columns, in chunks.
//
//   part[g*parts + j] = (hi, lo, sum of (x - hi)^2 - m*lo^2, m) of chunk j of
//   group g = o*i + c, the mean of the chunk being hi + lo
//
// Layout:   x is [o, n, i]; group (o, c) is the elements [o, :, c]. T is what is
//           loaded at once, a vec4 of four groups where 4 divides i, else a
//           float of one; i counts T's
// Tile:     one invocation for one chunk of LANES groups; neighbours read
//           neighbouring columns
// Bindings: 0 params, 1 x, 2 part
// Limits:   none

struct Params {
  chunks: u32, // o * parts * i
  parts: u32,  // chunks of one column
  size: u32,   // elements of a chunk; the last one may be smaller
  n: u32,      // elements of a column
  i: u32,      // T's in a row
  rms: u32,    // 1: the mean is taken as 0
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
const LANES = 1u;
fn lane(v: T, k: u32) -> f32 { return v; }
fn pin(v: T) -> T { return bitcast<f32>(min(bitcast<u32>(v), 0xffc00000u)); }
// end swap
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read_write> part: array<vec4<f32>>;

const WG = 64u;

struct Pair { s: T, e: T }

// a + b, and what its rounding leaves of it (Knuth).
fn two_sum(a: T, b: T) -> Pair {
  let s = pin(a + b);
  let t = pin(s - a);
  return Pair(s, (a - pin(s - t)) + (b - t));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let at = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (at >= p.chunks) { return; }
  let c = at % p.i;
  let j = at / p.i % p.parts;
  let o = at / p.i / p.parts;
  let start = j * p.size;
  let m = min(p.size, p.n - start);
  let base = (o * p.n + start) * p.i + c;
  let count = f32(m);
  var hi = T(0.0);
  if (p.rms == 0u) {
    let pivot = x[base];
    var sum = T(0.0);
    for (var k = 0u; k < m;) {
      let stop = min(k + 8u, m);
      var block = T(0.0);
      for (; k < stop; k++) { block += x[base + k * p.i] - pivot; }
      sum += block;
    }
    hi = pivot + sum / count;
  }
  var sum = T(0.0);
  var rest = T(0.0);
  var squares = T(0.0);
  for (var k = 0u; k < m;) {
    let stop = min(k + 8u, m);
    var block = T(0.0);
    for (; k < stop; k++) {
      let d = two_sum(x[base + k * p.i], -hi);
      let next = two_sum(sum, d.s);
      sum = next.s;
      rest += next.e + d.e;
      block = fma(d.s, d.s, block);
    }
    squares += block;
  }
  var lo = (sum + rest) / count;
  if (p.rms == 1u) { lo = T(0.0); }
  let square = squares - sum * lo;
  for (var k = 0u; k < LANES; k++) {
    let g = (o * p.i + c) * LANES + k;
    part[g * p.parts + j] = vec4<f32>(lane(hi, k), lane(lo, k), lane(square, k), count);
  }
}
