// Winograd convolution, second step: transforms the weights.
//
//   U[xi, g, c, k] = (G w G')[xi],  w the 3 x 3 kernel of output channel k of
//                    group g for the group's input channel c
//
// The transforms belong to those of conv_winograd_input.wgsl.
//
// Layout:   w [K,CG,3,3]; u [T*T, groups, k_tiles, CG, TK], TK = tile_k output
//           channels next to each other, as conv_pack.wgsl has them
// Tile:     one kernel for one invocation
// Bindings: 0 params, 1 w, 2 u
// Limits:   none

struct Params {
  total: u32,              // invocations: K*CG
  groups: u32, kg: u32, cg: u32,
  k_tiles: u32, tile_k: u32,
}

const WG = 64u;
const OUT = 4u;  // m
const T = 6u;
const TT = 36u;

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> u: array<f32>;

// G times the column of three that starts at `at`, in place, for m = 2.
fn transform2(g: ptr<function, array<f32, TT>>, at: u32, step: u32) {
  let g0 = (*g)[at];
  let g1 = (*g)[at + step];
  let g2 = (*g)[at + 2u * step];
  let even = 0.5 * (g0 + g2);
  (*g)[at + step] = even + 0.5 * g1;
  (*g)[at + 2u * step] = even - 0.5 * g1;
  (*g)[at + 3u * step] = g2;
}

// The same for m = 4.
fn transform4(g: ptr<function, array<f32, TT>>, at: u32, step: u32) {
  let g0 = (*g)[at];
  let g1 = (*g)[at + step];
  let g2 = (*g)[at + 2u * step];
  let even_a = -0.66666667 * g0 - 0.33333333 * g2;
  let odd_a = 0.47140452 * g1;
  let even_b = 0.16666667 * g0 + 0.33333333 * g2;
  let odd_b = 0.23570226 * g1;
  (*g)[at + step] = even_a - odd_a;
  (*g)[at + 2u * step] = even_a + odd_a;
  (*g)[at + 3u * step] = even_b + odd_b;
  (*g)[at + 4u * step] = even_b - odd_b;
  (*g)[at + 5u * step] = g2;
}

fn transform(g: ptr<function, array<f32, TT>>, at: u32, step: u32) {
  if (OUT == 2u) { transform2(g, at, step); } else { transform4(g, at, step); }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + grid.x * (group.y + grid.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  // Neighbours are neighbours in k, so that what they store is next to each other.
  let k = id % p.kg;
  let c = id / p.kg % p.cg;
  let g = id / (p.kg * p.cg);
  var d: array<f32, TT>;
  for (var i = 0u; i < 3u; i++) { // unroll
    for (var j = 0u; j < 3u; j++) { // unroll
      d[i * T + j] = w[((g * p.kg + k) * p.cg + c) * 9u + i * 3u + j];
    }
  }
  for (var j = 0u; j < 3u; j++) { // unroll
    transform(&d, j, T);
  }
  for (var i = 0u; i < T; i++) { // unroll
    transform(&d, i * T, 1u);
  }
  let at = ((g * p.k_tiles + k / p.tile_k) * p.cg + c) * p.tile_k + k % p.tile_k;
  for (var i = 0u; i < TT; i++) { // unroll
    u[i * p.groups * p.k_tiles * p.cg * p.tile_k + at] = d[i];
  }
}
