// Gradient of a convolution's weight in 1, 2 and 3 dimensions: the definition.
//
//   dw[k,c,t] = sum over n,o of dy[n,k,o] * x[n, g*CG+c, o*stride - pad + t*dilation]
//
// with g = k/KG the group, and the sum over all images and output positions. The
// positions are cut into chunks, whose sums conv_reduce.wgsl adds in their order.
//
// Layout:   dy [N,K,OD,OH,OW], x [N,C,D,H,W], out [chunks, K,CG,kd,kh,kw]
// Tile:     one invocation for one weight and chunk
// Bindings: 0 params, 1 dy, 2 x, 3 out
// Limits:   every tensor below 2^31 elements

struct Params {
  total: u32,              // invocations: chunks*weights
  weights: u32,            // K*CG*taps
  chunk: u32, positions: u32, // positions of a chunk, and of all: N*OD*OH*OW
  k_out: u32, kg: u32, cg: u32, c_in: u32,
  in_d: u32, in_h: u32, in_w: u32,
  out_d: u32, out_h: u32, out_w: u32,
  kernel_d: u32, kernel_h: u32, kernel_w: u32,
  stride_d: u32, stride_h: u32, stride_w: u32,
  dilation_d: u32, dilation_h: u32, dilation_w: u32,
  pad_d: u32, pad_h: u32, pad_w: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

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
  let id = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  let tw = id % p.kernel_w;
  let th = id / p.kernel_w % p.kernel_h;
  var rest = id / (p.kernel_w * p.kernel_h);
  let td = rest % p.kernel_d;
  rest = rest / p.kernel_d;
  let c = rest % p.cg;
  let k = rest / p.cg % p.k_out;
  let first = id / p.weights * p.chunk;
  var ow = first % p.out_w;
  rest = first / p.out_w;
  var oh = rest % p.out_h;
  rest = rest / p.out_h;
  var od = rest % p.out_d;
  var n = rest / p.out_d;
  let start_d = i32(td * p.dilation_d) - i32(p.pad_d);
  let start_h = i32(th * p.dilation_h) - i32(p.pad_h);
  let start_w = i32(tw * p.dilation_w) - i32(p.pad_w);
  var sum = 0.0;
  for (var left = min(p.chunk, p.positions - first); left > 0u; left--) {
    let d = pad_index(i32(od * p.stride_d) + start_d, i32(p.in_d));
    let h = pad_index(i32(oh * p.stride_h) + start_h, i32(p.in_h));
    let w = pad_index(i32(ow * p.stride_w) + start_w, i32(p.in_w));
    if (d >= 0 && h >= 0 && w >= 0) {
      let plane = n * p.c_in + k / p.kg * p.cg + c;
      sum = fma(dy[(((n * p.k_out + k) * p.out_d + od) * p.out_h + oh) * p.out_w + ow],
                x[((plane * p.in_d + u32(d)) * p.in_h + u32(h)) * p.in_w + u32(w)], sum);
    }
    ow++;
    if (ow == p.out_w) {
      ow = 0u;
      oh++;
      if (oh == p.out_h) {
        oh = 0u;
        od++;
        if (od == p.out_d) {
          od = 0u;
          n++;
        }
      }
    }
  }
  out[id] = sum;
}
