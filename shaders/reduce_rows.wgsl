// Reductions over axes of which the innermost is the innermost of x, by vec4s:
// sums, also of squares, greatest and least values of pieces of rows, which a second
// pass reduces where an output has several.
//
//   part[o,r,piece,lane] = f over the vec4s lane, lane+lanes, ... of the piece, or
//                          over their squares
//
// Layout:   a row is inner4 vec4s that lie side by side; its output is decomposed
//           over the kept axes, and its place among the rows of an output over the
//           reduced axes but the innermost, each axis with its size and step
// Tile:     one invocation for one lane of a piece: neighbours read neighbours
// Bindings: 0 params, 1 x, 2 part, or y where an output has one part
// Limits:   every tensor below 2^31 elements; rows are whole vec4s and start at
//           such; steps count vec4s; lanes <= the vec4s of every piece

struct Params {
  total: u32, // invocations: outputs*rows*pieces*lanes
  inner4: u32,
  lanes: u32,
  pieces: u32, // of a row
  piece: u32,  // vec4s of one
  rows: u32,   // of an output
  factor: f32,
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
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> part: array<f32>;

const WG = 64u;
const RUN = 4u; // vec4s of a round: each round of a loop costs a software adapter time
const FUNC = 0u; // 0 sum, 1 mean, 2 max, 3 min
const SQUARES = false; // reduce the squares of the terms

fn is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

fn combine(a: f32, b: f32) -> f32 {
  if (FUNC < 2u) { return a + b; }
  // A NaN in b is neither greater nor less, and stays.
  if (FUNC == 2u) { return select(b, a, a > b || is_nan(a)); }
  return select(b, a, a < b || is_nan(a));
}

fn combine4(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  if (FUNC < 2u) { return a + b; }
  return vec4<f32>(combine(a.x, b.x), combine(a.y, b.y), combine(a.z, b.z), combine(a.w, b.w));
}

// What four terms count as.
fn lift(v: vec4<f32>) -> vec4<f32> {
  if (SQUARES) { return v * v; }
  return v;
}

// The first vec4 of the rows of output o.
fn first(o: u32) -> u32 {
  var rest = o;
  var at = 0u;
  // swap: kept
  at += rest * p.kept_step0;
  // end swap
  return at;
}

// Where row i lies from there.
fn row(i: u32) -> u32 {
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
  let id = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  var rest = id / p.lanes;
  let lane = id - rest * p.lanes;
  let of_row = rest / p.pieces;
  let start = (rest - of_row * p.pieces) * p.piece;
  let o = of_row / p.rows;
  let base = first(o) + row(of_row - o * p.rows);
  let end = base + min(start + p.piece, p.inner4);
  var acc = lift(x[base + start + lane]);
  for (var round = base + start + lane + p.lanes; round < end; round += RUN * p.lanes) {
    for (var q = 0u; q < RUN; q++) { // unroll
      let i = round + q * p.lanes;
      if (i < end) { acc = combine4(acc, lift(x[i])); }
    }
  }
  part[id] = combine(combine(acc.x, acc.y), combine(acc.z, acc.w)) * p.factor;
}
