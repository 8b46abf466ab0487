// The gradient of local response normalization, in two dispatches. With the base
// d[c] = k + alpha * sum of x[j]^2 over the window of c,
//
//   prepare: power[c] = d[c]^-beta, t[c] = dy[c]*x[c] * d[c]^(-beta-1)
//   finish:  dx[j] = dy[j]*power[j] - factor*x[j] * sum of t[c] over the c whose
//            window has j, factor = 2*alpha*beta
//
// alpha is already divided by the window's size. power goes where dx will be. t is
// stored times scale, a power of two, and factor divided by it: where x is large t
// alone would be subnormal, while its product with x is not.
//
// Layout:   all tensors are [o, c, i]. T is what is loaded at once: a vec4 where 4
//           divides i, else a float; i counts T's
// Tile:     one invocation for a T
// Bindings: 0 params, 1 dy, 2 x, 3 t, 4 dx
// Limits:   none

struct Params {
  total: u32, // o*c*i
  c: u32,
  i: u32,
  before: u32, // of the window: when preparing that of c, when finishing its mirror
  after: u32,
  alpha: f32,
  beta: f32,
  k: f32,
  factor: f32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
fn power_lanes(base: T) -> T { return divide_power(1.0, base, p.beta); }
// end swap
@group(0) @binding(1) var<storage, read> dy: array<T>;
@group(0) @binding(2) var<storage, read> x: array<T>;
// swap: stage
@group(0) @binding(3) var<storage, read_write> t: array<T>;
@group(0) @binding(4) var<storage, read_write> dx: array<T>;
fn term(at: u32) -> T { return x[at] * x[at]; }
fn finish(at: u32, sum: T) {
  let base = fma(T(p.alpha), sum, T(p.k));
  let power = power_lanes(base);
  dx[at] = power;
  t[at] = dy[at] * (x[at] / base * p.scale) * power;
}
// end swap

const WG = 64u;

// swap: power
fn divide_power(v: f32, base: f32, beta: f32) -> f32 { return v * exp2(-beta * log2(base)); }
// end swap

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
    sum += term(source);
    source += p.i;
  }
  finish(at, sum);
}
