// Reductions over axes: sum, mean, maximum, minimum and sum of squares, a workgroup
// for each output or for a chunk of its terms.
//
//   y[o, chunk] = f over the chunk's i of x[base(o) + at(i)], or of its square
//
// The invocations take turns along the terms, and a fixed tree makes one number
// of theirs. Where there are several chunks y is a workspace, and the kernel
// runs again over that.
//
// Layout:   y is [outputs, chunks]; an output's place is decomposed over the kept
//           axes of x, and the terms over the reduced ones, innermost first,
//           each axis with its size and step
// Tile:     one workgroup for one output, or one chunk of it
// Bindings: 0 params, 1 x, 2 y
// Limits:   every tensor below 2^31 elements

struct Params {
  outputs: u32,
  terms: u32,
  chunk: u32,  // terms of one chunk
  chunks: u32, // of each output
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
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const WG = 128u;
const FUNC = 0u; // 0 sum, 1 mean, 2 max, 3 min
const SQUARES = false; // reduce the squares of the terms

var<workgroup> parts: array<f32, WG>;

fn is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

fn combine(a: f32, b: f32) -> f32 {
  if (FUNC < 2u) { return a + b; }
  if (is_nan(a)) { return a; }
  if (is_nan(b)) { return b; }
  if (FUNC == 2u) { return max(a, b); }
  return min(a, b);
}

// What a term counts as.
fn lift(v: f32) -> f32 {
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
  let g = group.x + groups.x * (group.y + groups.y * group.z);
  if (g >= p.outputs * p.chunks) { return; }
  let base = first(g / p.chunks);
  let begin = g % p.chunks * p.chunk;
  let end = min(begin + p.chunk, p.terms);
  // An invocation without a term repeats the chunk's first for a maximum, and
  // has nothing for a sum.
  var acc = 0.0;
  if (FUNC >= 2u) { acc = x[base + term(begin)]; }
  for (var i = begin + local; i < end; i += WG) { acc = combine(acc, lift(x[base + term(i)])); }
  parts[local] = acc;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { parts[local] = combine(parts[local], parts[local + half]); }
  }
  if (local == 0u) { y[g] = parts[0] * p.factor; }
}
