// Winograd convolution, last step: transforms the products back.
//
//   y = act(b + A' M A),  M[xi, k, p] = sum over c of U[xi, c, k] * V[xi, c, p]
//
// The transforms belong to those of conv_winograd_input.wgsl.
//
// Layout:   m [T*T, K, pitch], the tiles of all images next to each other;
//           b [K]; y [N,K,OH,OW], row-major
// Tile:     one tile of one channel for one invocation
// Bindings: 0 params, 1 m, 2 b (a dummy where there is none), 3 y
// Limits:   none

struct Params {
  total: u32,                    // invocations: K*tiles
  tiles: u32, pitch: u32,        // tiles of all images; from one row of m to the next
  k: u32,
  out_h: u32, out_w: u32,
  tiles_h: u32, tiles_w: u32,    // of one image
  bias: u32,                     // 1 where there is one
  act_a: f32, act_b: f32,
}

const WG = 64u;
const OUT = 4u;  // m
const T = 6u;
const TT = 36u;

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> products: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

// A' times the column of m that starts at `at`, in place, for m = 2.
fn transform2(m: ptr<function, array<f32, TT>>, at: u32, step: u32) {
  let m0 = (*m)[at];
  let m1 = (*m)[at + step];
  let m2 = (*m)[at + 2u * step];
  let m3 = (*m)[at + 3u * step];
  (*m)[at] = m0 + m1 + m2;
  (*m)[at + step] = m1 - m2 - m3;
}

// The same for m = 4.
fn transform4(m: ptr<function, array<f32, TT>>, at: u32, step: u32) {
  let m0 = (*m)[at];
  let m1 = (*m)[at + step];
  let m2 = (*m)[at + 2u * step];
  let m3 = (*m)[at + 3u * step];
  let m4 = (*m)[at + 4u * step];
  let m5 = (*m)[at + 5u * step];
  let even_a = m1 + m2;
  let odd_a = m1 - m2;
  let even_b = m3 + m4;
  let odd_b = m3 - m4;
  (*m)[at] = m0 + even_a + even_b;
  (*m)[at + step] = 0.70710678 * odd_a + 1.41421356 * odd_b;
  (*m)[at + 2u * step] = 0.5 * even_a + 2.0 * even_b;
  (*m)[at + 3u * step] = 0.35355339 * odd_a + 2.82842712 * odd_b + m5;
}

fn transform(m: ptr<function, array<f32, TT>>, at: u32, step: u32) {
  if (OUT == 2u) { transform2(m, at, step); } else { transform4(m, at, step); }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + grid.x * (group.y + grid.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  let tile = id % p.tiles;
  let k = id / p.tiles;
  let n = tile / (p.tiles_h * p.tiles_w);
  let h = tile / p.tiles_w % p.tiles_h * OUT;
  let w = tile % p.tiles_w * OUT;
  var m: array<f32, TT>;
  for (var i = 0u; i < TT; i++) { // unroll
    m[i] = products[(i * p.k + k) * p.pitch + tile];
  }
  for (var j = 0u; j < T; j++) { // unroll
    transform(&m, j, T);
  }
  for (var i = 0u; i < OUT; i++) { // unroll
    transform(&m, i * T, 1u);
  }
  var start = 0.0;
  if (p.bias != 0u) { start = b[k]; }
  for (var i = 0u; i < OUT; i++) { // unroll
    for (var j = 0u; j < OUT; j++) { // unroll
      if (h + i < p.out_h && w + j < p.out_w) {
        y[((n * p.k + k) * p.out_h + h + i) * p.out_w + w + j] = activate(m[i * T + j] + start, p.act_a, p.act_b);
      }
    }
  }
}
