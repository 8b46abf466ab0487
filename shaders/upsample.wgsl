// Resampling of one to three spatial axes: nearest and linear.
//
// Position o of an axis of y lies at (o*mul + add)/den of x, held within the
// axis: an element, and for LINEAR the distance beyond it, rest/den.
//
//   nearest: y[n,o] = x[n, floor position]
//   linear:  y[n,o] = sum over the 2, 4 or 8 corners of weight * x[n, corner],
//            one axis after another, neighbours of weight 0 left out
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
const DEEP = true; // the depth axis is interpolated too

struct Place {
  at: u32,     // element at or below the position
  near: f32,   // its weight, in (0, 1]
  beyond: f32, // the weight of the next, the distance from the first; not taken
               // from each other, which would cost a small one its digits
}

// The position of o along an axis. The estimate of position and remainder is off
// by a few elements at most, what is left of the remainder by one.
fn place(o: u32, size: u32, mul: u32, add: i32, den: u32, ratio: f32) -> Place {
  var at = i32(f32(o) * ratio);
  var rest = bitcast<i32>(o * mul + bitcast<u32>(add) - bitcast<u32>(at) * den);
  let off = i32(floor(f32(rest) / f32(den)));
  at += off;
  rest -= off * i32(den);
  at += select(select(0, 1, rest >= i32(den)), -1, rest < 0);
  rest += select(select(0, -i32(den), rest >= i32(den)), i32(den), rest < 0);
  let inside = at >= 0 && at < i32(size) - 1;
  let near = select(1.0, f32(i32(den) - rest) / f32(den), inside);
  let beyond = select(0.0, f32(rest) / f32(den), inside);
  return Place(u32(clamp(at, 0, i32(size) - 1)), near, beyond);
}

// u and the next one, v, weighted. A v of no weight takes no part, were it
// infinite.
fn blend(u: f32, v: f32, w: Place) -> f32 {
  return fma(w.beyond, select(0.0, v, w.beyond > 0.0), w.near * u);
}

// The row of x that starts at base, at place w.
fn row(base: u32, w: Place) -> f32 {
  return blend(x[base + w.at], x[base + w.at + select(0u, 1u, w.beyond > 0.0)], w);
}

// The rows at base and, where it counts, the next one.
fn plane(base: u32, h: Place, w: Place) -> f32 {
  return blend(row(base, w), row(base + select(0u, p.in_w, h.beyond > 0.0), w), h);
}

// The output at position ow, in the plane and row whose places are d and h and
// whose first element is base.
fn value(base: u32, d: Place, h: Place, ow: u32) -> f32 {
  let w = place(ow, p.in_w, p.mul_w, p.add_w, p.den_w, p.ratio_w);
  if (!LINEAR) { return x[base + w.at]; }
  let u = plane(base, h, w);
  if (!DEEP) { return u; }
  return blend(u, plane(base + select(0u, p.in_h * p.in_w, d.beyond > 0.0), h, w), d);
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
