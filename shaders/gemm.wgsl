// Matrix product, batched: the naive kernel.
//
//   y[i,m,n] = act(alpha * (sum over k of a[i,m,k] * b[i,k,n]) + beta * c[m,n])
//
// Layout:   element (m, k) of a matrix of a lies at m*am + k*ak, element (k, n)
//           of b at k*bk + n*bn, so that one text serves every transpose; c is
//           at m*cm + n*cn, with steps of 0 where it repeats; y is [i, M, N].
//           Matrix i of a and b starts where up to six batch axes say, each
//           with its size and the steps of both operands.
// Tile:     one invocation for one output
// Bindings: 0 params, 1 a, 2 b, 3 c (a dummy where p.bias is 0), 4 y
// Limits:   every tensor below 2^31 elements
//
// It is the definition that the faster kernels are compared with.

struct Params {
  total: u32, // outputs
  m: u32, n: u32, k: u32,
  am: u32, ak: u32, bk: u32, bn: u32,
  bias: u32, cm: u32, cn: u32, // whether there is a c, and its steps
  alpha: f32, beta: f32, act_a: f32, act_b: f32,
  size0: u32, a0: u32, b0: u32, // the innermost batch axis
  size1: u32, a1: u32, b1: u32,
  size2: u32, a2: u32, b2: u32,
  size3: u32, a3: u32, b3: u32,
  size4: u32, a4: u32, b4: u32,
  size5: u32, a5: u32, b5: u32, // the outermost
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> c: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

const WG = 64u;

// swap: activate
fn activate(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

// Where the matrices of product i start in a and in b.
fn starts(i: u32) -> vec2<u32> {
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
  return at + (rest / p.size4) * vec2<u32>(p.a5, p.b5);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  let n = i % p.n;
  let m = i / p.n % p.m;
  let at = starts(i / (p.n * p.m));
  var at_a = at.x + m * p.am;
  var at_b = at.y + n * p.bn;
  var sum = 0.0;
  for (var k = 0u; k < p.k; k++) {
    sum = fma(a[at_a], b[at_b], sum);
    at_a += p.ak;
    at_b += p.bk;
  }
  sum *= p.alpha;
  if (p.bias != 0u) { sum = fma(p.beta, c[m * p.cm + n * p.cn], sum); }
  y[i] = activate(sum, p.act_a, p.act_b);
}
