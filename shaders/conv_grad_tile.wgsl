// Gradient of a convolution's weight in 1, 2 and 3 dimensions as an implicit
// matrix product, for GPUs.
//
//   DW[m, n] = sum over q of DY[m, q] * X[n, q]
//
// for each group, with m its output channels, n its input channels times the
// kernel's taps, and q all output positions of all images. Neither matrix is
// ever stored: a workgroup gathers BM x BK and BN x BK pieces of them into
// workgroup memory, straight from dy and x, with neighbouring invocations at
// neighbouring positions. Each invocation then multiplies TM x TN of it in
// registers.
//
// The positions are cut into chunks, a workgroup for each, whose sums
// conv_reduce.wgsl adds in their order.
//
// Layout:   dy [N,K,OD,OH,OW], x [N,C,D,H,W], out [chunks, K,CG,kd,kh,kw]
// Tile:     BM x BN weights for a workgroup in steps of BK positions
// Bindings: 0 params, 1 dy, 2 x, 3 out
// Limits:   zero padding; other modes are padded before by conv_pad.wgsl

struct Params {
  tiles: u32,                        // workgroups: chunks*groups*tiles_m*tiles_n
  tiles_m: u32, tiles_n: u32, groups: u32,
  chunk: u32, positions: u32,        // positions of a chunk, a multiple of BK, and of all
  kg: u32, cg: u32,
  in_d: u32, in_h: u32, in_w: u32,
  out_d: u32, out_h: u32, out_w: u32,
  kernel_d: u32, kernel_h: u32, kernel_w: u32,
  stride_d: u32, stride_h: u32, stride_w: u32,
  dilation_d: u32, dilation_h: u32, dilation_w: u32,
  pad_d: u32, pad_h: u32, pad_w: u32,
}

const WG = 128u;    // TX*TY invocations
const BM = 64u;     // output channels of a workgroup
const BN = 64u;     // channels and taps of a workgroup
const BK = 16u;     // positions of a step
const TM = 8u;      // output channels of an invocation
const TN = 4u;      // channels and taps of an invocation
const TX = 16u;     // invocations along n: BN/TN
const TY = 8u;      // invocations along m: BM/TM
const ACC = 32u;    // TM*TN
const LANES = 8u;   // rows of either piece that are loaded at once: WG/BK
const M_LOADS = 8u; // BM/LANES
const N_LOADS = 8u; // BN/LANES
const M_PITCH = 65u; // BM, and 1 so that stores of a column spread over the banks
const N_PITCH = 65u;

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

var<workgroup> m_tile: array<array<f32, M_PITCH>, BK>;
var<workgroup> n_tile: array<array<f32, N_PITCH>, BK>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  var rest = group.x + grid.x * (group.y + grid.y * group.z);
  if (rest >= p.tiles) { return; }
  let n0 = rest % p.tiles_n * BN;
  rest = rest / p.tiles_n;
  let m0 = rest % p.tiles_m * BM;
  rest = rest / p.tiles_m;
  let g = rest % p.groups;
  let chunk = rest / p.groups;
  let begin = chunk * p.chunk;
  let end = min(begin + p.chunk, p.positions);
  let taps = p.kernel_d * p.kernel_h * p.kernel_w;
  let columns = p.cg * taps;
  let in_plane = p.in_d * p.in_h * p.in_w;
  let out_plane = p.out_d * p.out_h * p.out_w;

  // The rows of both pieces that this invocation loads, at one position.
  let lane = local % BK;
  let row = local / BK;
  var tap_d: array<u32, N_LOADS>;
  var tap_h: array<u32, N_LOADS>;
  var tap_w: array<u32, N_LOADS>;
  var tap_at: array<u32, N_LOADS>;
  for (var i = 0u; i < N_LOADS; i++) { // unroll
    let at = min(n0 + row + i * LANES, columns - 1u);
    let t = at % taps;
    tap_d[i] = t / (p.kernel_h * p.kernel_w) * p.dilation_d - p.pad_d; // wraps below 0
    tap_h[i] = t / p.kernel_w % p.kernel_h * p.dilation_h - p.pad_h;
    tap_w[i] = t % p.kernel_w * p.dilation_w - p.pad_w;
    tap_at[i] = (g * p.cg + at / taps) * in_plane + (tap_d[i] * p.in_h + tap_h[i]) * p.in_w + tap_w[i];
  }

  var acc: array<f32, ACC>;
  var m_part: array<f32, TM>;
  let tx = local % TX;
  let ty = local / TX;
  for (var q0 = begin; q0 < end; q0 += BK) {
    let q = q0 + lane;
    let inside = q < end;
    let n = select(0u, q / out_plane, inside);
    let o = select(0u, q % out_plane, inside);
    let d = o / (p.out_h * p.out_w) * p.stride_d;
    let h = o / p.out_w % p.out_h * p.stride_h;
    let w = o % p.out_w * p.stride_w;
    let dy_at = (n * p.groups + g) * p.kg * out_plane + o;
    let x_at = n * p.groups * p.cg * in_plane + (d * p.in_h + h) * p.in_w + w;
    workgroupBarrier();
    for (var i = 0u; i < M_LOADS; i++) { // unroll
      let m = min(m0 + row + i * LANES, p.kg - 1u);
      m_tile[lane][row + i * LANES] = select(0.0, dy[dy_at + m * out_plane], inside);
    }
    for (var i = 0u; i < N_LOADS; i++) { // unroll
      let ok = inside && d + tap_d[i] < p.in_d && h + tap_h[i] < p.in_h && w + tap_w[i] < p.in_w;
      n_tile[lane][row + i * LANES] = select(0.0, x[select(0u, x_at + tap_at[i], ok)], ok);
    }
    workgroupBarrier();
    for (var k = 0u; k < BK; k++) { // unroll
      for (var i = 0u; i < TM; i++) { // unroll
        m_part[i] = m_tile[k][i * TY + ty];
      }
      for (var j = 0u; j < TN; j++) { // unroll
        let v = n_tile[k][j * TX + tx];
        for (var i = 0u; i < TM; i++) { // unroll
          acc[i * TN + j] = fma(m_part[i], v, acc[i * TN + j]);
        }
      }
    }
  }

  for (var i = 0u; i < TM; i++) { // unroll
    for (var j = 0u; j < TN; j++) { // unroll
      let m = m0 + i * TY + ty;
      let c = n0 + j * TX + tx;
      if (m < p.kg && c < columns) {
        out[((chunk * p.groups + g) * p.kg + m) * columns + c] = acc[i * TN + j];
      }
    }
  }
}
