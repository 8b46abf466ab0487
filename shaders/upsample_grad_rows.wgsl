// The gradient of a resampling along one axis, a run of elements at a time: the
// mathematics is that of upsample_grad.wgsl.
//
// Layout:   dy [outer, out, inner], dx [outer, n, inner]; inner counts LANES
//           elements; start n+1 numbers
// Tile:     ALONG: one invocation for a run along the axis, inner being 1; else for
//           RUN neighbours that have the same place on the axis
// Bindings: 0 params, 1 dy, 2 start, 3 taker, 4 weight, 5 dx
// Limits:   every tensor below 2^31 elements

struct Params {
  total: u32, // invocations
  outer: u32,
  inner: u32,
  n: u32,
  out: u32,
  run: u32,  // elements of a run along the axis
  runs: u32, // of the neighbours
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<T>;
@group(0) @binding(2) var<storage, read> start: array<u32>;
@group(0) @binding(3) var<storage, read> taker: array<u32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<T>;

const WG = 64u;
const RUN = 4u;
const ALONG = false;

// swap: lanes
alias T = f32;
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  if (ALONG) {
    let outer = id % p.outer; // neighbours have the same run of other rows
    let first = id / p.outer * p.run;
    let row = outer * p.out;
    var e = start[first];
    for (var i = first; i < min(first + p.run, p.n); i++) {
      var sum = T(0.0);
      let end = start[i + 1u];
      for (; e < end; e++) { sum = fma(T(weight[e]), dy[row + taker[e]], sum); }
      dx[outer * p.n + i] = sum;
    }
    return;
  }
  let place = id / p.runs;
  let outer = place / p.n;
  let i = place - outer * p.n;
  let inner = (id - place * p.runs) * RUN;
  let last = p.inner - 1u;
  var sum: array<T, RUN>;
  for (var k = 0u; k < RUN; k++) { // unroll
    sum[k] = T(0.0);
  }
  let end = start[i + 1u];
  for (var e = start[i]; e < end; e++) {
    let source = (outer * p.out + taker[e]) * p.inner;
    let w = T(weight[e]);
    for (var k = 0u; k < RUN; k++) { // unroll
      sum[k] = fma(w, dy[source + min(inner + k, last)], sum[k]);
    }
  }
  let to = place * p.inner;
  for (var k = 0u; k < RUN; k++) { // unroll
    if (inner + k <= last) { dx[to + inner + k] = sum[k]; }
  }
}
