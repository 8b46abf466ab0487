// One step of an optimiser, fused: everything that it does to a parameter in
// one pass.
//
//   g = scale * grad
//   SGD:   g += decay*p;  m' = FIRST ? g : a*m + b*g;  s = NESTEROV ? g + a*m' : m' (g without MOMENTUM)
//          p' = p - lr*s
//   Adam:  g += decay*p, or DECOUPLED p -= decay*p
//          m' = a*m + (1-a)*g;  v' = c*v + (1-c)*g^2;  p' = p - lr * m'/(sqrt(v')/root + eps)
//
// Layout:   flat vec4s; the last may reach past the end, into the padding that
//           every buffer has
// Tile:     one invocation for one vec4
// Bindings: 0 params, 1 p, 2 grad, 3 scale (one value, a dummy where SCALED is
//           false), 4 m (a dummy where there is none), 5 v (Adam),
//           then the outputs p', m' (where there is one) and v' (Adam)
// Limits:   none

struct Params {
  count: u32, // vec4s
  lr: f32, decay: f32,
  a: f32, b: f32, // SGD: momentum, 1-dampening; Adam: beta1, 1-beta1
  c: f32, d: f32, // Adam: beta2, 1-beta2
  root: f32, eps: f32,
}

@group(0) @binding(0) var<uniform> k: Params;
@group(0) @binding(1) var<storage, read> param: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> grad: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> scale: array<f32>;
// swap: state
@group(0) @binding(4) var<storage, read> m: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> new_param: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> new_m: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> new_v: array<vec4<f32>>;
// end swap

const WG = 64u;
const SCALED = false;
const FIRST = false;
const NESTEROV = false;
const DECOUPLED = false;

// swap: math
fn k_sqrt(x: f32) -> f32 { return sqrt(x); }
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= k.count) { return; }
  var p = param[i];
  var g = grad[i];
  if (SCALED) { g = g * scale[0]; }
  if (DECOUPLED) { p = p - k.decay * p; } else { g = g + k.decay * p; }
  // swap: step
  let new1 = k.a * m[i] + k.b * g;
  let new2 = k.c * v[i] + k.d * (g * g);
  new_m[i] = new1;
  new_v[i] = new2;
  let root = vec4<f32>(k_sqrt(new2.x), k_sqrt(new2.y), k_sqrt(new2.z), k_sqrt(new2.w));
  new_param[i] = p - k.lr * new1 / (root / k.root + k.eps);
  // end swap
}
