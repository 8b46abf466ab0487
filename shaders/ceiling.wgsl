// The multiply-add ceiling of a device: how many fused multiply-adds it does in
// registers, with no memory in the way.
//
//   each invocation keeps CHAINS independent vec4 values v and does
//   v = v * m + c  `rounds` times on each; y = their sum
//
// Layout:   y: one vec4 for each invocation
// Tile:     4*CHAINS*rounds multiply-adds an invocation
// Bindings: 0 params, 1 y
// Limits:   m and c come at run time, so that no compiler can fold the loop;
//           with m = 1 and c = 1 every lane of y is exactly the sum of the
//           starting values plus CHAINS*rounds, which a test verifies: the
//           work that is claimed is done

struct Params {
  count: u32,  // invocations
  rounds: u32,
  m: f32,
  c: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;

const WG = 64u;
const CHAINS = 16u; // enough to hide the latency of a multiply-add on any device

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.count) { return; }
  let m = vec4<f32>(p.m);
  let c = vec4<f32>(p.c);
  // Chain k starts at k, so that no two chains are the same value.
  var v0 = vec4<f32>(0.0);
  var v1 = vec4<f32>(1.0);
  var v2 = vec4<f32>(2.0);
  var v3 = vec4<f32>(3.0);
  var v4 = vec4<f32>(4.0);
  var v5 = vec4<f32>(5.0);
  var v6 = vec4<f32>(6.0);
  var v7 = vec4<f32>(7.0);
  var v8 = vec4<f32>(8.0);
  var v9 = vec4<f32>(9.0);
  var v10 = vec4<f32>(10.0);
  var v11 = vec4<f32>(11.0);
  var v12 = vec4<f32>(12.0);
  var v13 = vec4<f32>(13.0);
  var v14 = vec4<f32>(14.0);
  var v15 = vec4<f32>(15.0);
  for (var r = 0u; r < p.rounds; r++) {
    v0 = fma(v0, m, c); v1 = fma(v1, m, c); v2 = fma(v2, m, c); v3 = fma(v3, m, c);
    v4 = fma(v4, m, c); v5 = fma(v5, m, c); v6 = fma(v6, m, c); v7 = fma(v7, m, c);
    v8 = fma(v8, m, c); v9 = fma(v9, m, c); v10 = fma(v10, m, c); v11 = fma(v11, m, c);
    v12 = fma(v12, m, c); v13 = fma(v13, m, c); v14 = fma(v14, m, c); v15 = fma(v15, m, c);
  }
  y[i] = (v0 + v1 + v2 + v3) + (v4 + v5 + v6 + v7) + (v8 + v9 + v10 + v11) + (v12 + v13 + v14 + v15);
}
