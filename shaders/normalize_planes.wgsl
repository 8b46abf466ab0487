// Normalizes planes with statistics that are known, for software adapters.
//
//   y = act(fma(x - hi, k, b)),  k = inv_std * scale,  b = shift - lo * k
//
// Layout:   x and y are [planes, n], n counting vec4s. dims numbers the planes,
//           outermost first, each as (size, stride in stat, stride in scale and
//           shift)
// Tile:     WG invocations take runs of RUN vec4s, side by side, and then the next
//           ones, `rounds` times, within a part of a plane; see runs.go
// Bindings: 0 params, 1 x, 2 stat as (hi, lo, variance, inv_std), or where GIVEN
//           the means, 3 the variances where GIVEN, else a dummy, 4 scale,
//           5 shift (dummies where there are none), 6 y
// Limits:   none

struct Params {
  dims: array<vec4<u32>, 8>,
  rank: u32,   // how many dims there are
  total: u32,  // workgroups: planes * parts
  parts: u32,  // of a plane
  n: u32,      // vec4s of a plane
  rounds: u32, // of a part
  scale: u32,  // 1: there is a scale
  shift: u32,  // 1: there is a shift
  eps: f32,
  act_a: f32, act_b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
// swap: stat
@group(0) @binding(2) var<storage, read> stat: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
fn statistic(g: u32) -> vec3<f32> { return stat[g].xyw; }
// end swap
@group(0) @binding(4) var<storage, read> scale: array<f32>;
@group(0) @binding(5) var<storage, read> shift: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<vec4<f32>>;

const WG = 8u;
const RUN = 4u;

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

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
  let s = statistic(g);
  var k = s.z;
  var b = 0.0;
  if (p.scale == 1u) { k *= scale[a]; }
  if (p.shift == 1u) { b = shift[a]; }
  b = fma(-s.y, k, b);
  let base = plane * p.n;
  var l = (id - plane * p.parts) * p.rounds * (WG * RUN) + local * RUN;
  for (var round = 0u; round < p.rounds; round++) {
    for (var q = 0u; q < RUN; q++) { // unroll
      if (l + q < p.n) {
        let v = fma(x[base + l + q] - vec4<f32>(s.x), vec4<f32>(k), vec4<f32>(b));
        y[base + l + q] = vec4<f32>(activate(v.x, p.act_a, p.act_b), activate(v.y, p.act_a, p.act_b),
                                    activate(v.z, p.act_a, p.act_b), activate(v.w, p.act_a, p.act_b));
      }
    }
    l += WG * RUN;
  }
}
