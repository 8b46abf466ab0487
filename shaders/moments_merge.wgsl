// Merges the moments of the chunks of each group.
//
//   stat[g] = (hi, lo, variance, 1/sqrt(variance + eps)), the mean being hi + lo
//
// Chunk j has n elements, the mean m_j = hi_j + lo_j and the squares q_j around
// it. With m = sum n*m_j / N, the variance is sum(q_j + n*(m_j - m)^2) / N: Chan's
// merging (Chan, Golub and LeVeque, 1983) of all chunks at once. Means are taken
// relative to the first chunk's, which may lie far from all others: what the
// rounding of their sum has left of it is found with the squares, and put back.
//
// Layout:   part [groups, parts] of (hi, lo, q, n), stat [groups]
// Tile:     THREADS invocations for a group, WG/THREADS groups to a workgroup;
//           with THREADS = 1 there is no barrier
// Bindings: 0 params, 1 part, 2 stat
// Limits:   8*WG bytes of workgroup memory

struct Params {
  groups: u32,
  parts: u32,
  inv_count: f32, // 1/N
  eps: f32,
  eps_on_std: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> part: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> stat: array<vec4<f32>>;

const WG = 64u;
const THREADS = 1u;

// swap: moments
fn recentre(pivot: f32, offset: f32) -> vec2<f32> {
  let hi = pivot + offset;
  return vec2<f32>(hi, offset - (hi - pivot));
}
fn inv_std(variance: f32, eps: f32, eps_on_std: u32) -> f32 { return inverseSqrt(variance + eps); }
// end swap

var<workgroup> sums: array<f32, WG>;

// The sum of v over the THREADS invocations of a group, in a tree.
fn group_sum(v: f32, local: u32) -> f32 {
  if (THREADS == 1u) { return v; }
  sums[local] = v;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local % THREADS < half) { sums[local] += sums[local + half]; }
  }
  workgroupBarrier();
  let sum = sums[local - local % THREADS];
  workgroupBarrier(); // before the next sum overwrites it
  return sum;
}

// The sums over the chunks of t, in blocks of 8 blocks of 8, of n * (m_j - mean)
// and of q_j + n * (m_j - mean)^2; means are less pivot.
fn weigh(base: u32, t: u32, pivot: f32, mean: f32) -> vec2<f32> {
  var sum = vec2<f32>(0.0);
  for (var j = t; j < p.parts;) {
    var blocks = vec2<f32>(0.0);
    for (var b = 0u; b < 8u && j < p.parts; b++) {
      var block = vec2<f32>(0.0);
      for (var q = 0u; q < 8u && j < p.parts; q++) {
        let c = part[base + j];
        let d = ((c.x - pivot) + c.y) - mean;
        block += vec2<f32>(d * c.w, fma(d * d, c.w, c.z));
        j += THREADS;
      }
      blocks += block;
    }
    sum += blocks;
  }
  return sum;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let g = (group.x + groups.x * (group.y + groups.y * group.z)) * (WG / THREADS) + local / THREADS;
  let t = local % THREADS;
  // No early return: every invocation takes part in the barriers.
  let base = min(g, p.groups - 1u) * p.parts;
  let pivot = part[base].x;
  let mean = group_sum(weigh(base, t, pivot, 0.0).x, local) * p.inv_count; // less pivot
  let around = weigh(base, t, pivot, mean);
  let left = group_sum(around.x, local) * p.inv_count; // of the mean
  let squares = group_sum(around.y, local) * p.inv_count - left * left;
  let variance = select(squares, 0.0, squares < 0.0); // by rounding, where all are alike
  if (t == 0u && g < p.groups) {
    let m = recentre(pivot, mean);
    stat[g] = vec4<f32>(m.x, m.y + left, variance, inv_std(variance, p.eps, p.eps_on_std));
  }
}
