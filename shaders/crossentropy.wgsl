// Cross-entropy with class labels, and the gradient of the logits.
//
//   l = (1-e) w[y] (L - x[y]) + e/C sum_c w[c] (L - x[c]),   L = log sum_c exp x[c]
//   dl/dx[c] = (1-e) w[y] (p[c] - [c = y]) + e/C (W p[c] - w[c]),   p[c] = exp(x[c] - L), W = sum_c w[c]
//
// L is computed from x - max x, so that no exponential overflows.
//
// Layout:   x [N,C,inner], labels and l [N,inner] (labels as int32 bits), w [C]
// Tile:     one invocation for one sample; it walks over the classes
// Bindings: 0 params, 1 x, 2 labels, 3 w (a dummy where WEIGHTED is false),
//           4 dy (a dummy without GRAD), 5 y: l or dx, 6 the sample's weight
//           w[y] (without GRAD)
// Limits:   a label outside of [0, C) gives NaN, unless it is `ignore`: then
//           loss, weight and gradient are 0

struct Params {
  samples: u32, classes: u32, inner: u32, dy_stride: u32,
  ignored: u32, // bits of the label that does not count
  smoothing: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
// swap: weight binding
@group(0) @binding(6) var<storage, read_write> weight: array<f32>;
// end swap

const WG = 64u;
const GRAD = false;
const WEIGHTED = false;

// swap: math
fn k_exp(v: f32) -> f32 { return exp(v); }
fn k_log(v: f32) -> f32 { return log(v); }
fn k_nan(v: f32) -> f32 { return bitcast<f32>(bitcast<u32>(v) | 0x7fc00000u); }
fn k_is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }
// end swap

fn class_weight(c: u32) -> f32 {
  if (WEIGHTED) { return w[c]; }
  return 1.0;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.samples) { return; }
  let at = i / p.inner * p.classes * p.inner + i % p.inner;
  let label = labels[i];
  let counts = label != p.ignored;
  let valid = label < p.classes;

  var top = x[at];
  for (var c = 1u; c < p.classes; c++) {
    let v = x[at + c * p.inner];
    top = select(top, v, v > top || k_is_nan(v));
  }
  var sum = 0.0;
  for (var c = 0u; c < p.classes; c++) { sum += k_exp(x[at + c * p.inner] - top); }
  let log_sum = k_log(sum); // L = top + log_sum

  if (GRAD) {
    var total = 0.0;
    for (var c = 0u; c < p.classes; c++) { total += class_weight(c); }
    var hard = 0.0;
    if (valid) { hard = (1.0 - p.smoothing) * class_weight(label); }
    let soft = p.smoothing / f32(p.classes);
    let d = dy[i * p.dy_stride];
    for (var c = 0u; c < p.classes; c++) {
      let prob = k_exp(x[at + c * p.inner] - top) / sum;
      var g = d * (hard * (prob - select(0.0, 1.0, c == label)) + soft * (total * prob - class_weight(c)));
      if (!valid) { g = k_nan(1.0); }
      if (!counts) { g = 0.0; }
      y[at + c * p.inner] = g;
    }
  } else {
    var l = k_nan(1.0);
    var wy = 1.0;
    if (valid) {
      wy = class_weight(label);
      l = (1.0 - p.smoothing) * wy * ((top - x[at + label * p.inner]) + log_sum);
      if (p.smoothing > 0.0) {
        var even = 0.0;
        for (var c = 0u; c < p.classes; c++) { even += class_weight(c) * ((top - x[at + c * p.inner]) + log_sum); }
        l += p.smoothing / f32(p.classes) * even;
      }
    }
    y[i] = select(0.0, l, counts);
    // swap: weight
    weight[i] = select(0.0, wy, counts);
    // end swap
  }
}
