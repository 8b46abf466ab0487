// Gradient of a depthwise convolution's weight in 1, 2 and 3 dimensions.
//
// The formula is that of conv_grad.wgsl with one input channel in a group. An
// invocation has all KH*KW taps of one output channel and one depth of the
// kernel, goes along TH rows of dy at once, 4 columns at a time, and loads the
// block of the input that these need once. Each tap has four partial sums, one
// for each column.
//
// The positions are cut into chunks of whole steps, whose sums conv_reduce.wgsl
// adds in their order.
//
// Layout:   dy [N,K,OD,OH,OW]; x [N,C,D,H,W] with W a multiple of 4, or read by
//           single numbers, which in_w4 and pad_w4 then count;
//           out [chunks, K,1,kd,KH,KW]
// Tile:     KH x KW taps for one invocation
// Bindings: 0 params, 1 dy, 2 x, 3 out
// Limits:   zero padding, which the kernel supplies; other modes are padded
//           before by conv_pad.wgsl. The window along H and W is constant

struct Params {
  total: u32,                        // invocations: chunks*K*kd
  k_out: u32, kg: u32,
  chunk: u32, steps: u32,            // steps of a chunk, and of all: N*OD*h_tiles*blocks
  blocks: u32, h_tiles: u32,         // steps of a row of dy; tiles of TH rows
  in_d: u32, in_h: u32, in_w4: u32,  // in_w4 and pad_w4 in vec4s
  out_d: u32, out_h: u32, out_w: u32,
  kernel_d: u32, stride_d: u32, dilation_d: u32,
  pad_d: u32, pad_h: u32, pad_w4: u32,
}

const WG = 8u;
const TH = 2u;      // rows of dy of a step
const KH = 3u;      // kernel rows and columns
const KW = 3u;
const TAPS = 9u;    // KH*KW
const SH = 1u;      // strides
const SW = 1u;
const DH = 1u;      // dilations
const DW = 1u;
const SHIFT = 3u;   // padding along W is 4*pad_w4 - SHIFT
const ROW4 = 3u;    // vec4s of an input row that 4 outputs need
const BLOCK = 12u;  // ROW4 times the input rows that TH rows need
const UNIT_IN = 1u; // 4 where x is read by single numbers

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
// swap: input
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
// The vec4 at column c, which lies at `at`; zero where there is none.
fn fetch(at: u32, c: u32, row: bool) -> vec4<f32> {
  let ok = row && c < p.in_w4;
  return select(vec4<f32>(), x[select(0u, at, ok)], vec4<bool>(ok));
}
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + grid.x * (group.y + grid.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  let td = id % p.kernel_d;
  var rest = id / p.kernel_d;
  let k = rest % p.k_out;
  let first = rest / p.k_out * p.chunk;
  var block_w = first % p.blocks;
  rest = first / p.blocks;
  var tile = rest % p.h_tiles;
  rest = rest / p.h_tiles;
  var od = rest % p.out_d;
  var n = rest / p.out_d;

  var acc: array<vec4<f32>, TAPS>;
  var block: array<vec4<f32>, BLOCK>;
  for (var step = min(p.chunk, p.steps - first); step > 0u; step--) {
    let d = od * p.stride_d + td * p.dilation_d - p.pad_d; // wraps below 0, and then is outside
    let x_h = tile * (TH * SH) - p.pad_h;
    let x_w = UNIT_IN * block_w * SW - p.pad_w4;
    let x_at = (((n * p.k_out + k) / p.kg * p.in_d + d) * p.in_h + x_h) * p.in_w4 + x_w;
    for (var i = 0u; i < BLOCK; i++) { // unroll
      block[i] = fetch(x_at + i / ROW4 * p.in_w4 + UNIT_IN * (i % ROW4), x_w + UNIT_IN * (i % ROW4), d < p.in_d && x_h + i / ROW4 < p.in_h);
    }
    let left = p.out_w - block_w * 4u; // columns of the row that are left
    let whole = vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(left);
    for (var o = 0u; o < TH; o++) { // unroll
      let oh = tile * TH + o;
      if (oh < p.out_h) {
        let at = (((n * p.k_out + k) * p.out_d + od) * p.out_h + oh) * p.out_w + block_w * 4u;
        let last = left - 1u;
        let grad = select(vec4<f32>(), vec4<f32>(dy[at], dy[at + min(1u, last)], dy[at + min(2u, last)], dy[at + min(3u, last)]), whole);
        for (var th = 0u; th < KH; th++) { // unroll
          for (var tw = 0u; tw < KW; tw++) { // unroll
            // Both factors are zero past the end: an infinity there is no term.
            acc[th * KW + tw] = fma(grad, select(vec4<f32>(), vec4<f32>(
              block[(o * SH + th * DH) * ROW4 + (SHIFT + tw * DW + 0u * SW) / 4u][(SHIFT + tw * DW + 0u * SW) % 4u],
              block[(o * SH + th * DH) * ROW4 + (SHIFT + tw * DW + 1u * SW) / 4u][(SHIFT + tw * DW + 1u * SW) % 4u],
              block[(o * SH + th * DH) * ROW4 + (SHIFT + tw * DW + 2u * SW) / 4u][(SHIFT + tw * DW + 2u * SW) % 4u],
              block[(o * SH + th * DH) * ROW4 + (SHIFT + tw * DW + 3u * SW) / 4u][(SHIFT + tw * DW + 3u * SW) % 4u]), whole), acc[th * KW + tw]);
          }
        }
      }
    }
    block_w++;
    if (block_w == p.blocks) {
      block_w = 0u;
      tile++;
      if (tile == p.h_tiles) {
        tile = 0u;
        od++;
        if (od == p.out_d) {
          od = 0u;
          n++;
        }
      }
    }
  }
  for (var t = 0u; t < TAPS; t++) { // unroll
    out[id * TAPS + t] = (acc[t].x + acc[t].y) + (acc[t].z + acc[t].w);
  }
}
