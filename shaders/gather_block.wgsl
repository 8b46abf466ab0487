// Elements in another order where rows become columns: blocks of 4 x 4 in
// registers, without workgroup memory.
//
//   y[k, r, c] = x[base + at(k) + r + c*step]   with r along x's rows, c along y's
//
// Layout:   the innermost axis of y, c, steps over x; another axis of y, r, steps
//           by one element of x; the rest, k, are up to six axes, innermost
//           first, each with its size and its steps in x and y. All sizes of r
//           and c and all steps are multiples of 4 (of the caller's numbers),
//           and are given in vec4s where they count along a row
// Tile:     one invocation for 4 x 4 elements
// Bindings: 0 params, 1 x, 2 y
// Limits:   every tensor below 2^31 elements
//
// It is meant for software adapters: four vec4 reads and four vec4 stores take
// the place of sixteen of either.

struct Params {
  total: u32, // blocks
  base: u32,
  rows: u32, cols: u32,           // blocks along r and c
  x_step: u32, y_step: u32,       // from one c to the next in x, from one r to the next in y
  size0: u32, x0: u32, y0: u32,   // the innermost of the rest
  size1: u32, x1: u32, y1: u32,
  size2: u32, x2: u32, y2: u32,
  size3: u32, x3: u32, y3: u32,
  size4: u32, x4: u32, y4: u32,
  size5: u32, x5: u32, y5: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

const WG = 64u;

// Where the matrix of number k begins in x and in y.
fn matrix(k: u32) -> vec2<u32> {
  var rest = k;
  var at = vec2<u32>(p.base, 0u);
  // swap: matrix
  at += rest % p.size0 * vec2<u32>(p.x0, p.y0);
  rest /= p.size0;
  // end swap
  return at;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  // Neighbours lie along c, so that they store neighbouring vectors.
  let c = i % p.cols;
  let r = i / p.cols % p.rows;
  let at = matrix(i / p.cols / p.rows);
  let from_x = at.x + c * 4u * p.x_step + r;
  let u0 = x[from_x];
  let u1 = x[from_x + p.x_step];
  let u2 = x[from_x + 2u * p.x_step];
  let u3 = x[from_x + 3u * p.x_step];
  let to_y = at.y + r * 4u * p.y_step + c;
  y[to_y] = vec4<f32>(u0.x, u1.x, u2.x, u3.x);
  y[to_y + p.y_step] = vec4<f32>(u0.y, u1.y, u2.y, u3.y);
  y[to_y + 2u * p.y_step] = vec4<f32>(u0.z, u1.z, u2.z, u3.z);
  y[to_y + 3u * p.y_step] = vec4<f32>(u0.w, u1.w, u2.w, u3.w);
}
