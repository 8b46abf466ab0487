// The windows of a convolution as a matrix (im2col), for the gradient of its
// weight.
//
//   cols[n, c*taps + t, q] = x[from_n+n, c, o*stride - pad + t*dilation],  o = from_p + q
//
// Layout:   x [.., C, D, H, W], cols [N, C*taps, P], row-major
// Tile:     one invocation for one element
// Bindings: 0 params, 1 x, 2 cols
// Limits:   every tensor below 2^31 elements

struct Params {
  total: u32, // elements of cols
  c_in: u32, from_n: u32, from_p: u32, positions: u32,
  in_d: u32, in_h: u32, in_w: u32,
  out_h: u32, out_w: u32,
  kernel_d: u32, kernel_h: u32, kernel_w: u32,
  stride_d: u32, stride_h: u32, stride_w: u32,
  dilation_d: u32, dilation_h: u32, dilation_w: u32,
  pad_d: u32, pad_h: u32, pad_w: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> cols: array<f32>;

const WG = 64u;
const PAD_MODE = 0u; // 0 zeros, 1 reflect, 2 replicate, 3 circular

// Maps a position along an axis of size n to the element that stands there;
// -1 in zero padding.
fn pad_index(i: i32, n: i32) -> i32 {
  if (i >= 0 && i < n) { return i; }
  if (PAD_MODE == 1u) { return select(2 * (n - 1) - i, -i, i < 0); }
  if (PAD_MODE == 2u) { return clamp(i, 0, n - 1); }
  if (PAD_MODE == 3u) { return select(i - n, i + n, i < 0); }
  return -1;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  let o = i % p.positions + p.from_p;
  var rest = i / p.positions;
  let tw = rest % p.kernel_w;
  rest /= p.kernel_w;
  let th = rest % p.kernel_h;
  rest /= p.kernel_h;
  let td = rest % p.kernel_d;
  rest /= p.kernel_d; // n*C + c
  let ow = o % p.out_w;
  let oh = o / p.out_w % p.out_h;
  let od = o / (p.out_w * p.out_h);
  let d = pad_index(i32(od * p.stride_d + td * p.dilation_d) - i32(p.pad_d), i32(p.in_d));
  let h = pad_index(i32(oh * p.stride_h + th * p.dilation_h) - i32(p.pad_h), i32(p.in_h));
  let w = pad_index(i32(ow * p.stride_w + tw * p.dilation_w) - i32(p.pad_w), i32(p.in_w));
  var v = 0.0;
  if (d >= 0 && h >= 0 && w >= 0) {
    v = x[(((p.from_n * p.c_in + rest) * p.in_d + u32(d)) * p.in_h + u32(h)) * p.in_w + u32(w)];
  }
  cols[i] = v;
}
