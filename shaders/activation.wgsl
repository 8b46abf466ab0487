// Pointwise functions: y[i] = f(x[i]; a, b).
//
// Layout:   x and y are flat, of n values each
// Tile:     one invocation for one vec4 (for software, see runs.go); the last vec4 may reach past n, into
//           the padding that every buffer has
// Bindings: 0 params, 1 x, 2 y
// Limits:   none
//
// The function itself is swapped in from math.wgsl, which has the mathematics
// and the error bound of each.

struct Params {
  count: u32, // vec4s
  a: f32,
  b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

const WG = 64u;

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.count) { return; }
  let v = x[i];
  y[i] = vec4<f32>(activate(v.x, p.a, p.b), activate(v.y, p.a, p.b),
                   activate(v.z, p.a, p.b), activate(v.w, p.a, p.b));
}
