// Elements in another order, for Transpose and Slice: y[i] = x[base + at(i)].
//
// Layout:   y is dense; its place is decomposed over up to eight axes, innermost
//           first, each with its size and the step in x, which may be negative.
//           The variant "rows" binds vec4s, and counts in them
// Tile:     one invocation for one element
// Bindings: 0 params, 1 x, 2 y
// Limits:   every tensor below 2^31 elements

struct Params {
  total: u32, // elements of y
  base: i32,
  size0: u32, step0: i32, // the innermost axis
  size1: u32, step1: i32,
  size2: u32, step2: i32,
  size3: u32, step3: i32,
  size4: u32, step4: i32,
  size5: u32, step5: i32,
  size6: u32, step6: i32,
  size7: u32, step7: i32, // the outermost
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const WG = 64u;

// Where the i-th element of y lies in x.
fn place(i: u32) -> u32 {
  var rest = i;
  var at = p.base;
  // swap: place
  at += i32(rest) * p.step0;
  // end swap
  return u32(at);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  y[i] = x[place(i)];
}
