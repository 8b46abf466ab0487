// Max, average and Lp pooling in 1, 2 and 3 dimensions, windowed and adaptive,
// with or without indices: the naive kernel.
//
//   max:  y[o] = the largest element of W(o); NaN if one is NaN; -Inf if none is
//   avg:  y[o] = sum of W(o) / count
//   lp:   y[o] = (sum of x^p over W(o) * taps/count)^(1/p), plain: of |x|^p, unscaled
//
// W(o) are the elements of one plane under the taps o*stride - pad + t*dilation,
// or, adaptive, those from floor(o*in/out) to ceil((o+1)*in/out)-1. Lower ranks
// have leading axes of size 1, so that one text serves all of them.
//
// Sums are taken along rows, then of rows, then of layers: the rounding error
// grows with the window's sides, not with its volume. NaN is found by its bits.
//
// Layout:   x [planes,D,H,W], y and indices [planes,OD,OH,OW], row-major
// Tile:     one invocation for one output
// Bindings: 0 params, 1 x, 2 y, 3 indices (only where they are asked for)
// Limits:   every tensor below 2^31 elements; adaptive outputs at most 65,535
//           on an axis, so that their windows' ends fit 32 bits
//
// It is the definition that the faster kernels are compared with. With the walk
// of pool_group.wgsl in place of its own, a workgroup shares each window.

struct Params {
  total: u32, // outputs: planes*OD*OH*OW
  in_d: u32, in_h: u32, in_w: u32,
  out_d: u32, out_h: u32, out_w: u32,
  kernel_d: u32, kernel_h: u32, kernel_w: u32,
  stride_d: u32, stride_h: u32, stride_w: u32,
  dilation_d: u32, dilation_h: u32, dilation_w: u32,
  pad_d: u32, pad_h: u32, pad_w: u32, // at the beginning
  end_d: u32, end_h: u32, end_w: u32, // input and padding at its end
  exclude_pad: u32, // avg: count elements of the input only
  divisor: f32,     // avg: in place of the count, where it is not 0
  plain: u32,       // lp: |x|^p, and no scaling
  norm: f32,        // lp: p
  lowest: f32,      // -Inf, which WGSL has no constant for
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
// swap: indices
@group(0) @binding(3) var<storage, read_write> indices: array<i32>;
fn store_index(o: u32, at: i32) { indices[o] = at; }
// end swap

const WG = 64u;
const KIND = 0u; // 0 max, 1 avg, 2 lp
const ADAPTIVE = false;

// swap: math
fn k_is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }
fn k_nan(v: f32) -> f32 { return bitcast<f32>(bitcast<u32>(v) | 0x7fc00000u); }
fn k_pin(v: f32) -> f32 { return v; }
fn k_sqrt(v: f32) -> f32 { return sqrt(v); }
fn k_log2(v: f32) -> f32 { return log2(v); }
fn k_exp2(v: f32) -> f32 { return exp2(v); }
// end swap

// 1/n for a count n: whatever the driver's division gives, within a unit roundoff or two.
fn reciprocal(n: f32) -> f32 {
  let r = k_pin(1.0 / n);
  return fma(fma(-n, r, 1.0), r, r);
}

struct Span {
  first: u32,  // the first position under a tap
  count: u32,  // taps on the input
  padded: u32, // taps on the input or its padding
}

fn span(o: u32, size: u32, out: u32, kernel: u32, stride: u32, dilation: u32, pad: u32, end: u32) -> Span {
  var s: Span;
  if (ADAPTIVE) {
    let q = size / out;
    let r = size % out;
    s.first = o * q + o * r / out;
    s.count = (o + 1u) * q + ((o + 1u) * r + out - 1u) / out - s.first;
    s.padded = s.count;
    return s;
  }
  let at = o * stride;
  s.padded = min(kernel, (end + pad - at + dilation - 1u) / dilation);
  var skip = 0u;
  if (at < pad) { skip = (pad - at + dilation - 1u) / dilation; }
  s.first = at + skip * dilation - pad;
  if (s.first >= size || skip >= kernel) { s.first = 0u; return s; } // no tap on the input
  s.count = min(kernel - skip, (size - s.first + dilation - 1u) / dilation);
  return s;
}

// The window of one output.
struct Window { base: u32, d: Span, h: Span, w: Span }

fn row_at(win: Window, d: u32, h: u32) -> u32 {
  return win.base + ((win.d.first + d * p.dilation_d) * p.in_h + win.h.first + h * p.dilation_h) * p.in_w + win.w.first;
}

// A maximum so far: -1 where nothing was seen.
struct Maximum { value: f32, place: i32 }

// What becomes of a maximum when an element from further on comes in: the first
// of equal ones stays, and the last NaN.
fn later(m: Maximum, e: Maximum) -> Maximum {
  if (e.place >= 0 && (k_is_nan(e.value) || m.place < 0 || (!k_is_nan(m.value) && e.value > m.value))) { return e; }
  return m;
}

// (v/largest)^p, with the sign that v^p has unless absolute; NaN where it has none.
fn power_of(v: f32, largest: f32, absolute: bool) -> f32 {
  if (k_is_nan(v)) { return v; }
  if (v == 0.0) { return 0.0; }
  var ratio = 1.0;
  if (abs(v) < largest) { ratio = abs(v) / largest; }
  var r = ratio;
  if (ratio < 1.0) {
    r = 0.0;
    if (ratio > 0.0) { r = k_exp2(p.norm * k_log2(ratio)); }
  }
  if (absolute || v > 0.0) { return r; }
  if (floor(p.norm) != p.norm) { return k_nan(v); }
  let half = p.norm * 0.5;
  return select(-r, r, floor(half) == half);
}

// v^(1/p)*largest for the sum v of such powers.
fn root_of(v: f32, largest: f32) -> f32 {
  if (k_is_nan(v) || v == 0.0 || p.norm == 1.0) { return v * largest; }
  if (v < 0.0) { return k_nan(v); }
  if (v == 1.0) { return largest; }
  return k_exp2(k_log2(v) / p.norm) * largest;
}

// taps/count, by which PyTorch's Lp pooling scales the sum of a window that
// hangs over the end.
fn overhang(win: Window) -> f32 {
  if (p.plain != 0u) { return 1.0; }
  let taps = p.kernel_d * p.kernel_h * p.kernel_w;
  let count = win.d.padded * win.h.padded * win.w.padded;
  if (taps == count) { return 1.0; }
  return f32(taps) * reciprocal(f32(count));
}

// swap: walk
// How the elements of a window are visited: here one after the other.

// The output that an invocation works on, and whether it stores the result.
fn output_of(group: u32, local: u32) -> u32 { return group * WG + local; }
fn stores() -> bool { return true; }

// The sum over the window of |x|*scale raised to the power: 1 the element itself,
// with its sign unless absolute; 2 its square; 3 the p-th power.
fn sum_of(win: Window, power: u32, scale: f32, absolute: bool, largest: f32) -> f32 {
  var total = 0.0;
  for (var d = 0u; d < win.d.count; d++) {
    var layer = 0.0;
    for (var h = 0u; h < win.h.count; h++) {
      var row = 0.0;
      var i = row_at(win, d, h);
      for (var w = 0u; w < win.w.count; w++) {
        var v = x[i] * scale;
        if (power == 3u) {
          row += power_of(v, largest, absolute);
        } else if (power == 2u) {
          row = fma(v, v, row);
        } else {
          if (absolute) { v = abs(v); }
          row += v;
        }
        i += p.dilation_w;
      }
      layer += row;
    }
    total += layer;
  }
  return total;
}

// The largest magnitude in the window, NaN left out.
fn largest_of(win: Window) -> f32 {
  var largest = 0.0;
  for (var d = 0u; d < win.d.count; d++) {
    for (var h = 0u; h < win.h.count; h++) {
      var i = row_at(win, d, h);
      for (var w = 0u; w < win.w.count; w++) {
        let v = abs(x[i]);
        if (!k_is_nan(v) && v > largest) { largest = v; }
        i += p.dilation_w;
      }
    }
  }
  return largest;
}

// The largest element and its place.
fn maximum(win: Window) -> Maximum {
  var m = Maximum(p.lowest, -1);
  for (var d = 0u; d < win.d.count; d++) {
    for (var h = 0u; h < win.h.count; h++) {
      var i = row_at(win, d, h);
      for (var w = 0u; w < win.w.count; w++) {
        m = later(m, Maximum(x[i], i32(i - win.base)));
        i += p.dilation_w;
      }
    }
  }
  return m;
}
// end swap

fn average(win: Window) -> f32 {
  if (win.d.count * win.h.count * win.w.count == 0u) { return 0.0; }
  let sum = sum_of(win, 1u, 1.0, false, 1.0);
  if (p.divisor != 0.0) { return sum * reciprocal(p.divisor); }
  if (p.exclude_pad != 0u) { return sum * reciprocal(f32(win.d.count * win.h.count * win.w.count)); }
  return sum * reciprocal(f32(win.d.padded * win.h.padded * win.w.padded));
}

fn norm(win: Window) -> f32 {
  if (win.d.count * win.h.count * win.w.count == 0u) { return 0.0; }
  if (p.norm == 1.0) { return sum_of(win, 1u, 1.0, p.plain != 0u, 1.0) * overhang(win); }
  if (p.norm == 2.0) {
    var sum = sum_of(win, 2u, 1.0, false, 1.0);
    var back = 1.0;
    // Squares leave the range long before their root does: then once more with
    // the elements scaled by a power of two.
    if (sum > 1e36) { back = 0x1p80; sum = sum_of(win, 2u, 0x1p-80, false, 1.0); }
    else if (sum < 1e-27) { back = 0x1p-80; sum = sum_of(win, 2u, 0x1p80, false, 1.0); }
    return k_sqrt(sum * overhang(win)) * back;
  }
  let largest = largest_of(win);
  var scale = 1.0; // keeps a quotient's operands in the range that drivers divide well
  if (largest > 1e30) { scale = 0x1p-60; }
  else if (largest < 1e-30) { scale = 0x1p60; }
  let sum = sum_of(win, 3u, scale, p.plain != 0u, largest * scale) * overhang(win);
  return root_of(sum, largest * scale) * (1.0 / scale);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let o = output_of(group.x + groups.x * (group.y + groups.y * group.z), local);
  if (o >= p.total) { return; }
  let plane = o / (p.out_w * p.out_h * p.out_d);
  var win: Window;
  win.base = plane * p.in_d * p.in_h * p.in_w;
  win.d = span(o / (p.out_w * p.out_h) % p.out_d, p.in_d, p.out_d, p.kernel_d, p.stride_d, p.dilation_d, p.pad_d, p.end_d);
  win.h = span(o / p.out_w % p.out_h, p.in_h, p.out_h, p.kernel_h, p.stride_h, p.dilation_h, p.pad_h, p.end_h);
  win.w = span(o % p.out_w, p.in_w, p.out_w, p.kernel_w, p.stride_w, p.dilation_w, p.pad_w, p.end_w);
  if (KIND == 0u) {
    let m = maximum(win);
    if (stores()) {
      y[o] = m.value;
      store_index(o, m.place);
    }
    return;
  }
  var v = 0.0;
  if (KIND == 1u) { v = average(win); } else { v = norm(win); }
  if (stores()) { y[o] = v; }
}
