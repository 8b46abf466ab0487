// Matrix product with a split sum: adds the splits' parts in order.
//
//   y[i,m,n] = act(alpha * (sum over s of parts[s,i,m,n]) + beta * c[m,n])
//
// Layout:   parts [splits, total], y [total] with total = products * M * N
// Tile:     one invocation for one output
// Bindings: 0 params, 1 parts, 2 c (a dummy where p.bias is 0), 3 y
// Limits:   splits*total below 2^31

struct Params {
  total: u32, splits: u32,
  m: u32, n: u32,
  bias: u32, cm: u32, cn: u32, // whether there is a c, and its steps
  alpha: f32, beta: f32, act_a: f32, act_b: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read> c: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

const WG = 64u;

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  var sum = 0.0;
  for (var s = 0u; s < p.splits; s++) { sum += parts[s * p.total + i]; }
  sum *= p.alpha;
  if (p.bias != 0u) { sum = fma(p.beta, c[i / p.n % p.m * p.cm + i % p.n * p.cn], sum); }
  y[i] = activate(sum, p.act_a, p.act_b);
}
