// Gradient of a convolution's weight in 1, 2 and 3 dimensions: a register tile per
// invocation, without workgroup memory or barriers, for adapters that are
// software.
//
// The formula is that of conv_grad.wgsl. There, a load costs several times what a
// multiply-add does, and neighbouring invocations cannot share one. So every
// invocation sums a tile of the weight: TK output channels by TJ rows of taps,
// each the KW taps of one input channel, depth and height. It goes along the rows
// of dy, 4 columns at a time, and loads the stretch of each input row that those
// need once, for all taps and channels of the tile.
//
// The positions are cut into chunks of whole steps, whose sums conv_reduce.wgsl
// adds in their order.
//
// Layout:   dy [N,K,OD,OH,OW], rows lengthened to a multiple of 4 with zeros; x [N,C,D,H,W] with W a multiple of 4;
//           out [chunks, K,CG,kd,kh,KW]
// Tile:     TK channels x TJ*KW taps for one invocation
// Bindings: 0 params, 1 dy, 2 x, 3 out
// Limits:   zero padding, which the kernel supplies; other modes are padded
//           before by conv_pad.wgsl. KW, the stride and the dilation along W are
//           constants, since they decide which registers a tap reads

struct Params {
  total: u32,                        // invocations: chunks*groups*k_tiles*j_tiles
  j_tiles: u32, k_tiles: u32, groups: u32,
  kg: u32, cg: u32,
  chunk: u32, steps: u32,            // steps of a chunk, and of all: N*OD*OH*blocks
  blocks: u32,                       // steps of a row of dy
  in_d: u32, in_h: u32, in_w4: u32,  // in_w4 and pad_w4 in vec4s
  out_d: u32, out_h: u32, out_w: u32,
  kernel_d: u32, kernel_h: u32,
  stride_d: u32, stride_h: u32,
  dilation_d: u32, dilation_h: u32,
  pad_d: u32, pad_h: u32, pad_w4: u32,
}

const WG = 8u;
const TK = 8u;      // output channels of a tile
const TK4 = 2u;     // TK/4
const TJ = 6u;      // rows of taps of a tile
const KW = 3u;      // kernel columns
const COLS = 18u;   // TJ*KW
const ACC = 36u;    // TK4*COLS
const SW = 1u;      // stride along W
const DW = 1u;      // dilation along W
const SHIFT = 3u;   // padding along W is 4*pad_w4 - SHIFT
const ROW4 = 3u;    // vec4s of an input row that 4 outputs need
const ROWS = 18u;   // TJ*ROW4
const TAIL = false; // rows of dy were no whole vec4s

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + grid.x * (group.y + grid.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  let j0 = id % p.j_tiles * TJ;
  var rest = id / p.j_tiles;
  let k0 = rest % p.k_tiles * TK;
  rest = rest / p.k_tiles;
  let g = rest % p.groups;
  let chunk = rest / p.groups;

  // Where each row of taps starts: its plane of x, depth and height.
  let rows = p.kernel_d * p.kernel_h;
  let in_plane = p.in_d * p.in_h;
  var tap_d: array<u32, TJ>;
  var tap_h: array<u32, TJ>;
  var tap_c: array<u32, TJ>;
  for (var j = 0u; j < TJ; j++) { // unroll
    let at = min(j0 + j, p.cg * rows - 1u);
    tap_c[j] = (g * p.cg + at / rows) * p.in_d;
    tap_d[j] = at % rows / p.kernel_h * p.dilation_d - p.pad_d;
    tap_h[j] = at % p.kernel_h * p.dilation_h - p.pad_h;
  }
  let out_plane = p.out_d * p.out_h * p.blocks; // in vec4s
  var channel: array<u32, TK>;
  for (var i = 0u; i < TK; i++) { // unroll
    channel[i] = (g * p.kg + min(k0 + i, p.kg - 1u)) * out_plane;
  }

  var acc: array<vec4<f32>, ACC>; // [TK4][TJ][KW], vec4s along the channels
  var row: array<vec4<f32>, ROWS>;
  var cols: array<vec4<f32>, COLS>;
  var grad: array<vec4<f32>, 4>;
  let first = chunk * p.chunk;
  var block = first % p.blocks;
  rest = first / p.blocks;
  var oh = rest % p.out_h;
  rest = rest / p.out_h;
  var od = rest % p.out_d;
  var n = rest / p.out_d;
  for (var step = min(p.chunk, p.steps - first); step > 0u; step--) {
    let x_w = block * SW - p.pad_w4; // wraps below 0, and then is no column
    for (var j = 0u; j < TJ; j++) { // unroll
      let d = od * p.stride_d + tap_d[j];
      let h = oh * p.stride_h + tap_h[j];
      let inside = d < p.in_d && h < p.in_h;
      let x_at = ((n * p.groups * p.cg * p.in_d + tap_c[j] + d) * p.in_h + h) * p.in_w4 + x_w;
      for (var i = 0u; i < ROW4; i++) { // unroll
        let ok = inside && x_w + i < p.in_w4;
        row[j * ROW4 + i] = select(vec4<f32>(), x[select(0u, x_at + i, ok)], vec4<bool>(ok));
      }
    }
    for (var j = 0u; j < TJ; j++) { // unroll
      for (var t = 0u; t < KW; t++) { // unroll
        cols[j * KW + t] = vec4<f32>(
          row[j * ROW4 + (SHIFT + t * DW + 0u * SW) / 4u][(SHIFT + t * DW + 0u * SW) % 4u],
          row[j * ROW4 + (SHIFT + t * DW + 1u * SW) / 4u][(SHIFT + t * DW + 1u * SW) % 4u],
          row[j * ROW4 + (SHIFT + t * DW + 2u * SW) / 4u][(SHIFT + t * DW + 2u * SW) % 4u],
          row[j * ROW4 + (SHIFT + t * DW + 3u * SW) / 4u][(SHIFT + t * DW + 3u * SW) % 4u]);
      }
    }
    if (TAIL) {
      // Both factors are zero past the end: an infinity there is no term.
      let left = p.out_w - block * 4u; // columns of the row that are left
      let whole = vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(left);
      for (var c = 0u; c < COLS; c++) { // unroll
        cols[c] = select(vec4<f32>(), cols[c], whole);
      }
    }
    let dy_at = n * p.groups * p.kg * out_plane + (od * p.out_h + oh) * p.blocks + block;
    for (var i = 0u; i < TK4; i++) { // unroll
      for (var l = 0u; l < 4u; l++) { // unroll
        let v = dy[dy_at + channel[i * 4u + l]];
        for (var q = 0u; q < 4u; q++) { // unroll
          grad[q][l] = v[q];
        }
      }
      for (var c = 0u; c < COLS; c++) { // unroll
        for (var q = 0u; q < 4u; q++) { // unroll
          acc[i * COLS + c] = fma(grad[q], vec4<f32>(cols[c][q]), acc[i * COLS + c]);
        }
      }
    }
    block++;
    if (block == p.blocks) {
      block = 0u;
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

  for (var i = 0u; i < TK; i++) { // unroll
    if (k0 + i < p.kg) {
      for (var j = 0u; j < TJ; j++) { // unroll
        if (j0 + j < p.cg * rows) {
          let at = (((chunk * p.groups + g) * p.kg + k0 + i) * p.cg * rows + j0 + j) * KW;
          for (var t = 0u; t < KW; t++) { // unroll
            out[at + t] = acc[i / 4u * COLS + j * KW + t][i % 4u];
          }
        }
      }
    }
  }
}
