// The gradients of a function of two tensors with broadcasting, element by
// element: what repeated operands sum is left to a reduction.
//
//   KIND 0  a/b          da = dy/b             db = -dy*a/b^2
//   KIND 1  min(a,b)     da = dy where a < b, half of it where they are equal; db the rest
//   KIND 2  max(a,b)     likewise, where a > b
//   KIND 3  a^b          da = dy*b*a^(b-1), 0 where b is; db = dy*a^b*log(a), 0 where a is and b >= 0
//   KIND 4  prelu(a,b)   da = dy where a > 0, dy*b elsewhere; db = dy*a where not a > 0
//
// Layout:   dy, da and db are dense; their place, in vec4s, is decomposed over the
//           axes as in binary_vec4.wgsl: an operand that steps along the innermost
//           axis is bound as vec4s, and one that repeats as single numbers
// Tile:     one invocation for one vec4 (for software, see runs.go), or, in the
//           form that serves every case, for one element
// Bindings: 0 params, 1 a, 2 b, 3 dy, 4 da, 5 db
// Limits:   every tensor below 2^31 elements; KIND 3 needs a^b finite

struct Params {
  count: u32, // vec4s, or elements
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
// swap: dense
@group(0) @binding(3) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> da: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> db: array<vec4<f32>>;
// end swap

const WG = 64u;
const KIND = 0u;

// swap: math
fn k_log(v: f32) -> f32 { return log(v); }
fn power(u: f32, v: f32) -> f32 { return pow(u, v); }
// end swap

// Where the operands of the i-th vec4 are.
fn places(i: u32) -> vec2<u32> {
  // swap: places
  return i * vec2<u32>(p.a0, p.b0);
  // end swap
}

fn lesser(x: f32, y: f32) -> f32 {
  return select(select(0.0, 0.5, x == y), 1.0, x < y);
}

// The gradients da and db of one element.
fn gradients(d: f32, x: f32, y: f32) -> vec2<f32> {
  if (KIND == 0u) {
    let u = d / y;
    return vec2<f32>(u, -u * (x / y));
  }
  if (KIND == 1u) { return d * vec2<f32>(lesser(x, y), lesser(y, x)); }
  if (KIND == 2u) { return d * vec2<f32>(lesser(y, x), lesser(x, y)); }
  if (KIND == 3u) {
    let less = power(x, y - 1.0);
    return vec2<f32>(select(d * (y * less), 0.0, y == 0.0),
                     select(d * (less * x * k_log(x)), 0.0, x == 0.0 && y >= 0.0));
  }
  return vec2<f32>(select(d * y, d, x > 0.0), select(d * x, 0.0, x > 0.0));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.count) { return; }
  let at = places(i);
  // swap: element
  let d = dy[i];
  let u = vec4<f32>(a[at.x]);
  let v = vec4<f32>(b[at.y]);
  let g0 = gradients(d.x, u.x, v.x);
  let g1 = gradients(d.y, u.y, v.y);
  let g2 = gradients(d.z, u.z, v.z);
  let g3 = gradients(d.w, u.w, v.w);
  da[i] = vec4<f32>(g0.x, g1.x, g2.x, g3.x);
  db[i] = vec4<f32>(g0.y, g1.y, g2.y, g3.y);
  // end swap
}
