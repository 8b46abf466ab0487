// Padding and cropping of any axes.
//
//   y[o] = x[place(o - begin)] along each axis; outside of x stands what the mode
//   says: a value, or the element of x that it maps the position to
//
// Layout:   x and y dense; up to eight axes, innermost first, each with its size
//           in x and y and what was added at its beginning (negative: cropped)
// Tile:     one invocation for WIDTH neighbours along the innermost axis of y:
//           1, or 4, which y is then bound as vec4s of, and x too where each is one
//           of x or lies outside; or for RUN of them, WIDTH at
//           a time, so that the axes are told apart once for all
// Bindings: 0 params, 1 x, 2 y
// Limits:   every tensor below 2^31 elements; reflect and circular paddings at
//           most the axis (checked by the caller)

struct Params {
  total: u32, // invocations
  value: f32,
  in0: i32, out0: u32, begin0: i32, // the innermost axis
  in1: i32, out1: u32, begin1: i32,
  in2: i32, out2: u32, begin2: i32,
  in3: i32, out3: u32, begin3: i32,
  in4: i32, out4: u32, begin4: i32,
  in5: i32, out5: u32, begin5: i32,
  in6: i32, out6: u32, begin6: i32,
  in7: i32, out7: u32, begin7: i32, // the outermost
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const WG = 64u;
const WIDTH = 1u;
const RUN = 0u; // 0 where an invocation has but WIDTH
const PAD_MODE = 0u; // 0 value, 1 reflect, 2 replicate, 3 circular

// Maps a position along an axis of size n to the element that stands there;
// -1 where the value does.
fn pad_index(i: i32, n: i32) -> i32 {
  if (i >= 0 && i < n) { return i; }
  if (PAD_MODE == 1u) { return select(2 * (n - 1) - i, -i, i < 0); }
  if (PAD_MODE == 2u) { return clamp(i, 0, n - 1); }
  if (PAD_MODE == 3u) { return select(i - n, i + n, i < 0); }
  return -1;
}

// swap: input
@group(0) @binding(1) var<storage, read> x: array<f32>;
// The element of y at position o of x's row that starts at `at`.
fn value(at: i32, inside: bool, o: i32) -> f32 {
  let i0 = pad_index(o, p.in0);
  if (inside && i0 >= 0) { return x[u32(at + i0)]; }
  return p.value;
}
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  // Everything but the innermost axis is the same for all neighbours.
  let count = max(RUN, WIDTH);
  let per_row = (p.out0 + count - 1u) / count;
  var rest = i / per_row;
  var at = 0;
  var inside = true;
  var size = p.in0;
  // swap: axes
  let i1 = pad_index(i32(rest % p.out1) - p.begin1, p.in1);
  inside = inside && i1 >= 0;
  at += i1 * size;
  // end swap
  let along = i % per_row * count;
  let row = i / per_row * p.out0;
  // swap: store
  y[row + along] = value(at, inside, i32(along) - p.begin0);
  // end swap
}
