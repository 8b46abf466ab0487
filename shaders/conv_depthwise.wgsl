// Depthwise convolution in 1, 2 and 3 dimensions, for GPUs.
//
//   y[n,k,o] = act(b[k] + sum over t of x[n, k/KG, o*stride - pad + t*dilation] * w[k,t])
//
// that is, one input channel in each group and KG output channels of it. There
// is no reuse across channels, so no use for workgroup memory: an invocation
// computes TH outputs below each other and holds the input column of the
// kernel column at hand in registers, which serves KH taps of all of them.
// Neighbouring invocations read and write neighbouring columns.
//
// Layout:   x [N,C,D,H,W], w [K,1,kd,KH,KW], b [K], y [N,K,OD,OH,OW], row-major
// Tile:     TH rows x 1 column for one invocation
// Bindings: 0 params, 1 x, 2 w, 3 b (a dummy where there is none), 4 y
// Limits:   zero padding; other modes are padded before by conv_pad.wgsl. The
//           kernel's size, stride and dilation along H, and its size along W,
//           are constants: they decide which registers a tap reads

struct Params {
  total: u32,                      // invocations: N*K*OD*h_tiles*OW
  h_tiles: u32, k_out: u32, kg: u32,
  in_d: u32, in_h: u32, in_w: u32,
  out_d: u32, out_h: u32, out_w: u32,
  kernel_d: u32,
  stride_d: u32, stride_w: u32,
  dilation_d: u32, dilation_w: u32,
  pad_d: u32, pad_h: u32, pad_w: u32,
  bias: u32,                       // 1 where there is one
  act_a: f32, act_b: f32,
}

const WG = 64u;
const TH = 4u;    // output rows of an invocation
const KH = 3u;    // kernel rows
const KW = 3u;    // kernel columns
const SH = 1u;    // stride along H
const DH = 1u;    // dilation along H
const ROWS = 6u;  // input rows of an invocation: (TH-1)*SH + (KH-1)*DH + 1

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + grid.x * (group.y + grid.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  let ow = id % p.out_w;
  var rest = id / p.out_w;
  let oh = rest % p.h_tiles * TH;
  rest = rest / p.h_tiles;
  let od = rest % p.out_d;
  rest = rest / p.out_d; // n*K + k, and so rest/KG is the input plane
  let k = rest % p.k_out;

  var acc: array<f32, TH>;
  var column: array<f32, ROWS>;
  let first_h = oh * SH - p.pad_h; // wraps below 0, and then is outside
  let first_w = ow * p.stride_w - p.pad_w;
  for (var td = 0u; td < p.kernel_d; td++) {
    let d = od * p.stride_d + td * p.dilation_d - p.pad_d;
    let plane = (rest / p.kg * p.in_d + d) * p.in_h;
    let w_at = (k * p.kernel_d + td) * KH * KW;
    for (var tw = 0u; tw < KW; tw++) { // unroll
      let v = first_w + tw * p.dilation_w;
      let inside = d < p.in_d && v < p.in_w;
      for (var r = 0u; r < ROWS; r++) { // unroll
        let ok = inside && first_h + r < p.in_h;
        column[r] = select(0.0, x[select(0u, (plane + first_h + r) * p.in_w + v, ok)], ok);
      }
      for (var th = 0u; th < KH; th++) { // unroll
        let weight = w[w_at + th * KW + tw];
        for (var o = 0u; o < TH; o++) { // unroll
          acc[o] = fma(column[o * SH + th * DH], weight, acc[o]);
        }
      }
    }
  }

  var start = 0.0;
  if (p.bias != 0u) { start = b[k]; }
  let at = ((rest * p.out_d + od) * p.out_h + oh) * p.out_w + ow;
  for (var o = 0u; o < TH; o++) { // unroll
    if (oh + o < p.out_h) { y[at + o * p.out_w] = activate(acc[o] + start, p.act_a, p.act_b); }
  }
}
