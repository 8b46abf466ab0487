// A function of two tensors with broadcasting: y[i] = f(a[at_a(i)], b[at_b(i)]).
//
// Layout:   y is dense; its place is decomposed over up to eight axes, innermost
//           first, each with its size and the steps of both operands (0 where
//           one repeats)
// Tile:     one invocation for one output
// Bindings: 0 params, 1 a, 2 b, 3 y
// Limits:   every tensor below 2^31 elements
//
// It is the definition that the faster kernel is compared with.

struct Params {
  total: u32, // outputs
  size0: u32, a0: u32, b0: u32, // the innermost axis
  size1: u32, a1: u32, b1: u32,
  size2: u32, a2: u32, b2: u32,
  size3: u32, a3: u32, b3: u32,
  size4: u32, a4: u32, b4: u32,
  size5: u32, a5: u32, b5: u32,
  size6: u32, a6: u32, b6: u32,
  size7: u32, a7: u32, b7: u32, // the outermost
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

const WG = 64u;

// swap: apply
fn apply(a: f32, b: f32) -> f32 { return a + b; }
// end swap

// Where the operands of output i are.
fn places(i: u32) -> vec2<u32> {
  var rest = i;
  var at = (rest % p.size0) * vec2<u32>(p.a0, p.b0);
  rest /= p.size0;
  at += (rest % p.size1) * vec2<u32>(p.a1, p.b1);
  rest /= p.size1;
  at += (rest % p.size2) * vec2<u32>(p.a2, p.b2);
  rest /= p.size2;
  at += (rest % p.size3) * vec2<u32>(p.a3, p.b3);
  rest /= p.size3;
  at += (rest % p.size4) * vec2<u32>(p.a4, p.b4);
  rest /= p.size4;
  at += (rest % p.size5) * vec2<u32>(p.a5, p.b5);
  rest /= p.size5;
  at += (rest % p.size6) * vec2<u32>(p.a6, p.b6);
  return at + (rest / p.size6) * vec2<u32>(p.a7, p.b7);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  let at = places(i);
  y[i] = apply(a[at.x], b[at.y]);
}
