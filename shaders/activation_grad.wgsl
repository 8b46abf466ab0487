// Gradients of the pointwise functions: dx[i] = dy[i] * f'(x[i]; a, b).
//
// Layout:   dy, x and dx are flat, of n values each
// Tile:     one invocation for one vec4 (for software, see runs.go); the last vec4 may reach past n, into
//           the padding that every buffer has
// Bindings: 0 params, 1 dy, 2 x, 3 dx
// Limits:   none
//
// The derivative is swapped in from math_grad.wgsl.

struct Params {
  count: u32, // vec4s
  a: f32,
  b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;

const WG = 64u;

// swap: derivative
fn derivative(v: f32, a: f32, b: f32) -> f32 { return 1.0; }
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.count) { return; }
  let v = x[i];
  dx[i] = dy[i] * vec4<f32>(derivative(v.x, p.a, p.b), derivative(v.y, p.a, p.b),
                            derivative(v.z, p.a, p.b), derivative(v.w, p.a, p.b));
}
