// Gradient of a greatest or least value over axes, by vec4s: the first and the
// last stage of reduce_grad.wgsl, which has the mathematics. STAGE 0 marks and counts
// the elements that equal their output, STAGE 2 gives every element its share: it
// reads the marks, a bit for an element, and x no more.
//
// Layout:   the innermost axis of x is reduced, and a vec4 holds terms of one output
//           (rows), or it is kept, and a vec4 holds a term of four (columns). Rows
//           and terms are cut into pieces; an output, or four, is decomposed over
//           the kept axes, a row or term over the reduced ones, innermost first,
//           each axis with its size and step
// Tile:     one invocation for one lane of a piece, which takes every lanes-th vec4
// Bindings: 0 params, 1 x (a dummy for STAGE 2), 2 y, 3 shares (a dummy for STAGE 0),
//           4 marks [rounds, total], written by STAGE 0, 5 counts [parts, outputs] or dx
// Limits:   rows, or the runs of outputs, are whole vec4s and start at such; sizes of
//           the innermost axis and all steps count vec4s

struct Params {
  total: u32, // invocations
  outputs: u32, // or fours of them
  lanes: u32,
  pieces: u32, // of a row, or of the terms
  piece: u32,  // vec4s of one
  inner: u32,  // vec4s of a row, or terms
  rows: u32,   // of an output, or 1
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
@group(0) @binding(2) var<storage, read> y: array<T>;
@group(0) @binding(3) var<storage, read> shares: array<T>;
@group(0) @binding(4) var<storage, read_write> marks: array<u32>;
// swap: out
@group(0) @binding(5) var<storage, read_write> out: array<T>;
// end swap

const WG = 64u;
const RUN = 8u; // vec4s of a round, which fill a word of marks
const STAGE = 0u;
const ROWS = false;

// swap: lanes
alias T = vec4<f32>;
fn count_of(bits: u32) -> T {
  return T(vec4<u32>(countOneBits(bits & 0x11111111u), countOneBits(bits & 0x22222222u),
                     countOneBits(bits & 0x44444444u), countOneBits(bits & 0x88888888u)));
}
// end swap

// The first vec4 of output o.
fn first(o: u32) -> u32 {
  var rest = o;
  var at = 0u;
  // swap: kept
  at += rest * p.kept_step0;
  // end swap
  return at;
}

// Where row or term i lies from there.
fn term(i: u32) -> u32 {
  var rest = i;
  var at = 0u;
  // swap: reduced
  at += rest * p.step0;
  // end swap
  return at;
}

fn is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

// What equals an output, by bits, so that no device takes tiny numbers for zero:
// u does where u | mask is bits. The mask is the sign of a zero, both of which are
// equal, and 0 otherwise; what is NaN equals nothing.
struct Equal { mask: vec4<u32>, bits: vec4<u32> }

fn equal(v: vec4<f32>) -> Equal {
  let bits = bitcast<vec4<u32>>(v);
  let zero = (bits << vec4<u32>(1u)) == vec4<u32>(0u);
  let nan = vec4<bool>(is_nan(v.x), is_nan(v.y), is_nan(v.z), is_nan(v.w));
  let mask = select(select(vec4<u32>(0u), vec4<u32>(0x80000000u), zero), vec4<u32>(0xffffffffu), nan);
  return Equal(mask, select(bits | mask, vec4<u32>(0u), nan));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  var o = id % p.outputs;
  var part = id / p.outputs;
  var start = part * p.piece;
  var base = 0u;
  if (ROWS) {
    let of_row = id / (p.lanes * p.pieces);
    let lane = id % p.lanes;
    let piece = id / p.lanes - of_row * p.pieces;
    o = of_row / p.rows;
    let r = of_row - o * p.rows;
    part = (r * p.pieces + piece) * p.lanes + lane;
    base = term(r);
    start = piece * p.piece;
  }
  base += first(o);
  let end = min(start + p.piece, p.inner);
  if (ROWS) { start += id % p.lanes; }
  let most = vec4<f32>(y[o]);
  let ones = vec4<u32>(1u, 2u, 4u, 8u);
  var mark = id;
  if (STAGE == 0u) {
    let e = equal(most);
    var count = T(0.0);
    for (var round = start; round < end; round += RUN * p.lanes) {
      var bits = vec4<u32>(0u);
      for (var q = 0u; q < RUN; q++) { // unroll
        let i = round + q * p.lanes;
        if (i < end) {
          var at = base + i;
          if (!ROWS) { at = base + term(i); }
          bits |= select(vec4<u32>(0u), ones << vec4<u32>(4u * q), (bitcast<vec4<u32>>(x[at]) | e.mask) == e.bits);
        }
      }
      let word = (bits.x | bits.y) | (bits.z | bits.w);
      count += count_of(word);
      marks[mark] = word;
      mark += p.total;
    }
    // swap: count
    out[part * p.outputs + o] = count;
    // end swap
  } else {
    let share = vec4<f32>(shares[o]);
    // That of NaN goes to all.
    let nan = select(vec4<u32>(0u), vec4<u32>(0xffffffffu), vec4<bool>(is_nan(most.x), is_nan(most.y), is_nan(most.z), is_nan(most.w)));
    for (var round = start; round < end; round += RUN * p.lanes) {
      let bits = vec4<u32>(marks[mark]) | nan;
      mark += p.total;
      for (var q = 0u; q < RUN; q++) { // unroll
        let i = round + q * p.lanes;
        if (i < end) {
          var at = base + i;
          if (!ROWS) { at = base + term(i); }
          // swap: share
          out[at] = select(vec4<f32>(0.0), share, (bits & (ones << vec4<u32>(4u * q))) != vec4<u32>(0u));
          // end swap
        }
      }
    }
  }
}
