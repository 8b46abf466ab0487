// The gradient of softmax and log softmax along one axis: one invocation for a
// slice.
//
//   softmax:     dx = y * (dy - sum of dy*y)
//   log softmax: dx = dy - exp(y) * sum of dy
//
// Layout:   y, dy and dx are [o, n, i]; a slice is [o, :, i]. T is what is loaded
//           at once: a float, a vec4 of four slices (4 divides i), or a vec4 of
//           four elements of a slice (i is 1 and 4 divides n); n and i count T's
// Tile:     one invocation for a T of slices; neighbours have neighbouring slices
// Bindings: 0 params, 1 dy, 2 y, 3 dx
// Limits:   on software adapters 2*n loops, see softwareLoops in plan.go

struct Params {
  slices: u32, // o*i
  n: u32,
  i: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
fn exp_lanes(v: T) -> T { return k_exp(v); }
fn whole(v: T) -> T { return v; }
// end swap
@group(0) @binding(1) var<storage, read> dy: array<T>;
@group(0) @binding(2) var<storage, read> y: array<T>;
@group(0) @binding(3) var<storage, read_write> dx: array<T>;

const WG = 64u;
const LOG = false;

// swap: exp
fn k_exp(v: f32) -> f32 { return exp(v); }
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let s = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (s >= p.slices) { return; }
  let base = s / p.i * p.n * p.i + s % p.i;
  var sum = T(0.0); // in blocks of 16 blocks of 16
  for (var k = 0u; k < p.n;) {
    var blocks = T(0.0);
    for (var b = 0u; b < 16u && k < p.n; b++) {
      let stop = min(k + 16u, p.n);
      var block = T(0.0);
      for (; k < stop; k++) {
        let at = base + k * p.i;
        if (LOG) {
          block += dy[at];
        } else {
          block = fma(dy[at], y[at], block);
        }
      }
      blocks += block;
    }
    sum += blocks;
  }
  sum = whole(sum);
  for (var k = 0u; k < p.n; k++) {
    let at = base + k * p.i;
    if (LOG) {
      dx[at] = fma(-exp_lanes(y[at]), sum, dy[at]);
    } else {
      dx[at] = y[at] * (dy[at] - sum);
    }
  }
}
