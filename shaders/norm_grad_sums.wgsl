// Sums of a gradient of a normalization, in any layout: the naive kernel.
//
//   part[o*parts + j] = (sum of d, sum of d*z, sum of z, 0) of chunk j of the
//   elements of output o, with d = dy, or dy * scale where WEIGHTED, and
//   z = x - hi, or xhat where NORMALIZED
//
// An output is a group, an affine element, or a cell: what a group and an affine
// element have in common. norm_grad_finish.wgsl puts the chunks together.
//
// Layout:   x and dy have up to 8 (merged) axes; dims lists those that are
//           summed over, then those that number the outputs, outermost first,
//           each as (size, stride in x, in the groups, in scale). The mean of
//           group g is hi = stat[g*stat_step]; with a stat_step of 4 its rest lo
//           and the inverse deviation are at 1 and 3
// Tile:     one invocation for one chunk
// Bindings: 0 params, 1 dy, 2 x, 3 stat, 4 scale (or a dummy), 5 part
// Limits:   none
//
// It is the definition that the faster kernels are compared with.

struct Params {
  dims: array<vec4<u32>, 8>,
  reduced: u32,   // how many of dims are summed over
  rank: u32,      // how many there are
  chunks: u32,    // outputs * parts
  parts: u32,     // chunks of one output
  size: u32,      // elements of a chunk; the last one of an output may be smaller
  count: u32,     // elements of an output
  stat_step: u32, // 4, or 1 where only the means are there
  by_affine: u32, // 1: outputs are numbered as the affine elements
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> stat: array<f32>;
@group(0) @binding(4) var<storage, read> scale: array<f32>;
@group(0) @binding(5) var<storage, read_write> part: array<vec4<f32>>;

const WG = 64u;
const WEIGHTED = false;
const NORMALIZED = false;

// The places of element l of the dims from first to last: in x, in the groups,
// in scale.
fn place(l: u32, first: u32, last: u32) -> vec3<u32> {
  var rest = l;
  var at = vec3<u32>(0u);
  for (var d = last; d > first; d--) {
    let dim = p.dims[d - 1u];
    at += rest % dim.x * dim.yzw;
    rest /= dim.x;
  }
  return at;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.chunks) { return; }
  let o = i / p.parts;
  let j = i % p.parts;
  let base = place(o, p.reduced, p.rank);
  let start = j * p.size;
  let end = min(start + p.size, p.count);
  var sum = vec3<f32>(0.0);
  for (var l = start; l < end;) {
    let stop = min(l + 16u, end);
    var block = vec3<f32>(0.0);
    for (; l < stop; l++) {
      let at = base + place(l, 0u, p.reduced);
      var d = dy[at.x];
      if (WEIGHTED) { d *= scale[at.z]; }
      var z = x[at.x] - stat[at.y * p.stat_step];
      if (NORMALIZED) {
        let inv = stat[at.y * 4u + 3u];
        z = fma(z, inv, -(stat[at.y * 4u + 1u] * inv));
      }
      block += vec3<f32>(d, d * z, z);
    }
    sum += block;
  }
  part[select(o, base.z, p.by_affine == 1u) * p.parts + j] = vec4<f32>(sum, 0.0);
}
