// Local response normalization across channels.
//
//   y[o,c,i] = x[o,c,i] / (k + alpha * sum of x[o,j,i]^2)^beta
//
// with j from c-before to c+after, those that exist, and alpha already divided
// by the window's size.
//
// Layout:   x and y are [o, c, i]. T is what is loaded at once: a vec4 where 4
//           divides i, else a float; i counts T's
// Tile:     one invocation for a T
// Bindings: 0 params, 1 x, 2 y
// Limits:   none

struct Params {
  total: u32, // o*c*i
  c: u32,
  i: u32,
  before: u32,
  after: u32,
  alpha: f32,
  beta: f32,
  k: f32,
  act_a: f32, act_b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
fn result_lanes(v: T, base: T) -> T { return result(v, base); }
// end swap
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;

const WG = 64u;

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

// swap: power
fn divide_power(v: f32, base: f32, beta: f32) -> f32 { return v * exp2(-beta * log2(base)); }
// end swap

fn result(v: f32, base: f32) -> f32 { return activate(divide_power(v, base, p.beta), p.act_a, p.act_b); }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let at = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (at >= p.total) { return; }
  let c = at / p.i % p.c;
  let first = c - min(c, p.before);
  let last = min(c + p.after, p.c - 1u);
  var source = at - (c - first) * p.i;
  var sum = T(0.0);
  for (var j = first; j <= last; j++) {
    let v = x[source];
    sum = fma(v, v, sum);
    source += p.i;
  }
  y[at] = result_lanes(x[at], fma(T(p.alpha), sum, T(p.k)));
}
