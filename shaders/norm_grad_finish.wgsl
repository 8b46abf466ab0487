// Puts the sums of a gradient of a normalization together.
//
// Where GROUPS, the coefficients of each group:
//
//   coef[g] = (hi, k, mean(g) - lo*c, c),  low[g] = lo,
//   dx = k * (dy*scale - coef.z - (x - hi)*c),  c = k^2 * mean(g*(x - m))
//
// (k/s for k^2 where eps is added to the deviation s), else, for each affine
// element, the gradients of scale and shift:
//
//   dscale[a] = sum of dy*xhat, dshift[a] = sum of dy
//
// Layout:   part [cells, parts] of (sum of d, sum of d*z, sum of z, 0). The cells
//           of an output are numbered by dims: those that are summed over, then
//           those that number the outputs, outermost first, each as (size, stride
//           in the cells, in the groups, in scale). There may be none summed over
// Tile:     THREADS invocations for an output, WG/THREADS outputs to a workgroup;
//           with THREADS = 1 there is no barrier
// Bindings: 0 params, 1 part; GROUPS: 2 stat, 3 spread (the inverse deviations
//           where GIVEN, the variances where FIXED, else a dummy), 4 scale (or a
//           dummy), 5 coef, 6 low; else 2 coef, 3 low, 4 dscale, 5 dshift
// Limits:   16*WG bytes of workgroup memory

struct Params {
  dims: array<vec4<u32>, 8>,
  reduced: u32,   // how many of dims are summed over
  rank: u32,      // how many there are
  outputs: u32,
  parts: u32,     // chunks of one cell
  count: u32,     // parts of an output: cells of it * parts
  mode: u32,      // 0: stat is (hi, lo, variance, inverse deviation), 1: GIVEN, 2: FIXED
  rms: u32,       // 1: the mean is taken as 0
  weighted: u32,  // 1: the sums are to be multiplied by scale, of the cell
  finished: u32,  // 1: z is xhat already
  inv_count: f32, // 1 / elements of a group
  eps: f32,
  eps_on_std: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> part: array<vec4<f32>>;
// swap: outputs
@group(0) @binding(2) var<storage, read> stat: array<f32>;
@group(0) @binding(3) var<storage, read> spread: array<f32>;
@group(0) @binding(4) var<storage, read> scale: array<f32>;
@group(0) @binding(5) var<storage, read_write> coef: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> low: array<f32>;
fn weigh(v: vec4<f32>, g: u32, a: u32) -> vec4<f32> {
  if (p.weighted == 0u) { return v; }
  let w = scale[a];
  return vec4<f32>(v.x * w, v.y * w, v.z, 0.0);
}
fn finish(g: u32, a: u32, sum: vec4<f32>) {
  var hi: f32;
  var lo = 0.0;
  var inv: f32;
  var curve: f32;
  if (p.mode == 0u) {
    hi = stat[4u * g];
    lo = stat[4u * g + 1u];
    inv = stat[4u * g + 3u];
  } else {
    hi = stat[g];
    inv = spread[g];
  }
  if (p.mode == 1u) { lo = sum.z * p.inv_count; } // what rounding took from the mean
  curve = inv * inv;
  if (p.eps_on_std == 1u) {
    let variance = stat[4u * g + 2u];
    curve = inv * inv_sqrt(variance);
    if (variance == 0.0 && p.eps > 0.0) { curve = 0.0; }
  }
  let moment = fma(-lo, sum.x, sum.y) * p.inv_count;
  let c = curve * moment;
  var mean = sum.x * p.inv_count;
  if (p.rms == 1u) { mean = 0.0; }
  coef[g] = vec4<f32>(hi, inv, fma(-lo, c, mean), c);
  if (p.mode == 2u) { coef[g] = vec4<f32>(hi, inv_sqrt(inv + p.eps), 0.0, 0.0); }
  low[g] = lo;
}
// end swap

const WG = 64u;
const THREADS = 1u;

// swap: moments
fn inv_sqrt(v: f32) -> f32 { return inverseSqrt(v); }
// end swap

var<workgroup> sums: array<vec4<f32>, WG>;

// The sum of v over the THREADS invocations of an output, in a tree.
fn output_sum(v: vec4<f32>, local: u32) -> vec4<f32> {
  if (THREADS == 1u) { return v; }
  sums[local] = v;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local % THREADS < half) { sums[local] += sums[local + half]; }
  }
  workgroupBarrier();
  return sums[local - local % THREADS];
}

// The places of element l of the dims from first to last: in the cells, in the
// groups, in scale.
fn place(l: u32, first: u32, last: u32) -> vec3<u32> {
  var rest = l;
  var at = vec3<u32>(0u);
  for (var d = last; d > first; d--) {
    let dim = p.dims[d - 1u];
    at += rest % dim.x * dim.yzw;
    rest /= dim.x;
  }
  return at;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let o = (group.x + groups.x * (group.y + groups.y * group.z)) * (WG / THREADS) + local / THREADS;
  let t = local % THREADS;
  // No early return: every invocation takes part in the barriers.
  let base = place(min(o, p.outputs - 1u), p.reduced, p.rank);
  var sum = vec4<f32>(0.0);
  for (var l = t; l < p.count;) {
    var block = vec4<f32>(0.0);
    for (var q = 0u; q < 16u && l < p.count; q++) {
      let at = base + place(l / p.parts, 0u, p.reduced);
      block += weigh(part[at.x * p.parts + l % p.parts], at.y, at.z);
      l += THREADS;
    }
    sum += block;
  }
  sum = output_sum(sum, local);
  if (t == 0u && o < p.outputs) { finish(base.y, base.z, sum); }
}
