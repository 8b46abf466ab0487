// The last step of a transposed convolution by phases: the sums of one phase to
// their places, a stride apart; see convtranspose_pack.wgsl.
//
//   y[n, k, s*u + e] = act(b[k] + sums[n, k, u])
//
// Layout:   sums [N, K, UD, UH, pitch] with rows of whole vec4s; b [K];
//           y [N, K, OD, OH, OW]
// Tile:     8 outputs of the phase, of a row, for one invocation
// Bindings: 0 params, 1 sums, 2 b (a dummy where there is none), 3 y
// Limits:   none

struct Params {
  total: u32,                                   // invocations: N*K*UD*UH*runs
  runs: u32,                                    // of a row
  u_d: u32, u_h: u32,                           // outputs of the phase
  k_out: u32,                                   // K
  pitch4: u32,                                  // vec4s of a row of sums
  out_d: u32, out_h: u32, out_w: u32,
  stride_d: u32, stride_h: u32, stride_w: u32,
  phase_d: u32, phase_h: u32, phase_w: u32,
  bias: u32,                                    // 1 where there is one
  act_a: f32, act_b: f32,
}

const WG = 8u;

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> sums: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + grid.x * (group.y + grid.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  let run = id % p.runs;
  var rest = id / p.runs;
  let h = rest % p.u_h;
  rest = rest / p.u_h;
  let d = rest % p.u_d;
  rest = rest / p.u_d; // n*K + k
  let source = ((rest * p.u_d + d) * p.u_h + h) * p.pitch4 + 2u * run;
  var start = 0.0;
  if (p.bias != 0u) { start = b[rest % p.k_out]; }
  let column = 8u * run * p.stride_w + p.phase_w;
  let to = ((rest * p.out_d + d * p.stride_d + p.phase_d) * p.out_h + h * p.stride_h + p.phase_h) * p.out_w + column;
  for (var i = 0u; i < 2u; i++) { // unroll
    if (2u * run + i < p.pitch4) {
      let v = sums[source + i];
      for (var l = 0u; l < 4u; l++) { // unroll
        let at = (4u * i + l) * p.stride_w;
        if (column + at < p.out_w) { y[to + at] = activate(v[l] + start, p.act_a, p.act_b); }
      }
    }
  }
}
