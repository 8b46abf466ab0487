// The weight of a transposed convolution of stride 1 as that of a convolution:
// input and output channels exchanged, and the taps in reverse.
//
//   out[g*KG+k, c, t] = w[g*CG+c, k, taps-1-t]
//
// Layout:   w [C, KG, taps], out [K, CG, taps], row-major
// Tile:     one invocation for the taps of one pair of channels
// Bindings: 0 params, 1 w, 2 out
// Limits:   none

struct Params {
  total: u32, // pairs of channels: K*CG
  kg: u32, cg: u32,
  taps: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

const WG = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + grid.x * (group.y + grid.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  let c = i % p.cg;
  let k = i / p.cg;
  let at = ((k / p.kg * p.cg + c) * p.kg + k % p.kg) * p.taps + p.taps - 1u;
  for (var t = 0u; t < p.taps; t++) { out[i * p.taps + t] = w[at - t]; }
}
