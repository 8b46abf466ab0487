// The last step of a convolution whose sums were split: adds the splits in their
// order, so that the result is the same on every run, then bias and activation.
//
//   y[i] = act(b[channel of i] + sums[0,i] + sums[1,i] + ...)
//
// Layout:   sums [splits, total], y [N, K, plane] of total elements, b [K]
// Tile:     one invocation for one element
// Bindings: 0 params, 1 sums, 2 b (a dummy where there is none), 3 y
// Limits:   none

struct Params {
  total: u32, // elements of y
  splits: u32,
  plane: u32, k_out: u32,
  bias: u32,  // 1 where there is one
  act_a: f32, act_b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

const WG = 64u;

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + grid.x * (group.y + grid.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  var sum = 0.0;
  if (p.bias != 0u) { sum = b[i / p.plane % p.k_out]; }
  for (var s = 0u; s < p.splits; s++) { sum += sums[s * p.total + i]; }
  y[i] = activate(sum, p.act_a, p.act_b);
}
