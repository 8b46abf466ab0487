// Winograd convolution, first step: transforms tiles of the input.
//
//   V[xi, c, p] = (B' d B)[xi],  d the T x T tile p of channel c
//
// F(m x m, 3 x 3) computes m x m outputs of a 3 x 3 convolution with stride 1
// from T x T inputs, T = m+2, in T*T multiplications instead of 9*m*m: 16
// instead of 36 for m = 2, 36 instead of 144 for m = 4. The transforms are
// those of Lavin and Gray, Fast Algorithms for Convolutional Neural Networks,
// 2015, with the points 0, 1, -1 for m = 2, and 0 and plus and minus sqrt(1/2)
// and sqrt(2) for m = 4, which lose less to rounding than 1 and 2.
//
// Layout:   x [N,C,H,W], row-major; v [T*T, C, pitch], the tiles of all images
//           next to each other
// Tile:     one tile of one channel for one invocation
// Bindings: 0 params, 1 x, 2 v
// Limits:   zero padding; other modes are padded before by conv_pad.wgsl

struct Params {
  total: u32,                    // invocations: C*tiles
  tiles: u32, pitch: u32,        // tiles of all images; from one row of v to the next
  c: u32,
  in_h: u32, in_w: u32,
  tiles_h: u32, tiles_w: u32,    // of one image
  pad_h: u32, pad_w: u32,
}

const WG = 64u;
const OUT = 4u;  // m
const T = 6u;
const TT = 36u;

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> v: array<f32>;

// B' times the column of d that starts at `at`, in place, for m = 2.
fn transform2(d: ptr<function, array<f32, TT>>, at: u32, step: u32) {
  let d0 = (*d)[at];
  let d1 = (*d)[at + step];
  let d2 = (*d)[at + 2u * step];
  let d3 = (*d)[at + 3u * step];
  (*d)[at] = d0 - d2;
  (*d)[at + step] = d1 + d2;
  (*d)[at + 2u * step] = d2 - d1;
  (*d)[at + 3u * step] = d1 - d3;
}

// The same for m = 4.
fn transform4(d: ptr<function, array<f32, TT>>, at: u32, step: u32) {
  let d0 = (*d)[at];
  let d1 = (*d)[at + step];
  let d2 = (*d)[at + 2u * step];
  let d3 = (*d)[at + 3u * step];
  let d4 = (*d)[at + 4u * step];
  let d5 = (*d)[at + 5u * step];
  let even_a = d4 - 2.0 * d2;
  let odd_a = 0.70710678 * d3 - 1.41421356 * d1;
  let even_b = d4 - 0.5 * d2;
  let odd_b = 1.41421356 * d3 - 0.70710678 * d1;
  (*d)[at] = d0 - 2.5 * d2 + d4;
  (*d)[at + step] = even_a + odd_a;
  (*d)[at + 2u * step] = even_a - odd_a;
  (*d)[at + 3u * step] = even_b + odd_b;
  (*d)[at + 4u * step] = even_b - odd_b;
  (*d)[at + 5u * step] = d1 - 2.5 * d3 + d5;
}

fn transform(d: ptr<function, array<f32, TT>>, at: u32, step: u32) {
  if (OUT == 2u) { transform2(d, at, step); } else { transform4(d, at, step); }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + grid.x * (group.y + grid.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  let tile = id % p.tiles;
  let c = id / p.tiles;
  let n = tile / (p.tiles_h * p.tiles_w);
  let h = tile / p.tiles_w % p.tiles_h * OUT - p.pad_h; // wraps below 0, and then is outside
  let w = tile % p.tiles_w * OUT - p.pad_w;
  let plane = (n * p.c + c) * p.in_h;
  var d: array<f32, TT>;
  for (var i = 0u; i < T; i++) { // unroll
    for (var j = 0u; j < T; j++) { // unroll
      let ok = h + i < p.in_h && w + j < p.in_w;
      d[i * T + j] = select(0.0, x[select(0u, (plane + h + i) * p.in_w + w + j, ok)], ok);
    }
  }
  for (var j = 0u; j < T; j++) { // unroll
    transform(&d, j, T);
  }
  for (var i = 0u; i < T; i++) { // unroll
    transform(&d, i * T, 1u);
  }
  for (var i = 0u; i < TT; i++) { // unroll
    v[(i * p.c + c) * p.pitch + tile] = d[i];
  }
}
