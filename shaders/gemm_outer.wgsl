// The product of one column and one row, for software adapters.
//
//   y[m,n] = alpha * (a[m] * b[n])
//
// Layout:   a [M], b [N], y [M,N], b and y as vec4s
// Tile:     a workgroup takes ROWS rows of y, and of them ROUNDS vec4s for each of
//           its invocations, neighbours side by side: what counts on such an adapter
//           is how many numbers are loaded and stored, and one of b serves all rows
// Bindings: 0 params, 1 a, 2 b, 3 y
// Limits:   every tensor below 2^31 elements; N is a multiple of 4

struct Params {
  groups: u32, // workgroups that have work
  m: u32,      // rows of y
  n4: u32,     // vec4s of a row
  parts: u32,  // workgroups of ROWS rows
  rounds: u32, // of a workgroup
  alpha: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

const WG = 8u;
const ROWS = 4u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let linear = group.x + groups.x * (group.y + groups.y * group.z);
  if (linear >= p.groups) { return; }
  let strip = linear / p.parts;
  let m = strip * ROWS;
  let u = vec4<f32>(a[m], a[min(m + 1u, p.m - 1u)], a[min(m + 2u, p.m - 1u)], a[min(m + 3u, p.m - 1u)]);
  let to = m * p.n4;
  var j = (linear - strip * p.parts) * p.rounds * WG + local;
  for (var round = 0u; round < p.rounds; round++) {
    if (j < p.n4) {
      let v = b[j];
      for (var r = 0u; r < ROWS; r++) { // unroll
        if (m + r < p.m) { y[to + r * p.n4 + j] = p.alpha * (u[r] * v); }
      }
    }
    j += WG;
  }
}
