// Resampling of one to three spatial axes: nearest and linear.
//
// Position o of an axis of y lies at (o*mul + add)/den of x, held within the
// axis: an element, and for LINEAR the distance beyond it, rest/den.
//
//   nearest: y[n,o] = x[n, floor position]
//   linear:  y[n,o] = sum over the 2, 4 or 8 corners of weight * x[n, corner],
//            corners of weight 0 left out
//
// Layout:   x [n, in_d, in_h, in_w], y [n, out_d, out_h, out_w], dense; lower
//           ranks have leading axes of size 1
// Tile:     one invocation for WIDTH neighbours along the last axis of y: 1, or
//           4, which y is then bound as vec4s of
// Bindings: 0 params, 1 x, 2 y
// Limits:   axes up to 2^24: the position is estimated in float32, a few
//           elements off at most, and set right by the remainder in integers,
//           in which products may wrap around

struct Params {
  total: u32, // invocations
  in_d: u32, in_h: u32, in_w: u32,
  out_d: u32, out_h: u32, out_w: u32,
  mul_d: u32, mul_h: u32, mul_w: u32,
  add_d: i32, add_h: i32, add_w: i32,
  den_d: u32, den_h: u32, den_w: u32,
  ratio_d: f32, ratio_h: f32, ratio_w: f32, // mul/den
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const WG = 64u;
const WIDTH = 1u;
const LINEAR = false;

struct Place {
  at: u32,     // element at or below the position
  near: f32,   // its weight, in (0, 1]
  beyond: f32, // the weight of the next, the distance from the first; not taken
               // from each other, which would cost a small one its digits
}

fn place(o: u32, size: u32, mul: u32, add: i32, den: u32, ratio: f32) -> Place {
  var at = i32(f32(o) * ratio);
  var rest = bitcast<i32>(o * mul + bitcast<u32>(add) - bitcast<u32>(at) * den);
  while (rest < 0) {
    rest += i32(den);
    at -= 1;
  }
  while (rest >= i32(den)) {
    rest -= i32(den);
    at += 1;
  }
  if (at < 0) { return Place(0u, 1.0, 0.0); }
  if (at >= i32(size) - 1) { return Place(size - 1u, 1.0, 0.0); }
  return Place(u32(at), f32(i32(den) - rest) / f32(den), f32(rest) / f32(den));
}

// Adds the two elements along w at the start of a row, weighted.
fn row(base: u32, w: Place, weight: f32, sum: f32) -> f32 {
  var s = sum;
  if (weight > 0.0) {
    s = fma(weight * w.near, x[base + w.at], s);
    if (w.beyond > 0.0) { s = fma(weight * w.beyond, x[base + w.at + 1u], s); }
  }
  return s;
}

// The output at position ow, in the plane and row whose places are d and h and
// whose first element is base.
fn value(base: u32, d: Place, h: Place, ow: u32) -> f32 {
  let w = place(ow, p.in_w, p.mul_w, p.add_w, p.den_w, p.ratio_w);
  if (!LINEAR) { return x[base + w.at]; }
  let plane = p.in_h * p.in_w;
  var sum = row(base, w, d.near * h.near, 0.0);
  sum = row(base + p.in_w, w, d.near * h.beyond, sum);
  sum = row(base + plane, w, d.beyond * h.near, sum);
  return row(base + plane + p.in_w, w, d.beyond * h.beyond, sum);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  let per_row = p.out_w / WIDTH;
  let ow = i % per_row * WIDTH;
  let oh = i / per_row % p.out_h;
  let od = i / (per_row * p.out_h) % p.out_d;
  let n = i / (per_row * p.out_h * p.out_d);
  let d = place(od, p.in_d, p.mul_d, p.add_d, p.den_d, p.ratio_d);
  let h = place(oh, p.in_h, p.mul_h, p.add_h, p.den_h, p.ratio_h);
  let base = ((n * p.in_d + d.at) * p.in_h + h.at) * p.in_w;
  // swap: store
  y[i] = value(base, d, h, ow);
  // end swap
}
