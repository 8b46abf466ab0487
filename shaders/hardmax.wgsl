// Hardmax along one axis: 1 at the first maximum, 0 elsewhere.
//
// Layout:   x and y are [o, n, i]; a slice is [o, :, i]
// Tile:     THREADS invocations for a slice, WG/THREADS slices to a workgroup;
//           with THREADS = 1 there is no barrier
// Bindings: 0 params, 1 x, 2 y
// Limits:   8*WG bytes of workgroup memory
//
// Numbers are compared as integers, so that NaN has a place: above all.

struct Params {
  slices: u32, // o*i
  n: u32,
  i: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const WG = 64u;
const THREADS = 1u;

var<workgroup> best: array<vec2<u32>, WG>;

// An integer that orders numbers as they are; both zeros are the same.
fn key(v: f32) -> u32 {
  let bits = bitcast<u32>(v);
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return 0xffffffffu; }
  return select(0x80000000u + magnitude, 0x80000000u - magnitude, bits > 0x80000000u);
}

// The better of two (key, position): the larger key, the lower position.
fn better(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  return select(a, b, b.x > a.x || (b.x == a.x && b.y < a.y));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let slice = (group.x + groups.x * (group.y + groups.y * group.z)) * (WG / THREADS) + local / THREADS;
  let t = local % THREADS;
  // No early return: every invocation takes part in the barriers.
  let s = min(slice, p.slices - 1u);
  let base = s / p.i * p.n * p.i + s % p.i;
  var top = vec2<u32>(0u, 0xffffffffu);
  for (var l = t; l < p.n; l += THREADS) { top = better(top, vec2<u32>(key(x[base + l * p.i]), l)); }
  if (THREADS > 1u) {
    best[local] = top;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (t < half) { best[local] = better(best[local], best[local + half]); }
    }
    workgroupBarrier();
    top = best[local - t];
  }
  if (slice < p.slices) {
    for (var l = t; l < p.n; l += THREADS) { y[base + l * p.i] = select(0.0, 1.0, l == top.y); }
  }
}
