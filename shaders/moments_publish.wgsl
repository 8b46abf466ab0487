// Writes the statistics that a normalization returns, and brings the running
// ones up to date.
//
//   mean[g] = hi + lo, variance[g], inv_std[g]      of group g = n*c_count + c
//   new_mean[c] = (1-momentum)*old_mean[c] + momentum * average of mean[:, c]
//   new_variance[c] likewise, from variance * unbias
//
// Layout:   stat [n, c] of (hi, lo, variance, inverse standard deviation); the
//           running statistics are [c]. Batch normalization has n = 1
// Tile:     one invocation for one channel
// Bindings: 0 params, 1 stat, 2 old mean, 3 old variance, 4 mean, 5 variance,
//           6 inv_std, 7 new mean, 8 new variance; 2, 3, 7 and 8 are dummies
//           where there are no running statistics
// Limits:   none

struct Params {
  n: u32,
  c: u32,
  running: u32,   // 1: there are running statistics
  momentum: f32,  // the weight of the new value
  keep: f32,      // 1 - momentum
  unbias: f32,    // count/(count-1), or 1
  inv_n: f32,     // 1/n
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> stat: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> old_mean: array<f32>;
@group(0) @binding(3) var<storage, read> old_variance: array<f32>;
@group(0) @binding(4) var<storage, read_write> mean: array<f32>;
@group(0) @binding(5) var<storage, read_write> variance: array<f32>;
@group(0) @binding(6) var<storage, read_write> inv_std: array<f32>;
// swap: running
@group(0) @binding(7) var<storage, read_write> new_mean: array<f32>;
@group(0) @binding(8) var<storage, read_write> new_variance: array<f32>;
fn update(c: u32, m: f32, v: f32) {
  new_mean[c] = fma(p.keep, old_mean[c], p.momentum * m);
  new_variance[c] = fma(p.keep, old_variance[c], p.momentum * (v * p.unbias));
}
// end swap

const WG = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let c = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (c >= p.c) { return; }
  let pivot = stat[c].x;
  var m = 0.0;
  var v = 0.0;
  for (var n = 0u; n < p.n; n++) {
    let g = n * p.c + c;
    let s = stat[g];
    mean[g] = s.x + s.y;
    variance[g] = s.z;
    inv_std[g] = s.w;
    m += (s.x - pivot) + s.y;
    v += s.z;
  }
  update(c, fma(m, p.inv_n, pivot), v * p.inv_n);
}
