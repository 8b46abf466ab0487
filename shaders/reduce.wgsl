// Reductions over axes: sum, mean, maximum, minimum and sum of squares, an invocation
// for each output.
//
//   y[o] = f over i < terms of x[base(o) + at(i)], or of its square
//
// Layout:   y is dense; its place is decomposed over the kept axes of x, and the
//           terms over the reduced ones, innermost first, each axis with its
//           size and step
// Tile:     one invocation for one output, or, where the innermost axis of x is kept
//           and 4 divides it and all steps, for four neighbours (T is vec4<f32>)
// Bindings: 0 params, 1 x, 2 y
// Limits:   every tensor below 2^31 elements; with vec4s, sizes and steps count those
//
// It is the definition that reduce_group.wgsl is compared with, and the faster
// one where the innermost axis is kept: neighbours then read neighbours.

struct Params {
  outputs: u32,
  terms: u32,
  chunk: u32,  // as many: for reduce_group.wgsl
  chunks: u32, // 1, likewise
  factor: f32, // 1, or one over the terms for a mean
  kept0: u32, kept_step0: u32,
  kept1: u32, kept_step1: u32,
  kept2: u32, kept_step2: u32,
  kept3: u32, kept_step3: u32,
  reduced0: u32, step0: u32,
  reduced1: u32, step1: u32,
  reduced2: u32, step2: u32,
  reduced3: u32, step3: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;

const WG = 64u;
const FUNC = 0u; // 0 sum, 1 mean, 2 max, 3 min
const SQUARES = false; // reduce the squares of the terms

fn is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

fn combine(a: f32, b: f32) -> f32 {
  if (FUNC < 2u) { return a + b; }
  if (is_nan(a)) { return a; }
  if (is_nan(b)) { return b; }
  if (FUNC == 2u) { return max(a, b); }
  return min(a, b);
}

// swap: lanes
alias T = f32;

fn combine_lanes(a: T, b: T) -> T { return combine(a, b); }
// end swap

// What a term counts as.
fn lift(v: T) -> T {
  if (SQUARES) { return v * v; }
  return v;
}

// The first term of output o.
fn first(o: u32) -> u32 {
  var rest = o;
  var at = 0u;
  // swap: kept
  at += rest * p.kept_step0;
  // end swap
  return at;
}

// Where term i lies from there.
fn term(i: u32) -> u32 {
  var rest = i;
  var at = 0u;
  // swap: reduced
  at += rest * p.step0;
  // end swap
  return at;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let o = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (o >= p.outputs) { return; }
  let base = first(o);
  var acc = lift(x[base]);
  for (var i = 1u; i < p.terms; i++) { acc = combine_lanes(acc, lift(x[base + term(i)])); }
  y[o] = acc * p.factor;
}
