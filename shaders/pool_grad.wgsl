// The gradient of max, average and Lp pooling in 1, 2 and 3 dimensions, windowed
// and adaptive, with respect to the input.
//
//   max:  dx[i] = sum over o with index[o] = i of dy[o]
//   avg:  dx[i] = sum over o whose window meets i of dy[o]/count(o)
//   lp:   dx[i] = sum over o whose window meets i of dy[o] * c(o) * (x[i]/y[o])^(p-1)
//
// Each element gathers from the windows over it, in ascending order: no atomics,
// and the same bits on every run.
//
// Layout:   dx and x [planes,D,H,W], dy, y and index [planes,OD,OH,OW], row-major
// Tile:     one invocation for one element of dx
// Bindings: 0 params, 1 dy, 2 index (max) or y (lp), 3 x (lp), 4 dx
//           (dummies where a kind has none)
// Limits:   every tensor below 2^31 elements; adaptive outputs at most 65,535 on
//           an axis

struct Params {
  total: u32, // elements of dx
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

// swap: math
fn k_log2(v: f32) -> f32 { return log2(v); }
fn k_exp2(v: f32) -> f32 { return exp2(v); }
// end swap

// The outputs first..last of an axis whose windows reach over a position.
struct Over { first: u32, last: i32 }

fn over(i: u32, size: u32, out: u32, kernel: u32, stride: u32, dilation: u32, pad: u32) -> Over {
  if (ADAPTIVE) {
    // floor(i*out/size) and ceil((i+1)*out/size) - 1, without overflow
    let q = out / size;
    let r = out % size;
    return Over(i * q + i * r / size, i32((i + 1u) * q + ((i + 1u) * r + size - 1u) / size) - 1);
  }
  let at = i + pad;
  let reach = (kernel - 1u) * dilation;
  var first = 0u;
  if (at > reach) { first = (at - reach + stride - 1u) / stride; }
  return Over(first, min(i32(out) - 1, i32(at / stride)));
}

// How many taps of window o lie on the input (x) and on the input or its padding
// (y); 0 and 0 where none meets position i.
fn counts(o: u32, i: u32, size: u32, out: u32, kernel: u32, stride: u32, dilation: u32, pad: u32, end: u32) -> vec2<u32> {
  if (ADAPTIVE) {
    let q = size / out;
    let r = size % out;
    let first = o * q + o * r / out;
    let n = (o + 1u) * q + ((o + 1u) * r + out - 1u) / out - first;
    if (i < first || i >= first + n) { return vec2<u32>(0u); }
    return vec2<u32>(n, n);
  }
  let at = o * stride;
  let off = i + pad - at;
  if (off % dilation != 0u || off / dilation >= kernel) { return vec2<u32>(0u); }
  let padded = min(kernel, (end + pad - at + dilation - 1u) / dilation);
  var skip = 0u;
  if (at < pad) { skip = (pad - at + dilation - 1u) / dilation; }
  let first = at + skip * dilation - pad;
  return vec2<u32>(min(kernel - skip, (size - first + dilation - 1u) / dilation), padded);
}

// (x/y)^(p-1) with the sign that it has.
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

fn part(o: u32, count: u32, padded: u32, i: u32, place: u32) -> f32 {
  if (KIND == 0u) { return select(0.0, dy[o], aux[o] == place); }
  if (KIND == 1u) {
    if (p.divisor != 0.0) { return dy[o] / p.divisor; }
    return dy[o] / f32(select(padded, count, p.exclude_pad != 0u));
  }
  var c = 1.0;
  if (p.plain == 0u) { c = f32(p.kernel_d * p.kernel_h * p.kernel_w) / f32(padded); }
  return dy[o] * c * slope(x[i], bitcast<f32>(aux[o]));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  let w = i % p.in_w;
  let h = i / p.in_w % p.in_h;
  let d = i / (p.in_w * p.in_h) % p.in_d;
  let plane = i / (p.in_w * p.in_h * p.in_d);
  let place = i - plane * p.in_w * p.in_h * p.in_d;
  let od = over(d, p.in_d, p.out_d, p.kernel_d, p.stride_d, p.dilation_d, p.pad_d);
  let oh = over(h, p.in_h, p.out_h, p.kernel_h, p.stride_h, p.dilation_h, p.pad_h);
  let ow = over(w, p.in_w, p.out_w, p.kernel_w, p.stride_w, p.dilation_w, p.pad_w);
  var sum = 0.0;
  for (var a = od.first; i32(a) <= od.last; a++) {
    let cd = counts(a, d, p.in_d, p.out_d, p.kernel_d, p.stride_d, p.dilation_d, p.pad_d, p.end_d);
    if (cd.x == 0u) { continue; }
    for (var b = oh.first; i32(b) <= oh.last; b++) {
      let ch = counts(b, h, p.in_h, p.out_h, p.kernel_h, p.stride_h, p.dilation_h, p.pad_h, p.end_h);
      if (ch.x == 0u) { continue; }
      for (var c = ow.first; i32(c) <= ow.last; c++) {
        let cw = counts(c, w, p.in_w, p.out_w, p.kernel_w, p.stride_w, p.dilation_w, p.pad_w, p.end_w);
        if (cw.x == 0u) { continue; }
        let o = ((plane * p.out_d + a) * p.out_h + b) * p.out_w + c;
        sum += part(o, cd.x * ch.x * cw.x, cd.y * ch.y * cw.y, i, place);
      }
    }
  }
  dx[i] = sum;
}
