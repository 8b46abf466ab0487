// Merges the chunks of each slice of a softmax or log softmax.
//
//   stat[slice] = (m, 1 + rest), or (m, log1p(rest))
//
// Layout:   part [slices, parts] of (m, sum of the terms that are not 1, how many
//           are 1, 0), as softmax_group.wgsl writes them; stat [slices]
// Tile:     THREADS invocations for a slice, WG/THREADS slices to a workgroup
// Bindings: 0 params, 1 part, 2 stat
// Limits:   8*WG bytes of workgroup memory

struct Params {
  slices: u32,
  parts: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> part: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> stat: array<vec2<f32>>;

const WG = 64u;
const THREADS = 32u;
const LOG = false;

// swap: softmax
fn term(v: f32, m: f32) -> f32 { return exp(v - m); }
fn divisor(rest: f32, m: f32) -> f32 { return select(1.0 + rest, log(1.0 + rest), LOG); }
// end swap

var<workgroup> values: array<vec2<f32>, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let slice = (group.x + groups.x * (group.y + groups.y * group.z)) * (WG / THREADS) + local / THREADS;
  let t = local % THREADS;
  // No early return: every invocation takes part in the barriers.
  let base = min(slice, p.slices - 1u) * p.parts;
  var most = part[base].x;
  for (var j = t; j < p.parts; j += THREADS) { most = select(most, part[base + j].x, part[base + j].x > most); }
  values[local].x = most;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (t < half && values[local + half].x > values[local].x) { values[local].x = values[local + half].x; }
  }
  workgroupBarrier();
  let m = values[local - t].x;
  workgroupBarrier();
  var sum = vec2<f32>(0.0); // of the terms that are not 1, and how many are
  for (var j = t; j < p.parts; j += THREADS) {
    let c = part[base + j];
    // Where the chunk's maximum is the slice's, its ones are still 1; elsewhere
    // all its terms shrink.
    sum += select(vec2<f32>((c.y + c.z) * term(c.x, m), 0.0), c.yz, c.x == m);
  }
  values[local] = sum;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (t < half) { values[local] += values[local + half]; }
  }
  workgroupBarrier();
  if (t == 0u && slice < p.slices) {
    stat[slice] = vec2<f32>(m, divisor(values[local].x + (values[local].y - 1.0), m));
  }
}
