// Losses that compare two tensors element by element, and their gradients.
//
//   GRAD false: y[i] = l(x[i], t[i])
//   GRAD true:  y[i] = dy[i or 0] * scale * dl/dx(x[i], t[i])
//
//   KIND 0  (x-t)^2                                          slope 2(x-t)
//   KIND 1  |x-t|                                            sign(x-t), 0 at 0
//   KIND 2  (x-t)^2/(2 beta) where |x-t| < beta, else |x-t| - beta/2
//   KIND 3  max(x,0) - x t + log(1+exp(-|x|))                sigmoid(x) - t
//
// Layout:   flat, count values each; dy has as many, or one
// Tile:     one invocation for one vec4; the last vec4 may reach past the end, into
//           the padding that every buffer has
// Bindings: 0 params, 1 x, 2 t, 3 dy (a dummy without GRAD), 4 y
// Limits:   none

struct Params {
  count: u32, // vec4s
  beta: f32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> t: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
// swap: upstream
@group(0) @binding(3) var<storage, read> dy: array<f32>;

fn upstream(i: u32) -> vec4<f32> { return vec4<f32>(dy[0]); }
// end swap

const WG = 64u;
const KIND = 0u;
const GRAD = false;

// swap: math
fn k_exp(v: f32) -> f32 { return exp(v); }
fn k_log1p(v: f32) -> f32 { return log(1.0 + v); }
fn k_sigmoid(v: f32) -> f32 { return 1.0 / (1.0 + exp(-v)); }
fn k_sign(v: f32) -> f32 { return sign(v); }
// end swap

fn loss(a: f32, b: f32) -> f32 {
  let d = a - b;
  switch KIND {
    case 0u: { return d * d; }
    case 1u: { return abs(d); }
    case 2u: { return select(abs(d) - 0.5 * p.beta, 0.5 * d * d / p.beta, abs(d) < p.beta); }
    default: { return (select(a, 0.0, a <= 0.0) - a * b) + k_log1p(k_exp(-abs(a))); }
  }
}

fn slope(a: f32, b: f32) -> f32 {
  let d = a - b;
  switch KIND {
    case 0u: { return 2.0 * d; }
    case 1u: { return k_sign(d); }
    case 2u: { return select(k_sign(d), d / p.beta, abs(d) < p.beta); }
    default: { return k_sigmoid(a) - b; }
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.count) { return; }
  let a = x[i];
  let b = t[i];
  if (GRAD) {
    y[i] = upstream(i) * p.scale * vec4<f32>(slope(a.x, b.x), slope(a.y, b.y), slope(a.z, b.z), slope(a.w, b.w));
  } else {
    y[i] = vec4<f32>(loss(a.x, b.x), loss(a.y, b.y), loss(a.z, b.z), loss(a.w, b.w));
  }
}
