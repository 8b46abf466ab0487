// Normalizes with statistics that are known.
//
//   y = act(fma(x - hi, k, b)),  k = inv_std * scale,  b = shift - lo * k
//
// Layout:   x and y have up to 8 (merged) axes, dims, outermost first, each as
//           (size, stride in stat, stride in scale and shift); a stride of 0 is
//           an axis along which that does not vary. T is what is loaded at
//           once: a vec4 where 4 divides the last axis, else a float
// Tile:     one invocation for up to BLOCK T's along the last axis
// Bindings: 0 params, 1 x, 2 stat as (hi, lo, variance, inv_std), or where GIVEN
//           the means, 3 the variances where GIVEN, else a dummy, 4 scale,
//           5 shift (dummies where there are none), 6 y
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
  shift: u32, // 1: there is a shift
  eps: f32,
  act_a: f32, act_b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
const LANES = 1u;
fn activate_lanes(v: T) -> T { return activate(v, p.act_a, p.act_b); }
fn gather(g: u32, a: u32) -> Coefficients {
  let c = coefficients(g, a);
  return Coefficients(c.x, c.y, c.z);
}
// end swap
@group(0) @binding(1) var<storage, read> x: array<T>;
// swap: stat
@group(0) @binding(2) var<storage, read> stat: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
fn statistic(g: u32) -> vec3<f32> { return stat[g].xyw; }
// end swap
@group(0) @binding(4) var<storage, read> scale: array<f32>;
@group(0) @binding(5) var<storage, read> shift: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<T>;

const WG = 64u;
const BLOCK = 4u;

struct Coefficients { hi: T, k: T, b: T }

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

// hi, k and b of group g and affine element a.
fn coefficients(g: u32, a: u32) -> vec3<f32> {
  let s = statistic(g);
  var k = s.z;
  var b = 0.0;
  if (p.scale == 1u) { k *= scale[a]; }
  if (p.shift == 1u) { b = shift[a]; }
  return vec3<f32>(s.x, k, fma(-s.y, k, b));
}

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
  var c = gather(g, a);
  let vary = p.group_step + p.affine_step > 0u;
  for (var l = start; l < stop; l++) {
    if (vary && l > start) {
      g += LANES * p.group_step;
      a += LANES * p.affine_step;
      c = gather(g, a);
    }
    y[first + l] = activate_lanes(fma(x[first + l] - c.hi, c.k, c.b));
  }
}
