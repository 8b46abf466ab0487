// The product of one column and one row, for software adapters.
//
//   y[m,n] = alpha * (a[m] * b[n])
//
// Layout:   a [M], b [N], y [M,N], b and y as vec4s
// Tile:     a workgroup takes ROUNDS runs of RUN vec4s for each of its invocations
//           along a row of y, neighbours side by side
// Bindings: 0 params, 1 a, 2 b, 3 y
// Limits:   every tensor below 2^31 elements; N is a multiple of 4

struct Params {
  groups: u32, // workgroups that have work
  n4: u32,     // vec4s of a row
  parts: u32,  // workgroups of a row
  rounds: u32, // of a workgroup
  alpha: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

const WG = 8u;
const RUN = 2u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let linear = group.x + groups.x * (group.y + groups.y * group.z);
  if (linear >= p.groups) { return; }
  let m = linear / p.parts;
  let u = a[m];
  let to = m * p.n4;
  var j = (linear - m * p.parts) * p.rounds * (WG * RUN) + local * RUN;
  for (var round = 0u; round < p.rounds; round++) {
    for (var q = 0u; q < RUN; q++) { // unroll
      if (j + q < p.n4) { y[to + j + q] = p.alpha * (u * b[j + q]); }
    }
    j += WG * RUN;
  }
}
