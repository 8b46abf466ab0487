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
    var sum = 0.0;
    for (var l = start; l < end;) {
      let stop = min(l + 16u, end);
      var block = 0.0;
      for (; l < stop; l++) { block += x[base + address(l, 0u, p.reduced)] - pivot; }
      sum += block;
    }
    hi = pivot + sum / n;
  }
  var sum = 0.0;
  var squares = 0.0;
  for (var l = start; l < end;) {
    let stop = min(l + 16u, end);
    var block = vec2<f32>(0.0);
    for (; l < stop; l++) {
      let d = x[base + address(l, 0u, p.reduced)] - hi;
      block += vec2<f32>(d, d * d);
    }
    sum += block.x;
    squares += block.y;
  }
  let lo = select(sum / n, 0.0, p.rms == 1u);
  part[i] = vec4<f32>(hi, lo, squares - sum * lo, n);
}
