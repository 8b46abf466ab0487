// The gradient of max, average and Lp pooling without dilation, in 1, 2 and 3
// dimensions: a tile of ROWS x COLS elements of dx by one invocation.
//
// The mathematics is that of pool_grad.wgsl. What is faster here: a tile starts
// where its windows stand as in every other tile, since ROWS and COLS are whole
// strides. Which outputs reach over which element is therefore known when the
// text is made: no division is left in a loop, and each output is loaded once for
// all elements under it.
//
// Output rows are numbered from the tile's first one, a = 0; its window starts
// SHIFT_H rows above the tile's first row, and reaches over row r of the tile
// where 0 <= r + SHIFT_H - a*STRIDE_H < KERNEL_H. Columns likewise.
//
// Layout:   dx and x [planes,D,H,W], dy, y and index [planes,OD,OH,OW], row-major
// Tile:     ROWS x COLS elements of dx, from SLOTS_H x SLOTS_W outputs
// Bindings: 0 params, 1 dy, 2 index (max) or y (lp), 3 x (lp), 4 dx
//           (dummies where a kind has none)
// Limits:   every tensor below 2^31 elements; ROWS is a multiple of STRIDE_H and
//           COLS of STRIDE_W; the vec4 form of dx needs W % 4 == 0, that of
//           the outputs OW % 4 == 0 and tiles that start at whole vec4s of them

struct Params {
  total: u32, // invocations: planes*D*blocks_h*blocks_w
  blocks_w: u32, blocks_h: u32, // ceil(W/COLS), ceil(H/ROWS)
  in_d: u32, in_h: u32, in_w: u32,
  out_d: u32, out_h: u32, out_w: u32,
  kernel_d: u32, stride_d: u32,
  first_h: i32, first_w: i32, // the first output of the first tile, which may not exist
  pad_d: u32, pad_h: u32, pad_w: u32, // at the beginning
  end_d: u32, end_h: u32, end_w: u32, // input and padding at its end
  exclude_pad: u32,
  scale: f32, // FIXED: what dy is multiplied by; else taps of a whole window (lp) or 1
  plain: u32,
  norm: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(3) var<storage, read> x: array<f32>;

const WG = 64u;
const KIND = 0u; // 0 max, 1 avg, 2 lp
const FIXED = true; // every window has the same count
const DEPTH = false; // there is an axis of depth
const ROWS = 2u;
const COLS = 8u;
const TILE = 16u; // ROWS*COLS
const QUADS = 2u; // COLS/4
const KERNEL_H = 3u;
const KERNEL_W = 3u;
const STRIDE_H = 2u;
const STRIDE_W = 2u;
const SHIFT_H = 1u;
const SHIFT_W = 1u;
const SLOTS_H = 2u;
const SLOTS_W = 5u;
const SLOT_QUADS = 2u; // SLOTS_W/4, where outputs are loaded by vec4

// swap: input
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> aux: array<u32>;
// Loads the outputs from column first on of a row, zeros where there are none or
// the row does not exist.
fn load(row: u32, first: i32, exists: bool, g: ptr<function, array<f32, SLOTS_W>>, u: ptr<function, array<u32, SLOTS_W>>) {
  for (var b = 0u; b < SLOTS_W; b++) { // unroll
    let c = first + i32(b);
    let at = row + u32(clamp(c, 0, i32(p.out_w) - 1));
    let there = exists && c >= 0 && c < i32(p.out_w);
    (*g)[b] = select(0.0, dy[at], there);
    if (KIND != 1u) { (*u)[b] = select(0u, aux[at], there); } // lp: the slope is 0 where y is
  }
}
// end swap

// swap: output
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
fn store(row: u32, c: u32, v: vec4<f32>) {
  let at = row * p.in_w + c;
  if (c < p.in_w) { dx[at] = v.x; }
  if (c + 1u < p.in_w) { dx[at + 1u] = v.y; }
  if (c + 2u < p.in_w) { dx[at + 2u] = v.z; }
  if (c + 3u < p.in_w) { dx[at + 3u] = v.w; }
}
// end swap

// swap: math
fn k_log2(v: f32) -> f32 { return log2(v); }
fn k_exp2(v: f32) -> f32 { return exp2(v); }
// end swap

// How many taps of window o count in an average (or, lp, lie on the input or its
// padding) along an axis.
fn counted(o: i32, size: u32, end: u32, kernel: u32, stride: u32, pad: u32) -> u32 {
  let at = u32(o) * stride;
  if (KIND == 1u && p.exclude_pad != 0u) { return min(at + kernel, size + pad) - max(at, pad); }
  return min(kernel, end + pad - at);
}

// (v/y)^(p-1) with the sign that it has.
fn slope(v: f32, y: f32) -> f32 {
  if (y == 0.0) { return 0.0; }
  let ratio = v / y;
  if (p.norm == 1.0) { return select(1.0, sign(v), p.plain != 0u); }
  if (p.norm == 2.0) { return ratio; }
  if (ratio == 0.0) { return 0.0; }
  let power = k_exp2((p.norm - 1.0) * k_log2(abs(ratio)));
  if (p.plain != 0u) { return select(power, -power, v < 0.0); }
  let half = (p.norm - 1.0) * 0.5;
  return select(power, -power, ratio < 0.0 && floor(half) != half);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  let band = i / p.blocks_w;
  let block = i - band * p.blocks_w;
  let volume = band / p.blocks_h; // plane*D + d
  var plane = volume;
  if (DEPTH) { plane = volume / p.in_d; }
  let d = volume - plane * p.in_d;
  let h = (band - volume * p.blocks_h) * ROWS;
  let w = block * COLS;
  let oh0 = p.first_h + i32(h / STRIDE_H);
  let ow0 = p.first_w + i32(w / STRIDE_W);

  var sum: array<f32, TILE>;
  var value: array<f32, TILE>; // lp: the elements of x
  for (var k = 0u; k < TILE; k++) { // unroll
    sum[k] = 0.0;
    if (KIND == 2u) { value[k] = x[(volume * p.in_h + min(h + k / COLS, p.in_h - 1u)) * p.in_w + min(w + k % COLS, p.in_w - 1u)]; }
  }
  let place = (d * p.in_h + h) * p.in_w + w; // of the tile's first element in its plane

  // The outputs along depth.
  var first = 0;
  var last = 0;
  if (DEPTH) {
    let at = d + p.pad_d;
    if (at >= p.kernel_d) { first = i32((at - p.kernel_d) / p.stride_d) + 1; }
    last = min(i32(p.out_d) - 1, i32(at / p.stride_d));
  }
  for (var od = first; od <= last; od++) {
    let count_d = counted(od, p.in_d, p.end_d, p.kernel_d, p.stride_d, p.pad_d);
    for (var a = 0u; a < SLOTS_H; a++) { // unroll
      let oh = clamp(oh0 + i32(a), 0, i32(p.out_h) - 1);
      let row = ((plane * p.out_d + u32(od)) * p.out_h + u32(oh)) * p.out_w;
      var g: array<f32, SLOTS_W>;
      var u: array<u32, SLOTS_W>;
      load(row, ow0, oh == oh0 + i32(a), &g, &u);
      if (KIND != 0u) {
        let count_h = counted(oh, p.in_h, p.end_h, KERNEL_H, STRIDE_H, p.pad_h);
        for (var b = 0u; b < SLOTS_W; b++) { // unroll
          if (FIXED) {
            g[b] *= p.scale;
          } else {
            let ow = clamp(ow0 + i32(b), 0, i32(p.out_w) - 1);
            g[b] *= p.scale / f32(count_d * count_h * counted(ow, p.in_w, p.end_w, KERNEL_W, STRIDE_W, p.pad_w));
          }
        }
      }
      for (var r = 0u; r < ROWS; r++) { // unroll
        if (r + SHIFT_H >= a * STRIDE_H && r + SHIFT_H < a * STRIDE_H + KERNEL_H) {
          // Where the maxima lie in this row of the tile.
          var column: array<u32, SLOTS_W>;
          if (KIND == 0u) {
            for (var b = 0u; b < SLOTS_W; b++) { // unroll
              column[b] = u[b] - (place + r * p.in_w);
            }
          }
          for (var c = 0u; c < COLS; c++) { // unroll
            for (var b = 0u; b < SLOTS_W; b++) { // unroll
              if (c + SHIFT_W >= b * STRIDE_W && c + SHIFT_W < b * STRIDE_W + KERNEL_W) {
                if (KIND == 0u) {
                  sum[r * COLS + c] += select(0.0, g[b], column[b] == c);
                } else if (KIND == 1u) {
                  sum[r * COLS + c] += g[b];
                } else {
                  sum[r * COLS + c] += g[b] * slope(value[r * COLS + c], bitcast<f32>(u[b]));
                }
              }
            }
          }
        }
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) { // unroll
    if (h + r < p.in_h) {
      for (var c = 0u; c < QUADS; c++) { // unroll
        store(volume * p.in_h + h + r, w + 4u * c, vec4<f32>(sum[r * COLS + 4u * c], sum[r * COLS + 4u * c + 1u],
              sum[r * COLS + 4u * c + 2u], sum[r * COLS + 4u * c + 3u]));
      }
    }
  }
}
