// A function of two tensors with broadcasting, four outputs at a time.
//
// Layout:   y is dense; its place, in vec4s, is decomposed over AXES axes,
//           innermost first, each with its size and the steps of both operands.
//           The innermost axis is whole vec4s, or it is the only one and the
//           last vec4 reaches into the padding that every buffer has. An
//           operand that steps along it is bound as vec4s, and one that repeats
//           (REPEAT_A, REPEAT_B) as single numbers
// Tile:     one invocation for one vec4 (for software, see runs.go)
// Bindings: 0 params, 1 a, 2 b, 3 y
// Limits:   every tensor below 2^31 elements

struct Params {
  count: u32, // vec4s of y
  size0: u32, a0: u32, b0: u32, // the innermost axis; sizes and steps are in
  size1: u32, a1: u32, b1: u32, // what the operand is bound as
  size2: u32, a2: u32, b2: u32,
  size3: u32, a3: u32, b3: u32,
  size4: u32, a4: u32, b4: u32,
  size5: u32, a5: u32, b5: u32,
  size6: u32, a6: u32, b6: u32,
  size7: u32, a7: u32, b7: u32, // the outermost
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: bindings
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
// end swap
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

const WG = 64u;

// swap: apply
fn apply(a: f32, b: f32) -> f32 { return a + b; }
// end swap

// Where the operands of the i-th vec4 are.
fn places(i: u32) -> vec2<u32> {
  // swap: places
  return i * vec2<u32>(p.a0, p.b0);
  // end swap
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.count) { return; }
  let at = places(i);
  let u = vec4<f32>(a[at.x]);
  let v = vec4<f32>(b[at.y]);
  y[i] = vec4<f32>(apply(u.x, v.x), apply(u.y, v.y), apply(u.z, v.z), apply(u.w, v.w));
}
