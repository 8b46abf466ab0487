// The gradient of a resampling along one axis: each element gathers from the
// outputs that took it, which a table lists.
//
//   dx[outer,i,inner] = sum over e in start[i]..start[i+1] of weight[e] * dy[outer, taker[e], inner]
//
// Layout:   dy [outer, out, inner], dx [outer, n, inner]; start n+1 numbers
// Tile:     one invocation for one element of dx
// Bindings: 0 params, 1 dy, 2 start, 3 taker, 4 weight, 5 dx
// Limits:   every tensor below 2^31 elements

struct Params { total: u32, inner: u32, n: u32, out: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> start: array<u32>;
@group(0) @binding(3) var<storage, read> taker: array<u32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

const WG = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let k = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (k >= p.total) { return; }
  let inner = k % p.inner;
  let i = k / p.inner % p.n;
  let outer = k / (p.inner * p.n);
  var sum = 0.0;
  let end = start[i + 1u];
  for (var e = start[i]; e < end; e++) {
    sum = fma(weight[e], dy[(outer * p.out + taker[e]) * p.inner + inner], sum);
  }
  dx[k] = sum;
}
