// Convolution in 1, 2 and 3 dimensions: a register tile per invocation, without
// workgroup memory or barriers, for adapters that are software.
//
// The formula is that of conv.wgsl. There, a load costs several times what a
// multiply-add does, and neighbouring invocations cannot share one. So every
// invocation computes TK output channels at TW4*4 neighbouring outputs of a
// row: for each input channel and kernel row it loads the stretch of the input
// row that its outputs need once, as vec4s, and serves all KW taps from it.
//
// Layout:   x [N,C,D,H,W] with W a multiple of 4; w packed by conv_pack.wgsl as
//           [groups, channel tiles, CG, kd, kh, KW, TK]; b [K]; y [N,K,OD,OH,OW]
//           with rows lengthened to a multiple of 4
// Tile:     TK channels x 4*TW4 columns for one invocation
// Bindings: 0 params, 1 x, 2 w, 3 b (a dummy where there is none), 4 y
// Limits:   zero padding, which the kernel supplies; other modes are padded
//           before by conv_pad.wgsl. KW, the stride and the dilation along W
//           are constants, since they decide which registers a tap reads. Of the
//           activations only ReLU; conv_finish.wgsl applies the others and
//           shortens the rows

struct Params {
  total: u32,                        // invocations: N*groups*k_tiles*OD*OH*w_tiles
  w_tiles: u32, k_tiles: u32,        // tiles along a row; tiles of a group's channels
  k_first: u32,                      // the first of them
  groups: u32, kg: u32, cg: u32,
  in_d: u32, in_h: u32, in_w4: u32,  // in_w4 and pad_w4 in vec4s
  out_d: u32, out_h: u32, out_w4: u32,
  kernel_d: u32, kernel_h: u32,
  stride_d: u32, stride_h: u32,
  dilation_d: u32, dilation_h: u32,
  pad_d: u32, pad_h: u32, pad_w4: u32,
  bias: u32,                         // 1 where there is one
  floor: f32,                        // sums below it become 0: 0 for ReLU, else -infinity
}

const WG = 8u;
const TK = 8u;     // output channels of a tile
const TK4 = 2u;    // TK/4, or 1 where that is none: packed weights are whole vec4s
const TKL = 4u;    // channels of a vec4 of weights: fewer than 4 where TK is
const TW4 = 4u;    // output columns of a tile, in vec4s
const ACC = 32u;   // TK*TW4
const KW = 3u;     // kernel columns
const SW = 1u;     // stride along W
const DW = 1u;     // dilation along W
const SHIFT = 3u;  // padding along W is 4*pad_w4 - SHIFT
const ROW4 = 6u;   // vec4s of an input row that a tile needs

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + grid.x * (group.y + grid.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  let w_tile = id % p.w_tiles;
  var rest = id / p.w_tiles;
  let oh = rest % p.out_h;
  rest = rest / p.out_h;
  let od = rest % p.out_d;
  rest = rest / p.out_d;
  let k_tile = rest % p.k_tiles;
  rest = rest / p.k_tiles; // n*groups + g, and so also n*C + g*CG in units of CG
  let g = rest % p.groups;

  var acc: array<vec4<f32>, ACC>;
  var row: array<vec4<f32>, ROW4>;
  var cols: array<vec4<f32>, TW4>;
  var w_at = (g * p.k_tiles + k_tile) * p.cg * p.kernel_d * p.kernel_h * KW * TK4;
  let first = w_tile * (TW4 * SW) - p.pad_w4; // wraps below 0, and then is no column
  var c = rest * p.cg;
  var td = 0u;
  var th = 0u;
  // One loop, not three: each costs such an adapter a copy of all registers.
  for (var step = p.cg * p.kernel_d * p.kernel_h; step > 0u; step--) {
    let d = od * p.stride_d + td * p.dilation_d - p.pad_d;
    let h = oh * p.stride_h + th * p.dilation_h - p.pad_h;
    let inside = d < p.in_d && h < p.in_h;
    let x_at = ((c * p.in_d + d) * p.in_h + h) * p.in_w4 + first;
    for (var i = 0u; i < ROW4; i++) { // unroll
      let ok = inside && first + i < p.in_w4;
      row[i] = select(vec4<f32>(), x[select(0u, x_at + i, ok)], vec4<bool>(ok));
    }
    for (var t = 0u; t < KW; t++) { // unroll
      for (var j = 0u; j < TW4; j++) { // unroll
        cols[j] = vec4<f32>(
          row[(SHIFT + t * DW + (4u * j + 0u) * SW) / 4u][(SHIFT + t * DW + (4u * j + 0u) * SW) % 4u],
          row[(SHIFT + t * DW + (4u * j + 1u) * SW) / 4u][(SHIFT + t * DW + (4u * j + 1u) * SW) % 4u],
          row[(SHIFT + t * DW + (4u * j + 2u) * SW) / 4u][(SHIFT + t * DW + (4u * j + 2u) * SW) % 4u],
          row[(SHIFT + t * DW + (4u * j + 3u) * SW) / 4u][(SHIFT + t * DW + (4u * j + 3u) * SW) % 4u]);
      }
      for (var i = 0u; i < TK4; i++) { // unroll
        let weights = w[w_at + t * TK4 + i];
        for (var l = 0u; l < TKL; l++) { // unroll
          for (var j = 0u; j < TW4; j++) { // unroll
            acc[(i * 4u + l) * TW4 + j] = fma(vec4<f32>(weights[l]), cols[j], acc[(i * 4u + l) * TW4 + j]);
          }
        }
      }
    }
    w_at += KW * TK4;
    th++;
    if (th == p.kernel_h) {
      th = 0u;
      td++;
      if (td == p.kernel_d) {
        td = 0u;
        c++;
      }
    }
  }

  let columns = p.out_w4 - w_tile * TW4;
  for (var i = 0u; i < TK; i++) { // unroll
    let k = (p.k_first + k_tile) * TK + i;
    if (k < p.kg) {
      var start = 0.0;
      if (p.bias != 0u) { start = b[g * p.kg + k]; }
      let at = (((rest * p.kg + k) * p.out_d + od) * p.out_h + oh) * p.out_w4 + w_tile * TW4;
      for (var j = 0u; j < TW4; j++) { // unroll
        let v = acc[i * TW4 + j] + vec4<f32>(start);
        // A select, since max need not pass NaN on.
        if (j < columns) { y[at + j] = select(v, vec4<f32>(), v < vec4<f32>(p.floor)); }
      }
    }
  }
}
