// The gradient of a normalization by given statistics, in one pass over planes, for
// software adapters: dx, and sums for the gradients of scale and shift; see
// norm_grad_sums.wgsl.
//
//   dx = k * dy * scale
//   part[o*parts + j] = (sum of dy, sum of dy*(x-hi), 0, 0), (hi, k, -, -) = coef
//
// Layout:   x, dy and dx are [count, cells, n], n counting vec4s; cell o is the
//           elements [:, o, :]. dims numbers the cells, outermost first, each as
//           (size, -, stride in coef, stride in scale)
// Tile:     WG invocations take runs of RUN vec4s, side by side, and then the next
//           ones, `rounds` times, within a piece of a plane, and the same piece of
//           `images` planes of a cell; see runs.go. Each keeps sums of its own
// Bindings: 0 params, 1 dy, 2 x, 3 coef, 4 scale, 5 part, 6 dx
// Limits:   none

struct Params {
  dims: array<vec4<u32>, 8>,
  rank: u32,   // how many dims there are
  total: u32,  // workgroups: ceil(count/images) * cells * pieces
  count: u32,  // planes of a cell
  cells: u32,
  n: u32,      // vec4s of a plane
  pieces: u32, // of a plane
  rounds: u32, // of a piece
  images: u32, // planes of a workgroup
  parts: u32,  // of a cell: ceil(count/images) * pieces * WG
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> scale: array<f32>;
@group(0) @binding(5) var<storage, read_write> part: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> dx: array<vec4<f32>>;

const WG = 8u;
const RUN = 4u;
const WHOLE = false; // runs end where planes do

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = group.x + groups.x * (group.y + groups.y * group.z);
  if (id >= p.total) { return; }
  let plane = id / p.pieces;
  let piece = id - plane * p.pieces;
  let batch = plane / p.cells;
  let o = plane - batch * p.cells;
  var rest = o;
  var g = 0u;
  var a = 0u;
  for (var d = p.rank; d > 0u; d--) {
    let dim = p.dims[d - 1u];
    let at = rest % dim.x;
    rest /= dim.x;
    g += at * dim.z;
    a += at * dim.w;
  }
  let c = coef[g];
  let w = scale[a];
  let start = piece * p.rounds * (WG * RUN) + local * RUN;
  let end = min(p.count, (batch + 1u) * p.images);
  var sum = vec4<f32>(0.0);
  var moment = vec4<f32>(0.0);
  for (var i = batch * p.images; i < end; i++) {
    let base = (i * p.cells + o) * p.n;
    var l = start;
    var plane_sum = vec4<f32>(0.0);
    var plane_moment = vec4<f32>(0.0);
    for (var round = 0u; round < p.rounds; round++) {
      var run = vec4<f32>(0.0);
      var run_moment = vec4<f32>(0.0);
      for (var q = 0u; q < RUN; q++) { // unroll
        if (WHOLE || l + q < p.n) {
          let v = dy[base + l + q];
          run += v;
          run_moment = fma(v, x[base + l + q] - vec4<f32>(c.x), run_moment);
          dx[base + l + q] = v * w * c.y;
        }
      }
      plane_sum += run;
      plane_moment += run_moment;
      l += WG * RUN;
    }
    sum += plane_sum;
    moment += plane_moment;
  }
  part[o * p.parts + (batch * p.pieces + piece) * WG + local] = vec4<f32>((sum.x + sum.y) + (sum.z + sum.w),
    (moment.x + moment.y) + (moment.z + moment.w), 0.0, 0.0);
}
