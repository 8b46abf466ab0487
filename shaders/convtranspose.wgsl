// Transposed convolution in 1, 2 and 3 dimensions: the naive kernel.
//
//   y[n,k,o] = act(b[k] + sum over c,i,t with i*stride - pad + t*dilation = o
//                         of x[n, g*CG+c, i] * w[g*CG+c, k-g*KG, t])
//
// with g = k/KG. Written as a gather: an output asks of every tap which input
// lies under it, (o + pad - t*dilation)/stride, if that is a whole number inside
// of the input. All of it is integer arithmetic, so it is exact at any size.
// Lower ranks have leading axes of size 1.
//
// Layout:   x [N,C,D,H,W], w [C,KG,kd,kh,kw], b [K], y [N,K,OD,OH,OW], row-major
// Tile:     one invocation for one output
// Bindings: 0 params, 1 x, 2 w, 3 b (a dummy where BIAS is false), 4 y
// Limits:   every tensor and every uncut axis below 2^31 (checked by the caller)
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
const NONE = 0xffffffffu;

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

// The input under tap t of the output at q = o + pad, or NONE.
fn under(q: u32, t: u32, stride: u32, dilation: u32, size: u32) -> u32 {
  let back = t * dilation;
  if (back > q) { return NONE; }
  let i = (q - back) / stride;
  return select(NONE, i, i * stride == q - back && i < size);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  let qw = i % p.out_w + p.pad_w;
  let qh = i / p.out_w % p.out_h + p.pad_h;
  let qd = i / (p.out_w * p.out_h) % p.out_d + p.pad_d;
  let k = i / (p.out_w * p.out_h * p.out_d) % p.k_out;
  let n = i / (p.out_w * p.out_h * p.out_d * p.k_out);
  let plane = p.in_d * p.in_h * p.in_w;
  let taps = p.kernel_d * p.kernel_h * p.kernel_w;
  let first = k / p.kg * p.cg; // the group's first input channel
  var sum = 0.0;
  if (BIAS) { sum = b[k]; }
  for (var td = 0u; td < p.kernel_d; td++) {
    let d = under(qd, td, p.stride_d, p.dilation_d, p.in_d);
    if (d == NONE) { continue; }
    for (var th = 0u; th < p.kernel_h; th++) {
      let h = under(qh, th, p.stride_h, p.dilation_h, p.in_h);
      if (h == NONE) { continue; }
      for (var tw = 0u; tw < p.kernel_w; tw++) {
        let v = under(qw, tw, p.stride_w, p.dilation_w, p.in_w);
        if (v == NONE) { continue; }
        var x_at = (n * p.c_in + first) * plane + (d * p.in_h + h) * p.in_w + v;
        var w_at = (first * p.kg + k % p.kg) * taps + (td * p.kernel_h + th) * p.kernel_w + tw;
        for (var c = 0u; c < p.cg; c++) {
          sum = fma(x[x_at], w[w_at], sum);
          x_at += plane;
          w_at += p.kg * taps;
        }
      }
    }
  }
  y[i] = activate(sum, p.act_a, p.act_b);
}
