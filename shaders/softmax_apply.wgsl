// Softmax and log softmax with the maximum and the divisor of each slice known;
// see softmax.wgsl for the mathematics.
//
// Layout:   x and y are [o, n, i]; stat [o*i] of (m, divisor). T is what is loaded
//           at once: a vec4 where i is 1 and 4 divides n, else a float; n counts T's
// Tile:     one invocation for a T
// Bindings: 0 params, 1 x, 2 stat, 3 y
// Limits:   none

struct Params {
  total: u32, // o*n*i
  n: u32,
  i: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
fn result_lanes(v: T, m: T, r: T) -> T { return result(v, m, r); }
// end swap
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read> stat: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<T>;

const WG = 64u;
const LOG = false;

// swap: softmax
fn result(v: f32, m: f32, divisor: f32) -> f32 {
  if (LOG) { return v - m - divisor; }
  return exp(v - m) / divisor;
}
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let at = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (at >= p.total) { return; }
  let s = stat[at / p.i / p.n * p.i + at % p.i];
  y[at] = result_lanes(x[at], T(s.x), T(s.y));
}
