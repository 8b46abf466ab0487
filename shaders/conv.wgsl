// Convolution in 1, 2 and 3 dimensions: the naive kernel.
//
//   y[n,k,o] = act(b[k] + sum over c,t of x[n, g*CG+c, o*stride - pad + t*dilation] * w[k,c,t])
//
// with g = k/KG. It is a cross-correlation. Lower ranks have leading axes of
// size 1, so that one text serves all of them.
//
// Layout:   x [N,C,D,H,W], w [K,CG,kd,kh,kw], b [K], y [N,K,OD,OH,OW], row-major
// Tile:     one invocation for one output
// Bindings: 0 params, 1 x, 2 w, 3 b (a dummy where BIAS is false), 4 y
// Limits:   every tensor below 2^31 elements; padding of the modes reflect and
//           circular at most the input's size (checked by the caller)
//
// It is the definition that the faster kernels are compared with.

struct Params {
  total: u32,                      // outputs: N*K*OD*OH*OW
  k_out: u32, kg: u32, cg: u32, c_in: u32,
  in_d: u32, in_h: u32, in_w: u32,
  out_d: u32, out_h: u32, out_w: u32,
  kernel_d: u32, kernel_h: u32, kernel_w: u32,
  stride_d: u32, stride_h: u32, stride_w: u32,
  dilation_d: u32, dilation_h: u32, dilation_w: u32,
  pad_d: u32, pad_h: u32, pad_w: u32,
  act_a: f32, act_b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

const WG = 64u;
const BIAS = true;
const PAD_MODE = 0u; // 0 zeros, 1 reflect, 2 replicate, 3 circular

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

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
  let ow = i % p.out_w;
  let oh = i / p.out_w % p.out_h;
  let od = i / (p.out_w * p.out_h) % p.out_d;
  let k = i / (p.out_w * p.out_h * p.out_d) % p.k_out;
  let n = i / (p.out_w * p.out_h * p.out_d * p.k_out);
  let start_d = i32(od * p.stride_d) - i32(p.pad_d);
  let start_h = i32(oh * p.stride_h) - i32(p.pad_h);
  let start_w = i32(ow * p.stride_w) - i32(p.pad_w);
  let plane = p.in_d * p.in_h * p.in_w;
  var x_base = (n * p.c_in + k / p.kg * p.cg) * plane;
  var w_at = k * p.cg * p.kernel_d * p.kernel_h * p.kernel_w;
  var sum = 0.0;
  if (BIAS) { sum = b[k]; }
  for (var c = 0u; c < p.cg; c++) {
    for (var td = 0u; td < p.kernel_d; td++) {
      let d = pad_index(start_d + i32(td * p.dilation_d), i32(p.in_d));
      for (var th = 0u; th < p.kernel_h; th++) {
        let h = pad_index(start_h + i32(th * p.dilation_h), i32(p.in_h));
        for (var tw = 0u; tw < p.kernel_w; tw++) {
          let v = pad_index(start_w + i32(tw * p.dilation_w), i32(p.in_w));
          if (d >= 0 && h >= 0 && v >= 0) {
            sum = fma(x[x_base + (u32(d) * p.in_h + u32(h)) * p.in_w + u32(v)], w[w_at], sum);
          }
          w_at++;
        }
      }
    }
    x_base += plane;
  }
  y[i] = activate(sum, p.act_a, p.act_b);
}
