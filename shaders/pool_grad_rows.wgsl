// The gradient of max and average pooling by windows that lie side by side
// without a rest, among them adaptive ones whose number divides the size and the
// one that is the whole input: a row of dx by one invocation.
//
//   max: dx[i] = dy[o] where index[o] = i, else 0
//   avg: dx[i] = dy[o] / divisor,   o the one window over i
//
// Layout:   dx [planes,D,H,W], dy and index [planes,OD,OH,OW], row-major
// Tile:     one row of dx, output by output, LANES elements at a time
// Bindings: 0 params, 1 dy, 2 index (max; a dummy otherwise), 3 dx
// Limits:   run_w is a multiple of LANES

struct Params {
  rows: u32, // planes*D*H
  in_d: u32, in_h: u32, in_w: u32,
  out_d: u32, out_h: u32, out_w: u32,
  run_d: u32, run_h: u32, run_w: u32, // the size of a window
  divisor: f32,
}

const WG = 64u;
const KIND = 0u; // 0 max, 1 avg
const LANES = 1u;

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
// swap: lanes
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

fn splat(v: f32) -> f32 { return v; }

fn only(v: f32, at: u32, k: u32) -> f32 { return select(0.0, v, at == k); }
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let row = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (row >= p.rows) { return; }
  let h = row % p.in_h;
  let d = row / p.in_h % p.in_d;
  let plane = row / (p.in_h * p.in_d);
  let place = (d * p.in_h + h) * p.in_w; // of the row in its plane
  let o = ((plane * p.out_d + d / p.run_d) * p.out_h + h / p.run_h) * p.out_w;
  var to = row * p.in_w / LANES;
  var at = place;
  for (var c = 0u; c < p.out_w; c++) {
    let v = dy[o + c];
    let share = splat(v / p.divisor);
    var k = 0u;
    if (KIND == 0u) { k = index[o + c]; }
    for (var w = 0u; w < p.run_w; w += LANES) {
      if (KIND == 0u) {
        dx[to] = only(v, at + w, k);
      } else {
        dx[to] = share;
      }
      to++;
    }
    at += p.run_w;
  }
}
