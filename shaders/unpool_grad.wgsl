// The gradient of max unpooling with respect to its values.
//
//   dx[plane,i] = dy[plane, j] with j = indices[plane,i], where i is the last that
//                 names j; 0 elsewhere
//
// `owner` holds at each place of the output the largest i+1 that names it, counted
// through all planes: steps 0 and 1 of unpool.wgsl leave it.
//
// Layout:   indices and dx [planes,in], dy and owner [planes,out], row-major
// Tile:     one invocation for one element of dx
// Bindings: 0 params, 1 dy, 2 indices, 3 owner, 4 dx
// Limits:   every tensor below 2^31 elements

struct Params {
  total: u32, // elements of dx
  size_in: u32, size_out: u32, // elements of one plane
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> indices: array<i32>;
@group(0) @binding(3) var<storage, read> owner: array<u32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

const WG = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  let j = indices[i];
  var v = 0.0;
  if (j >= 0 && u32(j) < p.size_out) {
    let at = i / p.size_in * p.size_out + u32(j);
    if (owner[at] == i + 1u) { v = dy[at]; }
  }
  dx[i] = v;
}
