// The input of a convolution with its padding written out, rows lengthened to a
// multiple of 4 with zeros.
//
// Layout:   x [planes,D,H,W]; out [planes,OD,OH,OW], OW a multiple of 4, with
//           out[o] = x[o - pad] and the mode's elements outside of x
// Tile:     one invocation for one vec4
// Bindings: 0 params, 1 x, 2 out
// Limits:   padding of the modes reflect and circular at most the input's size

struct Params {
  rows: u32,    // planes*OD*OH
  out_w4: u32,  // OW/4
  in_d: u32, in_h: u32, in_w: u32,
  out_d: u32, out_h: u32,
  pad_d: u32, pad_h: u32, pad_w: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;

const WG = 64u;
const PAD_MODE = 0u; // 0 zeros, 1 reflect, 2 replicate, 3 circular

// Maps a position along an axis of size n to the element that stands there; n
// or more in zero padding, and beyond what padding a mode can fill.
fn pad_index(i: u32, pad: u32, n: u32) -> u32 {
  if (i >= pad && i - pad < n) { return i - pad; }
  if (PAD_MODE == 1u) { return select(2u * (n - 1u) - (i - pad), pad - i, i < pad); }
  if (PAD_MODE == 2u) { return select(n - 1u, 0u, i < pad); }
  if (PAD_MODE == 3u) { return select(i - pad - n, i + n - pad, i < pad); }
  return n;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + grid.x * (group.y + grid.y * group.z)) * WG + local;
  let r = id / p.out_w4;
  if (r >= p.rows) { return; }
  let d = pad_index(r / p.out_h % p.out_d, p.pad_d, p.in_d);
  let h = pad_index(r % p.out_h, p.pad_h, p.in_h);
  let base = ((r / (p.out_h * p.out_d) * p.in_d + d) * p.in_h + h) * p.in_w;
  var v = vec4<f32>();
  if (d < p.in_d && h < p.in_h) {
    for (var i = 0u; i < 4u; i++) { // unroll
      let at = pad_index(id % p.out_w4 * 4u + i, p.pad_w, p.in_w);
      if (at < p.in_w) { v[i] = x[base + at]; }
    }
  }
  out[id] = v;
}
