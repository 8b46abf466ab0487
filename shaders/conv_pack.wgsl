// Weights in the order in which a register tile reads them.
//
//   packed[g][tile][c][t][i] = w[g*g_stride + (tile*TK + i)*m_stride + c*c_stride + t]
//
// for the tiles from first on, and 0 where the channel tile*TK + i is beyond the m channels of the group.
//
// Layout:   w with the given strides, its taps next to each other; packed
//           [groups, tiles, C, taps, TK]
// Tile:     all taps and the TK channels of one (g, tile, c) for one invocation
// Bindings: 0 params, 1 w, 2 packed
// Limits:   none

struct Params {
  total: u32, // invocations: groups*tiles*C
  tiles: u32, first: u32, // tiles of a group; the first of them
  m: u32, c: u32, taps: u32,
  g_stride: u32, m_stride: u32, c_stride: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: load
@group(0) @binding(1) var<storage, read> w: array<f32>;

// Four neighbouring output channels of one tap, zeros beyond the last.
fn load(at: u32, m: u32) -> vec4<f32> {
  var v = vec4<f32>();
  for (var l = 0u; l < 4u; l++) { // unroll
    if (m + l < p.m) { v[l] = w[at + (m + l) * p.m_stride]; }
  }
  return v;
}
// end swap

@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;

const WG = 8u;
const TK4 = 2u; // TK/4

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + grid.x * (group.y + grid.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  let tile = id / p.c % p.tiles + p.first;
  let base = id / (p.c * p.tiles) * p.g_stride + id % p.c * p.c_stride;
  for (var t = 0u; t < p.taps; t++) {
    for (var i = 0u; i < TK4; i++) {
      out[(id * p.taps + t) * TK4 + i] = load(base + t, (tile * TK4 + i) * 4u);
    }
  }
}
