// Convolution in 1, 2 and 3 dimensions as an implicit matrix product, for GPUs.
//
//   Y[m, n] = sum over k of W[m, k] * X[k, n]
//
// for each group, with m its output channels, n all output positions of all
// images, and k its input channels times the kernel's taps. X, the input
// unfolded by taps (im2col), is never stored: a workgroup gathers the BK x BN
// piece that it needs into workgroup memory, straight from x, together with the
// BM x BK piece of the weights. Each invocation then multiplies TM x TN of it in
// registers, while the next pieces are already on their way from memory.
//
// Which input belongs to k, (channel, tap), is the same for all n, so BK
// invocations keep that as a table in workgroup memory, counting it forward
// without a division. How much an invocation has to ask about an element is set
// by REACH:
//
//   0  each output reads one input per channel, at its own place (kernel 1,
//      stride 1, no padding): a plain matrix product without the table
//   1  no padding: every tap of every output is in the input
//   2  at most 31 taps: which of them are in the input is one bit each, found
//      before the loop
//   3  any: three comparisons for each element
//
// Rows and columns beyond the output are computed from whatever the clamped
// loads give, and not stored.
//
// Layout:   x [N,C,D,H,W], y [N,K,OD,OH,OW], row-major; w with strides, so that
//           [K,CG,taps] and its transpose serve alike; b [K]
// Tile:     BM x BN for a workgroup in steps of BK, TM x TN for an invocation
// Bindings: 0 params, 1 x, 2 w, 3 b (a dummy where there is none), 4 y
// Limits:   zero padding; other modes are padded before by conv_pad.wgsl. Where
//           SPLIT is true each split of k writes its sums [splits, y] for
//           conv_reduce.wgsl to add in their order

struct Params {
  m: u32, n: u32, k: u32,            // the matrix product's sizes, for one group
  tiles_m: u32, tiles_n: u32,
  groups: u32, splits: u32,
  split_k: u32,                      // k of one split, a multiple of BK
  w_g: u32, w_m: u32, w_k: u32,      // strides of w by group, m and k
  cg: u32,                           // input channels of a group
  in_d: u32, in_h: u32, in_w: u32,
  out_d: u32, out_h: u32, out_w: u32,
  kernel_d: u32, kernel_h: u32, kernel_w: u32,
  stride_d: u32, stride_h: u32, stride_w: u32,
  dilation_d: u32, dilation_h: u32, dilation_w: u32,
  pad_d: u32, pad_h: u32, pad_w: u32,
  bias: u32,                         // 1 where there is one
  act_a: f32, act_b: f32,
}

const WG = 128u;     // TX*TY invocations
const BM = 64u;      // rows of Y for a workgroup
const BN = 64u;      // columns of Y for a workgroup
const BK = 16u;      // depth of a step
const TM4 = 2u;      // rows of Y for an invocation, in vec4s
const TN = 4u;       // columns of Y for an invocation
const TX = 16u;      // invocations along n: BN/TN
const TY = 8u;       // invocations along m: BM/(4*TM4)
const ACC = 8u;      // TM4*TN
const PITCH = 17u;   // BM/4, and 1 so that stores of a column spread over the banks
const A_LOADS = 2u;  // vec4s of W that an invocation loads: BK*BM/4/WG
const B_LOADS = 8u;  // elements of X that an invocation loads: BK*BN/WG
const B_ROWS = 2u;   // rows of X that are loaded at once: WG/BN
const REACH = 3u;
const SPLIT = false;
const M_FIRST = false; // neighbours in w are neighbours in m, not in k

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// Arrays of rows, not flat ones: a compiler that clamps each index then finds
// that the clamp of the column is the same for all rows.
var<workgroup> a_tile: array<array<vec4<f32>, PITCH>, BK>; // vec4s along m
var<workgroup> b_tile: array<array<f32, BN>, BK>;
var<workgroup> taps: array<vec4<u32>, BK>; // offset in x; steps along D, H and W

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  var rest = group.x + grid.x * (group.y + grid.y * group.z);
  if (rest >= p.tiles_m * p.tiles_n * p.groups * p.splits) { return; }
  let m0 = rest % p.tiles_m * BM;
  rest = rest / p.tiles_m;
  let n0 = rest % p.tiles_n * BN;
  rest = rest / p.tiles_n;
  let g = rest % p.groups;
  let split = rest / p.groups;
  let k_begin = split * p.split_k;
  let k_end = min(k_begin + p.split_k, p.k);
  let in_plane = p.in_d * p.in_h * p.in_w;
  let out_plane = p.out_d * p.out_h * p.out_w;

  // The column of X that this invocation loads. A start before the input wraps
  // around, and so is outside of it.
  let column = local % BN;
  let n = min(n0 + column, p.n - 1u);
  let position = n % out_plane;
  let start_d = position / (p.out_w * p.out_h) * p.stride_d - p.pad_d;
  let start_h = position / p.out_w % p.out_h * p.stride_h - p.pad_h;
  let start_w = position % p.out_w * p.stride_w - p.pad_w;
  var x_at = (n / out_plane * p.groups + g) * p.cg * in_plane;
  if (REACH == 0u) {
    x_at += position;
  } else {
    x_at += (start_d * p.in_h + start_h) * p.in_w + start_w;
  }
  var present = 0u; // bit t: tap t is in the input; bit 31, no tap, is not
  if (REACH == 2u) {
    var bit = 1u;
    for (var td = 0u; td < p.kernel_d; td++) {
      for (var th = 0u; th < p.kernel_h; th++) {
        for (var tw = 0u; tw < p.kernel_w; tw++) {
          let ok = start_d + td * p.dilation_d < p.in_d && start_h + th * p.dilation_h < p.in_h
                   && start_w + tw * p.dilation_w < p.in_w;
          present |= select(0u, bit, ok);
          bit = bit << 1u;
        }
      }
    }
  }

  // The channel and tap of k_begin + local, for the first BK invocations.
  let per_d = p.kernel_h * p.kernel_w;
  var c = (k_begin + local) / (p.kernel_d * per_d);
  var td = (k_begin + local) / per_d % p.kernel_d;
  var th = (k_begin + local) / p.kernel_w % p.kernel_h;
  var tw = (k_begin + local) % p.kernel_w;
  let step_c = BK / (p.kernel_d * per_d);
  let step_d = BK / per_d % p.kernel_d;
  let step_h = BK / p.kernel_w % p.kernel_h;
  let step_w = BK % p.kernel_w;

  var acc: array<vec4<f32>, ACC>; // [TM4][TN], vec4s along m
  var a_next: array<vec4<f32>, A_LOADS>;
  var b_next: array<f32, B_LOADS>;
  // The first round of the loop only loads; each further one multiplies what
  // the round before it has loaded.
  for (var k0 = k_begin; k0 < k_end + BK; k0 += BK) {
    if (REACH != 0u && local < BK) {
      let d = td * p.dilation_d;
      let h = th * p.dilation_h;
      let v = tw * p.dilation_w;
      let offset = c * in_plane + (d * p.in_h + h) * p.in_w + v;
      let inside = k0 + local < k_end;
      if (REACH == 2u) {
        taps[local] = vec4<u32>(offset, select(31u, (td * p.kernel_h + th) * p.kernel_w + tw, inside), 0u, 0u);
      } else {
        taps[local] = vec4<u32>(offset, select(0x40000000u, d, inside), h, v);
      }
      tw += step_w;
      th += step_h;
      td += step_d;
      c += step_c;
      if (tw >= p.kernel_w) { tw -= p.kernel_w; th++; }
      if (th >= p.kernel_h) { th -= p.kernel_h; td++; }
      if (td >= p.kernel_d) { td -= p.kernel_d; c++; }
    }
    if (k0 > k_begin) {
      for (var i = 0u; i < A_LOADS; i++) { // unroll
        let at = local + i * WG;
        if (M_FIRST) {
          a_tile[at / (BM / 4u)][at % (BM / 4u)] = a_next[i];
        } else {
          a_tile[at % BK][at / BK] = a_next[i];
        }
      }
      for (var i = 0u; i < B_LOADS; i++) { // unroll
        b_tile[local / BN + i * B_ROWS][column] = b_next[i];
      }
    }
    workgroupBarrier();
    let whole = k0 + BK <= k_end;
    if (k0 < k_end) {
      for (var i = 0u; i < A_LOADS; i++) { // unroll
        let at = local + i * WG;
        var m = m0 + at / BK * 4u;
        var k = k0 + at % BK;
        if (M_FIRST) {
          m = m0 + at % (BM / 4u) * 4u;
          k = k0 + at / (BM / 4u);
        }
        let w_at = g * p.w_g + m * p.w_m + k * p.w_k;
        for (var l = 0u; l < 4u; l++) { // unroll
          a_next[i][l] = w[w_at + l * p.w_m];
        }
        if (!whole && k >= k_end) { a_next[i] = vec4<f32>(); }
      }
      for (var i = 0u; i < B_LOADS; i++) { // unroll
        let row = local / BN + i * B_ROWS;
        if (REACH == 0u) {
          b_next[i] = x[x_at + (k0 + row) * in_plane];
          if (!whole && k0 + row >= k_end) { b_next[i] = 0.0; }
        } else {
          let tap = taps[row];
          var ok = true;
          if (REACH == 1u) {
            ok = whole || k0 + row < k_end;
          } else if (REACH == 2u) {
            ok = ((present >> tap.y) & 1u) == 1u;
          } else {
            ok = start_d + tap.y < p.in_d && start_h + tap.z < p.in_h && start_w + tap.w < p.in_w;
          }
          b_next[i] = select(0.0, x[select(0u, x_at + tap.x, ok)], ok);
        }
      }
    }
    if (k0 > k_begin) {
      let tx = local % TX;
      let ty = local / TX;
      for (var k = 0u; k < BK; k++) { // unroll
        var a: array<vec4<f32>, TM4>;
        for (var i = 0u; i < TM4; i++) { // unroll
          a[i] = a_tile[k][i * TY + ty];
        }
        for (var j = 0u; j < TN; j++) { // unroll
          let v = vec4<f32>(b_tile[k][j * TX + tx]);
          for (var i = 0u; i < TM4; i++) { // unroll
            acc[i * TN + j] = fma(a[i], v, acc[i * TN + j]);
          }
        }
      }
    }
    workgroupBarrier();
  }

  for (var j = 0u; j < TN; j++) { // unroll
    let column_out = n0 + j * TX + local % TX;
    for (var i = 0u; i < TM4; i++) { // unroll
      for (var l = 0u; l < 4u; l++) { // unroll
        let row_out = m0 + (i * TY + local / TX) * 4u + l;
        if (column_out < p.n && row_out < p.m) {
          let channel = g * p.m + row_out;
          let at = (column_out / out_plane * (p.groups * p.m) + channel) * out_plane + column_out % out_plane;
          if (SPLIT) {
            y[split * p.n * p.groups * p.m + at] = acc[i * TN + j][l];
          } else {
            var start = 0.0;
            if (p.bias != 0u) { start = b[channel]; }
            y[at] = activate(acc[i * TN + j][l] + start, p.act_a, p.act_b);
          }
        }
      }
    }
  }
}
