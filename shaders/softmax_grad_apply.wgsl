// The gradient of softmax and log softmax with the sum of each slice known; see
// softmax_grad.wgsl for the mathematics.
//
// Layout:   y, dy and dx are [o, n, i]; sum [o*i]. T is what is loaded at once: a
//           vec4 where i is 1 and 4 divides n, else a float; n counts T's
// Tile:     one invocation for a T
// Bindings: 0 params, 1 dy, 2 y, 3 sum, 4 dx
// Limits:   none

struct Params {
  total: u32, // o*n*i
  n: u32,
  i: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
fn exp_lanes(v: T) -> T { return k_exp(v); }
// end swap
@group(0) @binding(1) var<storage, read> dy: array<T>;
@group(0) @binding(2) var<storage, read> y: array<T>;
@group(0) @binding(3) var<storage, read> sum: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<T>;

const WG = 64u;
const LOG = false;

// swap: exp
fn k_exp(v: f32) -> f32 { return exp(v); }
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let at = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (at >= p.total) { return; }
  let s = T(sum[at / p.i / p.n * p.i + at % p.i]);
  if (LOG) {
    dx[at] = fma(-exp_lanes(y[at]), s, dy[at]);
  } else {
    dx[at] = y[at] * (dy[at] - s);
  }
}
