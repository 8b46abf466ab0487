// Depthwise transposed convolution in 1, 2 and 3 dimensions, without dilation, for
// software adapters: a tile of ROWS x COLS outputs by one invocation.
//
// The formula is that of convtranspose.wgsl, with one output channel per group. As in
// pool_grad_tile.wgsl a tile starts where its windows stand as in every other, since
// ROWS and COLS are whole strides: which inputs reach over which output is known
// when the text is made, and each input and weight is loaded once for all of them.
//
// Input rows are numbered from the tile's first one, a = 0; its window starts
// SHIFT_H rows above the tile's first row, and reaches over row r of the tile
// where 0 <= r + SHIFT_H - a*STRIDE_H < KERNEL_H. Columns likewise.
//
// Layout:   x [N,C,D,H,W], w [C,1,kd,KH,KW], b [K], y [N,K,OD,OH,OW], row-major
// Tile:     ROWS x COLS outputs, from SLOTS_H x SLOTS_W inputs of each channel
// Bindings: 0 params, 1 x, 2 w, 3 b (a dummy where there is none), 4 y
// Limits:   every tensor below 2^31 elements; ROWS is a multiple of STRIDE_H and
//           COLS of STRIDE_W; the vec4 form of y needs OW % 4 == 0, that of x
//           W % 4 == 0 and tiles that start at whole vec4s of it

struct Params {
  total: u32, // invocations: N*K*OD*blocks_h*blocks_w
  blocks_w: u32, blocks_h: u32, // ceil(OW/COLS), ceil(OH/ROWS)
  k_out: u32, cg: u32, // outputs channels, and input channels of each
  in_d: u32, in_h: u32, in_w: u32,
  out_d: u32, out_h: u32, out_w: u32,
  kernel_d: u32, stride_d: u32, pad_d: u32,
  first_h: i32, first_w: i32, // the first input of the first tile, which may not exist
  bias: u32, act_a: f32, act_b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;

const WG = 8u;
const ROWS = 2u;
const COLS = 8u;
const TILE = 16u; // ROWS*COLS
const QUADS = 2u; // COLS/4
const KERNEL_H = 3u;
const KERNEL_W = 3u;
const TAPS = 9u; // KERNEL_H*KERNEL_W
const STRIDE_H = 2u;
const STRIDE_W = 2u;
const SHIFT_H = 1u;
const SHIFT_W = 1u;
const SLOTS_H = 2u;
const SLOTS_W = 5u;
const SLOT_QUADS = 2u; // SLOTS_W/4, where inputs are loaded by vec4

// swap: input
@group(0) @binding(1) var<storage, read> x: array<f32>;
// Loads the inputs from column first on of a row, zeros where there are none or the
// row does not exist.
fn load(row: u32, first: i32, exists: bool) -> array<f32, SLOTS_W> {
  var g: array<f32, SLOTS_W>;
  for (var i = 0u; i < SLOTS_W; i++) { // unroll
    let c = first + i32(i);
    g[i] = select(0.0, x[row + u32(clamp(c, 0, i32(p.in_w) - 1))], exists && c >= 0 && c < i32(p.in_w));
  }
  return g;
}
// end swap

// swap: output
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
fn store(row: u32, c: u32, v: vec4<f32>) {
  let at = row * p.out_w + c;
  if (c < p.out_w) { y[at] = v.x; }
  if (c + 1u < p.out_w) { y[at + 1u] = v.y; }
  if (c + 2u < p.out_w) { y[at + 2u] = v.z; }
  if (c + 3u < p.out_w) { y[at + 3u] = v.w; }
}
// end swap

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  let band = i / p.blocks_w;
  let block = i - band * p.blocks_w;
  let volume = band / p.blocks_h; // plane*OD + d
  let plane = volume / p.out_d;   // n*K + k
  let d = volume - plane * p.out_d;
  let h = (band - volume * p.blocks_h) * ROWS;
  let column = block * COLS;
  let ih0 = p.first_h + i32(h / STRIDE_H);
  let iw0 = p.first_w + i32(column / STRIDE_W);

  var sum: array<f32, TILE>;
  var start = 0.0;
  if (p.bias != 0u) { start = b[plane % p.k_out]; }
  for (var k = 0u; k < TILE; k++) { // unroll
    sum[k] = start;
  }
  // The inputs along depth.
  let at = d + p.pad_d;
  var first = 0;
  if (at >= p.kernel_d) { first = i32((at - p.kernel_d) / p.stride_d) + 1; }
  let last = min(i32(p.in_d) - 1, i32(at / p.stride_d));
  for (var c = 0u; c < p.cg; c++) {
    let channel = plane % p.k_out * p.cg + c; // of the weights
    for (var id = first; id <= last; id++) {
      var weight: array<f32, TAPS>;
      for (var t = 0u; t < TAPS; t++) { // unroll
        weight[t] = w[(channel * p.kernel_d + at - u32(id) * p.stride_d) * TAPS + t];
      }
      let source = ((plane * p.cg + c) * p.in_d + u32(id)) * p.in_h * p.in_w;
      // swap: taps
      // In short; convtranspose_depthwise.go writes out the taps that there are.
      for (var a = 0u; a < SLOTS_H; a++) {
        var g = load(source + u32(clamp(ih0 + i32(a), 0, i32(p.in_h) - 1)) * p.in_w, iw0, ih0 + i32(a) >= 0 && ih0 + i32(a) < i32(p.in_h));
        for (var r = 0u; r < ROWS; r++) {
          for (var e = 0u; e < COLS; e++) {
            for (var s = 0u; s < SLOTS_W; s++) {
              let th = r + SHIFT_H - a * STRIDE_H; // wraps below 0
              let tw = e + SHIFT_W - s * STRIDE_W;
              if (th < KERNEL_H && tw < KERNEL_W) {
                sum[r * COLS + e] = fma(g[s], weight[th * KERNEL_W + tw], sum[r * COLS + e]);
              }
            }
          }
        }
      }
      // end swap
    }
  }
  for (var r = 0u; r < ROWS; r++) { // unroll
    if (h + r < p.out_h) {
      for (var q = 0u; q < QUADS; q++) { // unroll
        store(volume * p.out_h + h + r, column + 4u * q,
              vec4<f32>(activate(sum[r * COLS + 4u * q], p.act_a, p.act_b), activate(sum[r * COLS + 4u * q + 1u], p.act_a, p.act_b),
                        activate(sum[r * COLS + 4u * q + 2u], p.act_a, p.act_b), activate(sum[r * COLS + 4u * q + 3u], p.act_a, p.act_b)));
      }
    }
  }
}
