// The last step of a convolution whose sums stand in rows of whole vec4s: applies
// the activation and writes rows of the output's length.
//
// Layout:   sums [rows, 4*row_w4]; y [rows, row_w]
// Tile:     one invocation for one vec4 of sums
// Bindings: 0 params, 1 sums, 2 y
// Limits:   none

struct Params {
  total: u32,   // invocations: rows*row_w4
  row_w4: u32,
  row_w: u32,
  act_a: f32, act_b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> sums: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const WG = 64u;

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + grid.x * (group.y + grid.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  let column = id % p.row_w4 * 4u;
  let at = id / p.row_w4 * p.row_w + column;
  let v = sums[id];
  y[at] = activate(v.x, p.act_a, p.act_b);
  if (column + 1u < p.row_w) { y[at + 1u] = activate(v.y, p.act_a, p.act_b); }
  if (column + 2u < p.row_w) { y[at + 2u] = activate(v.z, p.act_a, p.act_b); }
  if (column + 3u < p.row_w) { y[at + 3u] = activate(v.w, p.act_a, p.act_b); }
}
