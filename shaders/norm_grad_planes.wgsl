// Sums of a gradient of a normalization over the planes of cells; see
// norm_grad_sums.wgsl, which has the definition.
//
//   part[o*parts + j] = (sum of dy, sum of dy*(x-hi), sum of x-hi, 0)
//
// Layout:   x and dy are [n, c, s]; cell o is the elements [:, o, :]. T is what is
//           loaded at once: a vec4 where 4 divides s, else a float; s and step
//           count T's. dims numbers the cells: (size, -, stride in the groups, -)
// Tile:     one invocation for a chunk of `size` blocks, a block being up to 16
//           T's of a plane
// Bindings: 0 params, 1 dy, 2 x, 3 stat, 4 part
// Limits:   none

struct Params {
  dims: array<vec4<u32>, 8>,
  rank: u32,      // how many dims there are
  chunks: u32,    // cells * parts
  parts: u32,     // chunks of one cell
  size: u32,      // blocks of a chunk; the last one of a cell may be smaller
  count: u32,     // blocks of a cell
  stat_step: u32, // 4, or 1 where only the means are there
  blocks: u32,    // blocks of a plane
  s: u32,         // of a plane
  step: u32,      // from a plane to the next one of the cell: c*s
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
fn total(v: T) -> f32 { return v; }
// end swap
@group(0) @binding(1) var<storage, read> dy: array<T>;
@group(0) @binding(2) var<storage, read> x: array<T>;
@group(0) @binding(3) var<storage, read> stat: array<f32>;
@group(0) @binding(4) var<storage, read_write> part: array<vec4<f32>>;

const WG = 32u;
const BLOCK = 16u;
const WHOLE = false; // every block is whole

fn group_of(o: u32) -> u32 {
  var rest = o;
  var at = 0u;
  for (var d = p.rank; d > 0u; d--) {
    let dim = p.dims[d - 1u];
    at += rest % dim.x * dim.z;
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
  let start = i % p.parts * p.size;
  let stop = min(start + p.size, p.count);
  let hi = T(stat[group_of(o) * p.stat_step]);
  var sum = T(0.0);
  var moment = T(0.0);
  var rest = T(0.0);
  for (var b = start; b < stop; b++) {
    let begin = b % p.blocks * 16u;
    let m = min(16u, p.s - begin);
    let at = b / p.blocks * p.step + o * p.s + begin;
    var block = T(0.0);
    var block_moment = T(0.0);
    var block_rest = T(0.0);
    if (WHOLE) {
      for (var l = 0u; l < BLOCK; l++) { // unroll
        let d = dy[at + l];
        let z = x[at + l] - hi;
        block += d;
        block_moment = fma(d, z, block_moment);
        block_rest += z;
      }
    } else {
      for (var l = 0u; l < m; l++) {
        let d = dy[at + l];
        let z = x[at + l] - hi;
        block += d;
        block_moment = fma(d, z, block_moment);
        block_rest += z;
      }
    }
    sum += block;
    moment += block_moment;
    rest += block_rest;
  }
  part[i] = vec4<f32>(total(sum), total(moment), total(rest), 0.0);
}
