// The second half of a transposed convolution by a matrix product: gathers the
// products that fall on each output (col2im without atomics).
//
//   columns[n, k*taps + t, i] = sum over c of w[c,k,t] * x[n,c,i]      (a matrix product)
//   y[n,k,o] = act(b[k] + sum over t,i with i*stride - pad + t*dilation = o of columns[n, k*taps + t, i])
//
// Along an axis, the taps that meet an input at q = o + pad are those with
// t*dilation = q modulo the stride: with e = gcd(stride, dilation) none unless e
// divides q, and else every (stride/e)-th, the first of them being
// (q/e)/(dilation/e) modulo stride/e. From one to the next the input moves back
// by dilation/e. All of it is integer arithmetic.
//
// Layout:   columns [N, K*taps, pitch], y [N,K,OD,OH,OW], row-major, b [K]
// Tile:     RUN outputs of a row, a stride apart and so with the same taps and
//           neighbouring inputs, for one invocation
// Bindings: 0 params, 1 columns, 2 b (a dummy where there is none), 3 y
// Limits:   none

struct Params {
  total: u32,                      // invocations: N*K*OD*OH*runs*stride_w
  runs: u32, k_out: u32,
  pitch: u32,                      // from one row of columns to the next
  in_d: u32, in_h: u32, in_w: u32,
  out_d: u32, out_h: u32, out_w: u32,
  kernel_d: u32, kernel_h: u32, kernel_w: u32,
  stride_d: u32, stride_h: u32, stride_w: u32,
  dilation_d: u32, dilation_h: u32, dilation_w: u32,
  pad_d: u32, pad_h: u32, pad_w: u32,
  gcd_d: u32, gcd_h: u32, gcd_w: u32,             // e
  inverse_d: u32, inverse_h: u32, inverse_w: u32, // of dilation/e modulo stride/e
  bias: u32,                       // 1 where there is one
  act_a: f32, act_b: f32,
}

const WG = 64u;
const RUN = 8u;
const NONE = 0xffffffffu;

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> columns: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

// The first tap that meets an input at q, or NONE, which is beyond any kernel.
fn first_tap(q: u32, stride: u32, e: u32, inverse: u32) -> u32 {
  let step = stride / e;
  return select(NONE, q / e % step * inverse % step, q % e == 0u);
}

// The input under that tap; before the first one it wraps around.
fn under(q: u32, t: u32, stride: u32, dilation: u32) -> u32 {
  return u32((i32(q) - i32(t * dilation)) / i32(stride));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + grid.x * (group.y + grid.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  let phase = id % p.stride_w;
  var rest = id / p.stride_w;
  let ow = phase + rest % p.runs * RUN * p.stride_w;
  rest = rest / p.runs;
  let oh = rest % p.out_h;
  rest = rest / p.out_h;
  let od = rest % p.out_d;
  rest = rest / p.out_d; // n*K + k
  let qd = od + p.pad_d;
  let qh = oh + p.pad_h;
  let qw = ow + p.pad_w;
  let tap_d = first_tap(qd, p.stride_d, p.gcd_d, p.inverse_d);
  let tap_h = first_tap(qh, p.stride_h, p.gcd_h, p.inverse_h);
  let tap_w = first_tap(qw, p.stride_w, p.gcd_w, p.inverse_w);

  var acc: array<f32, RUN>;
  var start = 0.0;
  if (p.bias != 0u) { start = b[rest % p.k_out]; }
  for (var j = 0u; j < RUN; j++) { // unroll
    acc[j] = start;
  }
  let first_w = under(qw, tap_w, p.stride_w, p.dilation_w);
  var d = under(qd, tap_d, p.stride_d, p.dilation_d);
  for (var td = tap_d; td < p.kernel_d; td += p.stride_d / p.gcd_d) {
    var h = under(qh, tap_h, p.stride_h, p.dilation_h);
    for (var th = tap_h; th < p.kernel_h; th += p.stride_h / p.gcd_h) {
      var v = first_w;
      for (var tw = tap_w; tw < p.kernel_w; tw += p.stride_w / p.gcd_w) {
        let row = ((rest * p.kernel_d + td) * p.kernel_h + th) * p.kernel_w + tw;
        let at = row * p.pitch + (d * p.in_h + h) * p.in_w + v;
        let inside = d < p.in_d && h < p.in_h;
        for (var j = 0u; j < RUN; j++) { // unroll
          let ok = inside && v + j < p.in_w;
          acc[j] += select(0.0, columns[select(0u, at + j, ok)], ok);
        }
        v -= p.dilation_w / p.gcd_w;
      }
      h -= p.dilation_h / p.gcd_h;
    }
    d -= p.dilation_d / p.gcd_d;
  }

  let out = (rest * p.out_d + od) * p.out_h * p.out_w + oh * p.out_w;
  for (var j = 0u; j < RUN; j++) { // unroll
    let column = ow + j * p.stride_w;
    if (column < p.out_w) { y[out + column] = activate(acc[j], p.act_a, p.act_b); }
  }
}
