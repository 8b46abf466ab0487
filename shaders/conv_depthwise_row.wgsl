// Depthwise convolution in 1, 2 and 3 dimensions, for adapters that are software.
//
// The formula is that of conv_depthwise.wgsl. There a load costs several times
// what a multiply-add does, so an invocation takes a block of TH x 4*TW4 outputs
// and reads the block of the input that these need once, as vec4s.
//
// Layout:   x [N,C,D,H,W] with W a multiple of 4, w [K,1,kd,KH,KW], b [K];
//           y [N,K,OD,OH,OW] with rows lengthened to a multiple of 4. Where W is none,
//           x is read, and where OW is none and nothing is left to finish, y is
//           written by single numbers; in_w4, pad_w4 and out_w4 then count those
// Tile:     TH rows x 4*TW4 columns for one invocation
// Bindings: 0 params, 1 x, 2 w, 3 b (a dummy where there is none), 4 y
// Limits:   zero padding; other modes are padded before by conv_pad.wgsl. The
//           window along H and W is constant. Of the activations only ReLU;
//           conv_finish.wgsl applies the others and shortens the rows

struct Params {
  total: u32,                        // invocations: N*K*OD*h_tiles*w_tiles
  w_tiles: u32, h_tiles: u32, k_out: u32, kg: u32,
  in_d: u32, in_h: u32, in_w4: u32,  // in_w4, out_w4 and pad_w4 in vec4s
  out_d: u32, out_h: u32, out_w4: u32,
  kernel_d: u32, stride_d: u32, dilation_d: u32,
  pad_d: u32, pad_h: u32, pad_w4: u32,
  bias: u32,                         // 1 where there is one
  floor: f32,                        // sums below it become 0: 0 for ReLU, else -infinity
}

const WG = 8u;
const TH = 2u;     // output rows of a tile
const TW4 = 4u;    // output columns of a tile, in vec4s
const ACC = 8u;    // TH*TW4
const KH = 3u;     // kernel rows and columns
const KW = 3u;
const SH = 1u;     // strides
const SW = 1u;
const DH = 1u;     // dilations
const DW = 1u;
const SHIFT = 3u;  // padding along W is 4*pad_w4 - SHIFT
const ROW4 = 6u;   // vec4s of an input row that a tile needs
const BLOCK = 24u; // ROW4 times the input rows that it needs
const UNIT_IN = 1u; // 4 where x is read by single numbers

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
// swap: input
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
// The vec4 at column c, which lies at `at`; zero where there is none.
fn fetch(at: u32, c: u32, row: bool) -> vec4<f32> {
  let ok = row && c < p.in_w4;
  return select(vec4<f32>(), x[select(0u, at, ok)], vec4<bool>(ok));
}
// end swap
// swap: output
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
// Stores vec4 j of a tile at row `row` and column c.
fn store(row: u32, c: u32, j: u32, v: vec4<f32>) {
  if (c + j < p.out_w4) { y[row * p.out_w4 + c + j] = v; }
}
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + grid.x * (group.y + grid.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  let w_tile = id % p.w_tiles;
  var rest = id / p.w_tiles;
  let oh = rest % p.h_tiles * TH;
  rest = rest / p.h_tiles;
  let od = rest % p.out_d;
  rest = rest / p.out_d; // n*K + k, and so rest/KG is the input plane
  let k = rest % p.k_out;

  var acc: array<vec4<f32>, ACC>;
  var block: array<vec4<f32>, BLOCK>;
  let first_h = oh * SH - p.pad_h; // wraps below 0, and then is outside
  let first_w = w_tile * (UNIT_IN * TW4 * SW) - p.pad_w4;
  for (var td = 0u; td < p.kernel_d; td++) {
    let d = od * p.stride_d + td * p.dilation_d - p.pad_d;
    let x_at = ((rest / p.kg * p.in_d + d) * p.in_h + first_h) * p.in_w4 + first_w;
    let w_at = (k * p.kernel_d + td) * (KH * KW);
    for (var i = 0u; i < BLOCK; i++) { // unroll
      block[i] = fetch(x_at + i / ROW4 * p.in_w4 + UNIT_IN * (i % ROW4), first_w + UNIT_IN * (i % ROW4),
                       d < p.in_d && first_h + i / ROW4 < p.in_h);
    }
    for (var th = 0u; th < KH; th++) { // unroll
      for (var tw = 0u; tw < KW; tw++) { // unroll
        let weight = vec4<f32>(w[w_at + th * KW + tw]);
        for (var o = 0u; o < TH; o++) { // unroll
          for (var j = 0u; j < TW4; j++) { // unroll
            acc[o * TW4 + j] = fma(weight, vec4<f32>(
              block[(o * SH + th * DH) * ROW4 + (SHIFT + tw * DW + (4u * j + 0u) * SW) / 4u][(SHIFT + tw * DW + (4u * j + 0u) * SW) % 4u],
              block[(o * SH + th * DH) * ROW4 + (SHIFT + tw * DW + (4u * j + 1u) * SW) / 4u][(SHIFT + tw * DW + (4u * j + 1u) * SW) % 4u],
              block[(o * SH + th * DH) * ROW4 + (SHIFT + tw * DW + (4u * j + 2u) * SW) / 4u][(SHIFT + tw * DW + (4u * j + 2u) * SW) % 4u],
              block[(o * SH + th * DH) * ROW4 + (SHIFT + tw * DW + (4u * j + 3u) * SW) / 4u][(SHIFT + tw * DW + (4u * j + 3u) * SW) % 4u]), acc[o * TW4 + j]);
          }
        }
      }
    }
  }

  var start = 0.0;
  if (p.bias != 0u) { start = b[k]; }
  for (var o = 0u; o < TH; o++) { // unroll
    if (oh + o < p.out_h) {
      let row = (rest * p.out_d + od) * p.out_h + oh + o;
      for (var j = 0u; j < TW4; j++) { // unroll
        let sum = acc[o * TW4 + j] + vec4<f32>(start);
        // A select, since max need not pass NaN on.
        store(row, w_tile * TW4, j, select(sum, vec4<f32>(), sum < vec4<f32>(p.floor)));
      }
    }
  }
}
