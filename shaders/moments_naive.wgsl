// Moments of groups in any layout: the naive kernel.
//
//   part[g*parts + j] = (hi, lo, sum of (x - hi)^2 - n*lo^2, n) of chunk j of
//   group g, the mean of the chunk being hi + lo
//
// Layout:   x has up to 8 (merged) axes; dims lists those that are averaged
//           over, then those that number the groups, outermost first, each as
//           (size, stride in x)
// Tile:     one invocation for one chunk
// Bindings: 0 params, 1 x, 2 part
// Limits:   none
//
// It is the definition that the faster kernels are compared with. Its result
// has the form that moments_merge.wgsl takes.

struct Params {
  dims: array<vec4<u32>, 8>,
  reduced: u32, // how many of dims are averaged over
  rank: u32,    // how many there are
  chunks: u32,  // groups * parts
  parts: u32,   // chunks of one group
  size: u32,    // elements of a chunk; the last one of a group may be smaller
  count: u32,   // elements of a group
  rms: u32,     // 1: the mean is taken as 0
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> part: array<vec4<f32>>;

const WG = 64u;

alias T = f32;
fn pin(v: T) -> T { return bitcast<f32>(min(bitcast<u32>(v), 0xffc00000u)); }
struct Pair { s: T, e: T }

// a + b, and what its rounding leaves of it (Knuth).
fn two_sum(a: T, b: T) -> Pair {
  let s = pin(a + b);
  let t = pin(s - a);
  return Pair(s, (a - pin(s - t)) + (b - t));
}

// The address of element l of the dims from first to last.
fn address(l: u32, first: u32, last: u32) -> u32 {
  var rest = l;
  var at = 0u;
  for (var d = last; d > first; d--) {
    let dim = p.dims[d - 1u];
    at += rest % dim.x * dim.y;
    rest /= dim.x;
  }
  return at;
}

// The sums of x - center, as two floats, and of its square over the elements
// start to end of the group at base; squares in blocks of 8 blocks of 8 of 8.
fn sums(base: u32, start: u32, end: u32, center: f32) -> vec3<f32> {
  var sum = 0.0;
  var rest = 0.0;
  var squares = 0.0;
  for (var l = start; l < end;) {
    var outer = 0.0;
    for (var b = 0u; b < 8u && l < end; b++) {
      var inner = 0.0;
      for (var c = 0u; c < 8u && l < end; c++) {
        let stop = min(l + 8u, end);
        var block = 0.0;
        for (; l < stop; l++) {
          let d = two_sum(x[base + address(l, 0u, p.reduced)], -center);
          let next = two_sum(sum, d.s);
          sum = next.s;
          rest += next.e + d.e;
          block = fma(d.s, d.s, block);
        }
        inner += block;
      }
      outer += inner;
    }
    squares += outer;
  }
  return vec3<f32>(sum, rest, squares);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.chunks) { return; }
  let base = address(i / p.parts, p.reduced, p.rank);
  let start = i % p.parts * p.size;
  let end = min(start + p.size, p.count);
  let n = f32(end - start);
  var hi = 0.0;
  if (p.rms == 0u) {
    let pivot = x[base + address(start, 0u, p.reduced)];
    hi = pivot + sums(base, start, end, pivot).x / n;
  }
  let sum = sums(base, start, end, hi);
  let lo = select((sum.x + sum.y) / n, 0.0, p.rms == 1u);
  part[i] = vec4<f32>(hi, lo, sum.z - sum.x * lo, n);
}
