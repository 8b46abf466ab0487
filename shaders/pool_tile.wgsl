// Max and average pooling with a window in 1, 2 and 3 dimensions: four
// neighbours along a row, in ROWS rows, by one invocation.
//
// The mathematics is that of pool.wgsl. What is faster here: the elements of a
// row that the four outputs share are loaded once (by vec4 where rows are whole
// vec4s), a row's part of the four windows is computed once for all of the ROWS
// output rows that need it, and the loops along a row have constant bounds, so
// that compilers unroll them into registers.
//
// NaN: the built-in max may drop it, so the largest bit pattern without sign is
// carried along; beyond that of infinity it is a NaN, and it is the result.
// Sums are taken along rows, then of rows, then of layers, as in pool.wgsl.
//
// Layout:   x [planes,D,H,W], y and indices [planes,OD,OH,OW], row-major
// Tile:     1x4 outputs, ROWS times; one invocation
// Bindings: 0 params, 1 x, 2 y, 3 indices (only where they are asked for)
// Limits:   every tensor below 2^31 elements; ROWS > 1 needs dilation_h = 1;
//           the vec4 form of x needs W % 4 == 0, that of y OW % 4 == 0

struct Params {
  total: u32, // invocations: planes*OD*blocks_h*blocks_w
  blocks_w: u32, blocks_h: u32, // ceil(OW/4), ceil(OH/ROWS)
  in_d: u32, in_h: u32, in_w: u32,
  out_d: u32, out_h: u32, out_w: u32,
  kernel_d: u32, kernel_h: u32,
  stride_d: u32, stride_h: u32,
  dilation_d: u32, dilation_h: u32,
  pad_d: u32, pad_h: u32, pad_w: u32, // at the beginning
  end_d: u32, end_h: u32, end_w: u32, // input and padding at its end
  exclude_pad: u32, // avg: count elements of the input only
  scale: f32,       // avg, where FIXED: one over the count
  lowest: f32,      // -Inf, which WGSL has no constant for
}

@group(0) @binding(0) var<uniform> p: Params;

const WG = 64u;
const KIND = 0u; // 0 max, 1 avg
const INDICES = false;
const ROWS = 2u;
const KERNEL_W = 3u;
const STRIDE_W = 2u;
const DILATION_W = 1u;
const DEPTH = false; // the kernel has more than one layer
const FIXED = true;  // every window has the same count
const LEAD = 0u;     // elements of the segment before the first output's first tap
const SEGMENT = 9u;  // elements of a row that four outputs need: LEAD + 3*STRIDE_W + (KERNEL_W-1)*DILATION_W + 1, for vec4s rounded up

// swap: input
@group(0) @binding(1) var<storage, read> x: array<f32>;
// Loads the segment from column c of the row that starts at element row.
fn load(s: ptr<function, array<f32, SEGMENT>>, row: u32, c: i32, outside: f32) {
  for (var i = 0u; i < SEGMENT; i++) {
    let at = c + i32(i);
    var v = outside;
    if (at >= 0 && at < i32(p.in_w)) { v = x[row + u32(at)]; }
    (*s)[i] = v;
  }
}
// end swap

// swap: output
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
fn store(row: u32, block: u32, v: vec4<f32>) {
  let c = block * 4u;
  let at = row * p.out_w + c;
  y[at] = v.x;
  if (c + 1u < p.out_w) { y[at + 1u] = v.y; }
  if (c + 2u < p.out_w) { y[at + 2u] = v.z; }
  if (c + 3u < p.out_w) { y[at + 3u] = v.w; }
}
// end swap

// swap: indices
@group(0) @binding(3) var<storage, read_write> indices: array<i32>;
fn store_index(row: u32, block: u32, v: vec4<i32>) {
  let c = block * 4u;
  let at = row * p.out_w + c;
  indices[at] = v.x;
  if (c + 1u < p.out_w) { indices[at + 1u] = v.y; }
  if (c + 2u < p.out_w) { indices[at + 2u] = v.z; }
  if (c + 3u < p.out_w) { indices[at + 3u] = v.w; }
}
// end swap

const INF = vec4<u32>(0x7f800000u);

fn magnitude_bits(v: vec4<f32>) -> vec4<u32> { return bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu); }

// 1/n for counts n: whatever the driver's division gives, within a unit roundoff or two.
fn reciprocal(n: vec4<f32>) -> vec4<f32> {
  let r = bitcast<vec4<f32>>(min(bitcast<vec4<u32>>(vec4<f32>(1.0) / n), vec4<u32>(0xffc00000u))); // k_pin of math.wgsl
  return fma(fma(-n, r, vec4<f32>(1.0)), r, r);
}

// The number of steps from position at that reach n or beyond.
fn steps(at: i32, n: u32, step: u32) -> u32 { return (u32(max(i32(n) - at, 0)) + step - 1u) / step; }

// How many taps from position at, a step apart, count in an average.
fn counted(at: i32, size: u32, end: u32, kernel: u32, step: u32) -> u32 {
  if (p.exclude_pad == 0u) { return min(kernel, steps(at, end, step)); }
  return max(min(kernel, steps(at, size, step)), steps(at, 0u, step)) - steps(at, 0u, step);
}

// The same for four outputs of a row.
fn counted_w(col: i32) -> vec4<f32> {
  var n: vec4<f32>;
  for (var j = 0u; j < 4u; j++) {
    n[j] = f32(counted(col + i32(j * STRIDE_W), p.in_w, p.end_w, KERNEL_W, DILATION_W));
  }
  return n;
}

// The column of the first tap on the input for four outputs; -1 where there is none.
fn first_w(col: i32) -> vec4<i32> {
  var c: vec4<i32>;
  for (var j = 0u; j < 4u; j++) {
    let at = col + i32(j * STRIDE_W);
    let skip = steps(at, 0u, DILATION_W);
    c[j] = at + i32(skip * DILATION_W);
    if (skip >= KERNEL_W || c[j] >= i32(p.in_w)) { c[j] = -1; }
  }
  return c;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  let block = i % p.blocks_w;
  let band = i / p.blocks_w;
  let row0 = band % p.blocks_h * ROWS;
  let volume = band / p.blocks_h; // plane*OD + od
  let plane = volume / p.out_d;
  let col = i32(block * 4u * STRIDE_W) - i32(p.pad_w);
  let top = i32(row0 * p.stride_h) - i32(p.pad_h);
  let front = i32(volume % p.out_d * p.stride_d) - i32(p.pad_d);
  let span_h = (p.kernel_h - 1u) * p.dilation_h + 1u;
  let row_first = top + i32(steps(top, 0u, p.dilation_h) * p.dilation_h);
  let row_end = min(i32(p.in_h), top + i32((ROWS - 1u) * p.stride_h + span_h));
  let d_first = front + i32(steps(front, 0u, p.dilation_d) * p.dilation_d);
  let d_end = min(i32(p.in_d), front + i32((p.kernel_d - 1u) * p.dilation_d + 1u));

  var outside = 0.0;
  if (KIND == 0u) { outside = p.lowest; }
  var acc: array<vec4<f32>, ROWS>;   // maxima, or the sums of the layer
  var total: array<vec4<f32>, ROWS>; // avg: sums of the layers
  var bits: array<vec4<u32>, ROWS>;  // max: the largest bit pattern
  var at: array<vec4<i32>, ROWS>;    // max: the place in the plane
  var first_col = vec4<i32>(0);
  if (INDICES) { first_col = first_w(col); }
  for (var k = 0u; k < ROWS; k++) {
    acc[k] = vec4<f32>(outside);
    if (INDICES) {
      // Where nothing is larger than -Inf, the first element of the window is it.
      let t = top + i32(k * p.stride_h);
      let r = t + i32(steps(t, 0u, p.dilation_h) * p.dilation_h);
      at[k] = (d_first * i32(p.in_h) + r) * i32(p.in_w) + first_col;
      let none = d_first >= d_end || r >= min(i32(p.in_h), t + i32(span_h));
      at[k] = select(at[k], vec4<i32>(-1), (first_col < vec4<i32>(0)) | vec4<bool>(none));
    }
  }
  for (var d = d_first; d < d_end; d += i32(p.dilation_d)) {
    let layer = u32(d) * p.in_h;
    for (var r = row_first; r < row_end; r += i32(p.dilation_h)) {
      var s: array<f32, SEGMENT>;
      let row = layer + u32(r);
      load(&s, (plane * p.in_d * p.in_h + row) * p.in_w, col - i32(LEAD), outside);
      var h = vec4<f32>(outside);
      var m = vec4<u32>(0u);
      var c = vec4<i32>(0);
      for (var t = 0u; t < KERNEL_W; t++) {
        let e = LEAD + t * DILATION_W;
        let v = vec4<f32>(s[e], s[e + STRIDE_W], s[e + 2u * STRIDE_W], s[e + 3u * STRIDE_W]);
        if (KIND == 1u) {
          h += v;
        } else if (INDICES) {
          let b = magnitude_bits(v);
          let better = (b > INF) | ((m <= INF) & (v > h));
          h = select(h, v, better);
          c = select(c, vec4<i32>(i32(t * DILATION_W)), better);
          m = max(m, b);
        } else {
          h = max(h, v);
          m = max(m, magnitude_bits(v));
        }
      }
      if (INDICES) { c += vec4<i32>(i32(row * p.in_w) + col) + vec4<i32>(0, i32(STRIDE_W), 2 * i32(STRIDE_W), 3 * i32(STRIDE_W)); }
      for (var k = 0u; k < ROWS; k++) {
        let below = r - top - i32(k * p.stride_h);
        if (ROWS == 1u || (below >= 0 && below < i32(span_h))) {
          if (KIND == 1u) {
            acc[k] += h;
          } else if (INDICES) {
            let better = (m > INF) | ((bits[k] <= INF) & (h > acc[k]));
            acc[k] = select(acc[k], h, better);
            at[k] = select(at[k], c, better);
            bits[k] = max(bits[k], m);
          } else {
            acc[k] = max(acc[k], h);
            bits[k] = max(bits[k], m);
          }
        }
      }
    }
    if (KIND == 1u && DEPTH) {
      for (var k = 0u; k < ROWS; k++) {
        total[k] += acc[k];
        acc[k] = vec4<f32>(0.0);
      }
    }
  }

  for (var k = 0u; k < ROWS; k++) {
    if (row0 + k < p.out_h) {
      let row = volume * p.out_h + row0 + k;
      if (KIND == 0u) {
        store(row, block, select(acc[k], bitcast<vec4<f32>>(bits[k]), bits[k] > INF));
        if (INDICES) { store_index(row, block, at[k]); }
      } else {
        var sum = acc[k];
        if (DEPTH) { sum = total[k]; }
        if (FIXED) {
          store(row, block, sum * p.scale);
        } else {
          let n = counted(front, p.in_d, p.end_d, p.kernel_d, p.dilation_d)
                * counted(top + i32(k * p.stride_h), p.in_h, p.end_h, p.kernel_h, p.dilation_h);
          store(row, block, sum * reciprocal(max(f32(n) * counted_w(col), vec4<f32>(1.0))));
        }
      }
    }
  }
}
