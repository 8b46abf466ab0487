// Gradient of a greatest or least value over axes: the gradient of an output is
// shared evenly among the elements that equal it, and the others get none.
//
//   dx[i] = dy[o] / count[o] where x[i] = y[o], else 0
//
// with count[o] the number of elements that equal y[o]. Where y[o] is NaN, which
// equals nothing, all elements that it was taken from get NaN.
//
// STAGE 0 counts, each output in parts of its terms, since few outputs may have
// many; STAGE 1 adds the parts and divides; STAGE 2 gives every element its share.
//
// Layout:   y and dy are dense; an output's place is decomposed over the kept axes
//           of x, and its terms over the reduced ones, innermost first, each axis
//           with its size and step
// Tile:     one invocation for one part, or output
// Bindings: 0 params, then 1 a, 2 b, 3 c, 4 out: x, y, y to counts [parts, outputs];
//           dy, counts, counts to shares [outputs]; x, y, shares to dx
// Limits:   at most 2^24 equal elements are counted

struct Params {
  total: u32, // invocations
  outputs: u32, terms: u32, parts: u32,
  output_first: u32, // 1 where neighbouring invocations have neighbouring outputs
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
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> c: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

const WG = 64u;
const STAGE = 0u;

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

fn is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

// Equality by bits, so that no device takes tiny numbers for zero.
fn same(u: f32, v: f32) -> bool {
  let ub = bitcast<u32>(u);
  let vb = bitcast<u32>(v);
  return (ub == vb && !is_nan(u)) || ((ub | vb) << 1u) == 0u;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  if (STAGE == 0u) {
    var o = id / p.parts;
    var part = id % p.parts;
    if (p.output_first != 0u) {
      o = id % p.outputs;
      part = id / p.outputs;
    }
    let base = first(o);
    var count = 0u;
    for (var i = part; i < p.terms; i += p.parts) {
      count += select(0u, 1u, same(a[base + term(i)], b[o]));
    }
    out[part * p.outputs + o] = f32(count);
  } else if (STAGE == 1u) {
    var count = 0.0;
    for (var i = 0u; i < p.parts; i++) { count += b[i * p.outputs + id]; }
    if (count == 0.0) {
      out[id] = bitcast<f32>(bitcast<u32>(a[id]) | 0x7fc00000u);
    } else {
      out[id] = select(a[id] / count, a[id], count == 1.0);
    }
  } else {
    var o = id / p.parts;
    var part = id % p.parts;
    if (p.output_first != 0u) {
      o = id % p.outputs;
      part = id / p.outputs;
    }
    let base = first(o);
    let share = c[o];
    let most = b[o];
    let all = is_nan(most); // that of NaN goes to all
    for (var i = part; i < p.terms; i += p.parts) {
      let at = base + term(i);
      out[at] = select(0.0, share, all || same(a[at], most));
    }
  }
}
