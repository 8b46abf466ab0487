// The gradient of max, average and Lp pooling in 1, 2 and 3 dimensions, windowed and
// adaptive: a row of dx by one invocation, for software adapters.
//
// The mathematics is that of pool_grad.wgsl. There every element looks for the windows
// over it, with divisions; here a row goes through the windows over it, in ascending
// order, and each adds its part to those of the row's elements that it has: only the
// invocation itself writes to its row, so that sums have the same order on every run.
//
// Layout:   dx and x [planes,D,H,W], dy, y and index [planes,OD,OH,OW], row-major
// Tile:     one row of dx
// Bindings: 0 params, 1 dy, 2 index (max) or y (lp), 3 x (lp), 4 dx
//           (dummies where a kind has none)
// Limits:   every tensor below 2^31 elements; adaptive outputs at most 65,535 on
//           an axis; no dilation along W

struct Params {
  total: u32, // rows of dx
  in_d: u32, in_h: u32, in_w: u32,
  out_d: u32, out_h: u32, out_w: u32,
  kernel_d: u32, kernel_h: u32, kernel_w: u32,
  stride_d: u32, stride_h: u32, stride_w: u32,
  dilation_d: u32, dilation_h: u32, dilation_w: u32,
  pad_d: u32, pad_h: u32, pad_w: u32, // at the beginning
  end_d: u32, end_h: u32, end_w: u32, // input and padding at its end
  exclude_pad: u32,
  divisor: f32,
  plain: u32,
  norm: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> aux: array<u32>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

const WG = 64u;
const KIND = 0u; // 0 max, 1 avg, 2 lp
const ADAPTIVE = false;

// swap: windows
// over, counts and slope of pool_grad.wgsl stand here.
struct Over { first: u32, last: i32 }
fn over(i: u32, size: u32, out: u32, kernel: u32, stride: u32, dilation: u32, pad: u32) -> Over { return Over(0u, i32(out) - 1); }
fn counts(o: u32, i: u32, size: u32, out: u32, kernel: u32, stride: u32, dilation: u32, pad: u32, end: u32) -> vec2<u32> { return vec2<u32>(1u, 1u); }
fn slope(v: f32, y: f32) -> f32 { return v / y; }
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  let volume = id / p.in_h;
  let h = id - volume * p.in_h;
  let plane = volume / p.in_d;
  let d = volume - plane * p.in_d;
  let row = id * p.in_w;
  let place = (d * p.in_h + h) * p.in_w; // of the row in its plane
  for (var i = 0u; i < p.in_w; i++) { dx[row + i] = 0.0; }
  let step = p.in_w / p.out_w;
  let over_step = p.in_w - step * p.out_w;
  let od = over(d, p.in_d, p.out_d, p.kernel_d, p.stride_d, p.dilation_d, p.pad_d);
  let oh = over(h, p.in_h, p.out_h, p.kernel_h, p.stride_h, p.dilation_h, p.pad_h);
  for (var a = od.first; i32(a) <= od.last; a++) {
    let cd = counts(a, d, p.in_d, p.out_d, p.kernel_d, p.stride_d, p.dilation_d, p.pad_d, p.end_d);
    if (cd.x == 0u) { continue; }
    for (var b = oh.first; i32(b) <= oh.last; b++) {
      let ch = counts(b, h, p.in_h, p.out_h, p.kernel_h, p.stride_h, p.dilation_h, p.pad_h, p.end_h);
      if (ch.x == 0u) { continue; }
      let outputs = ((plane * p.out_d + a) * p.out_h + b) * p.out_w;
      var next = 0u; // first element of the next adaptive window, and what is left of the division
      var rest = 0u;
      for (var c = 0u; c < p.out_w; c++) {
        var part = dy[outputs + c];
        if (KIND == 0u) {
          let at = aux[outputs + c] - place; // wraps where the greatest lies before the row
          if (at < p.in_w) { dx[row + at] += part; }
          continue;
        }
        // The window along the row: its first element on the row, how many it has there,
        // and how many count.
        var first = next;
        var taps = 0u;
        var padded = 0u;
        if (ADAPTIVE) {
          next += step;
          rest += over_step;
          if (rest >= p.out_w) {
            rest -= p.out_w;
            next++;
          }
          taps = next + select(0u, 1u, rest > 0u) - first;
          padded = taps;
        } else {
          let at = c * p.stride_w;
          first = max(at, p.pad_w) - p.pad_w;
          taps = u32(max(0, i32(min(at + p.kernel_w, p.in_w + p.pad_w)) - i32(p.pad_w + first)));
          padded = min(p.kernel_w, p.end_w + p.pad_w - at);
        }
        var y = 0.0;
        if (KIND == 1u) {
          var count = p.divisor;
          if (count == 0.0) { count = f32(select(cd.y * ch.y * padded, cd.x * ch.x * taps, p.exclude_pad != 0u)); }
          part = part / count;
        } else {
          y = bitcast<f32>(aux[outputs + c]);
          if (p.plain == 0u) { part *= f32(p.kernel_d * p.kernel_h * p.kernel_w) / f32(cd.y * ch.y * padded); }
        }
        for (var at = row + first; at < row + first + taps; at++) {
          if (KIND == 1u) {
            dx[at] += part;
          } else {
            dx[at] += part * slope(x[at], y);
          }
        }
      }
    }
  }
}
