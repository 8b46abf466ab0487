// Concatenation: copies one input to its place in the output.
//
//   y[o, start + j] = x[o, j]   for o < outer, j < part
//
// Layout:   x [outer, part], y [outer, row], dense; start is where this input's
//           part of a row of y begins
// Tile:     one invocation for one element
// Bindings: 0 params, 1 x, 2 y
// Limits:   every tensor below 2^31 elements
//
// A call dispatches it once for each input.

struct Params { total: u32, part: u32, row: u32, start: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const WG = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  y[i / p.part * p.row + p.start + i % p.part] = x[i];
}
