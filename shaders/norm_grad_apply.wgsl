// The gradient of a normalization with respect to its input, from coefficients.
//
//   dx = k * (dy*scale - m - (x - hi)*c),  (hi, k, m, c) = coef of the group
//
// and k*dy*scale where FIXED.
//
// Layout:   x, dy and dx have up to 8 (merged) axes, dims, outermost first, each
//           as (size, stride in coef, stride in scale); a stride of 0 is an axis
//           along which that does not vary. T is what is loaded at once: a vec4
//           where 4 divides the last axis, else a float
// Tile:     one invocation for up to BLOCK T's along the last axis
// Bindings: 0 params, 1 dy, 2 x, 3 coef, 4 scale (or a dummy), 5 dx
// Limits:   none

struct Params {
  dims: array<vec4<u32>, 8>,
  outer: u32,  // axes before the last one
  total: u32,  // invocations: runs along the last axis * blocks
  blocks: u32, // blocks of a run
  run: u32,    // T's of a run
  group_step: u32,  // strides of the last axis
  affine_step: u32,
  scale: u32, // 1: there is a scale
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
const LANES = 1u;
fn gather(g: u32) -> Coefficients {
  let c = coef[g];
  return Coefficients(c.x, c.y, c.z, c.w);
}
fn weight(a: u32) -> T { return scale[a]; }
// end swap
@group(0) @binding(1) var<storage, read> dy: array<T>;
@group(0) @binding(2) var<storage, read> x: array<T>;
@group(0) @binding(3) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> scale: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<T>;

const WG = 64u;
const BLOCK = 4u;
const FIXED = false;

struct Coefficients { hi: T, k: T, m: T, c: T }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  var rest = i / p.blocks;
  let start = i % p.blocks * BLOCK;
  let first = rest * p.run;
  var g = start * LANES * p.group_step;
  var a = start * LANES * p.affine_step;
  for (var d = p.outer; d > 0u; d--) {
    let dim = p.dims[d - 1u];
    let at = rest % dim.x;
    rest /= dim.x;
    g += at * dim.y;
    a += at * dim.z;
  }
  let stop = min(start + BLOCK, p.run);
  var c = gather(g);
  var w = T(1.0);
  if (p.scale == 1u) { w = weight(a); }
  for (var l = start; l < stop; l++) {
    if (l > start && p.group_step > 0u) {
      g += LANES * p.group_step;
      c = gather(g);
    }
    if (l > start && p.affine_step * p.scale > 0u) {
      a += LANES * p.affine_step;
      w = weight(a);
    }
    var v = dy[first + l] * w;
    if (!FIXED) { v = fma(x[first + l] - c.hi, -c.c, v - c.m); }
    dx[first + l] = v * c.k;
  }
}
