// The gradient of a normalization with respect to its input, from coefficients,
// for planes and software adapters.
//
//   dx = k * (dy*scale - m - (x - hi)*c),  (hi, k, m, c) = coef of the group
//
// and k*dy*scale where FIXED.
//
// Layout:   x, dy and dx are [planes, n], n counting vec4s. dims numbers the
//           planes, outermost first, each as (size, stride in coef, stride in scale)
// Tile:     WG invocations take runs of RUN vec4s, side by side, and then the next
//           ones, `rounds` times, within a part of a plane; see runs.go
// Bindings: 0 params, 1 dy, 2 x, 3 coef, 4 scale (or a dummy), 5 dx
// Limits:   none

struct Params {
  dims: array<vec4<u32>, 8>,
  rank: u32,   // how many dims there are
  total: u32,  // workgroups: planes * parts
  parts: u32,  // of a plane
  n: u32,      // vec4s of a plane
  rounds: u32, // of a part
  scale: u32,  // 1: there is a scale
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> scale: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<vec4<f32>>;

const WG = 8u;
const RUN = 4u;
const FIXED = false;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = group.x + groups.x * (group.y + groups.y * group.z);
  if (id >= p.total) { return; }
  let plane = id / p.parts;
  var rest = plane;
  var g = 0u;
  var a = 0u;
  for (var d = p.rank; d > 0u; d--) {
    let dim = p.dims[d - 1u];
    let at = rest % dim.x;
    rest /= dim.x;
    g += at * dim.y;
    a += at * dim.z;
  }
  let c = coef[g];
  var w = 1.0;
  if (p.scale == 1u) { w = scale[a]; }
  let base = plane * p.n;
  var l = (id - plane * p.parts) * p.rounds * (WG * RUN) + local * RUN;
  for (var round = 0u; round < p.rounds; round++) {
    for (var q = 0u; q < RUN; q++) { // unroll
      if (l + q < p.n) {
        var v = dy[base + l + q] * w;
        if (!FIXED) { v = fma(x[base + l + q] - vec4<f32>(c.x), vec4<f32>(-c.w), v - vec4<f32>(c.z)); }
        dx[base + l + q] = v * c.y;
      }
    }
    l += WG * RUN;
  }
}
