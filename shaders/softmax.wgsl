// Softmax and log softmax along one axis: one invocation for a slice.
//
//   softmax:     y = exp(x - m) / (1 + rest),  log softmax: y = x - m - log1p(rest)
//
// with m the maximum of the slice and rest the sum of exp(x - m) without one
// element that is m, whose term is 1. Where rest is small, log1p keeps it.
//
// Layout:   x and y are [o, n, i]; a slice is [o, :, i]. T is what is loaded at
//           once: a float, a vec4 of four slices (4 divides i), or a vec4 of four
//           elements of a slice (i is 1 and 4 divides n); n and i count T's
// Tile:     one invocation for a T of slices; neighbours have neighbouring slices
// Bindings: 0 params, 1 x, 2 y
// Limits:   on software adapters 3*n loops, see softwareLoops in plan.go

struct Params {
  slices: u32, // o*i
  n: u32,
  i: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
fn larger(a: T, b: T) -> T { return select(a, b, b > a); }
fn term_lanes(v: T, m: T) -> T { return term(v, m); }
fn equal_lanes(v: T, m: T) -> T { return select(0.0, 1.0, v == m); }
fn divisor_lanes(rest: T, m: T) -> T { return divisor(rest, m); }
fn result_lanes(v: T, m: T, r: T) -> T { return result(v, m, r); }
fn top(v: T) -> T { return v; }
fn whole(v: T) -> T { return v; }
// end swap
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;

const WG = 64u;
const LOG = false;

// swap: softmax
fn term(v: f32, m: f32) -> f32 { return exp(v - m); }
fn divisor(rest: f32, m: f32) -> f32 { return select(1.0 + rest, log(1.0 + rest), LOG); }
fn result(v: f32, m: f32, divisor: f32) -> f32 {
  if (LOG) { return v - m - divisor; }
  return term(v, m) / divisor;
}
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let s = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (s >= p.slices) { return; }
  let base = s / p.i * p.n * p.i + s % p.i;
  var m = x[base];
  for (var k = 1u; k < p.n; k++) { m = larger(m, x[base + k * p.i]); }
  m = top(m);
  var sum = T(0.0);   // of the terms that are not 1, in blocks of 16 blocks of 16
  var count = T(0.0); // of those that are
  for (var k = 0u; k < p.n;) {
    var blocks = T(0.0);
    for (var b = 0u; b < 16u && k < p.n; b++) {
      let stop = min(k + 16u, p.n);
      var block = T(0.0);
      for (; k < stop; k++) {
        let at = base + k * p.i;
        let v = x[at];
        let e = term_lanes(v, m);
        let one = equal_lanes(v, m);
        block += e * (T(1.0) - one);
        count += one;
        if (!LOG) { y[at] = e; }
      }
      blocks += block;
    }
    sum += blocks;
  }
  let r = divisor_lanes(whole(sum) + (whole(count) - T(1.0)), m);
  for (var k = 0u; k < p.n; k++) {
    let at = base + k * p.i;
    if (LOG) {
      y[at] = result_lanes(x[at], m, r);
    } else {
      y[at] = y[at] / r;
    }
  }
}
