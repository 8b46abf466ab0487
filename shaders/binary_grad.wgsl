// The gradients of a function of two tensors, element by element.
//
//   KIND 0  a/b          da = dy/b             db = -dy*a/b^2
//   KIND 1  min(a,b)     da = dy where a < b, half of it where they are equal; db the rest
//   KIND 2  max(a,b)     likewise, where a > b
//   KIND 3  a^b          da = dy*b*a^(b-1), 0 where b is; db = dy*a^b*log(a), 0 where a is and b >= 0
//   KIND 4  prelu(a,b)   da = dy where a > 0, dy*b elsewhere; db = dy*a where not a > 0
//
// Layout:   flat, n values each, a and b repeated to the shape of the result
// Tile:     one invocation for one element
// Bindings: 0 params, 1 dy, 2 a, 3 b, 4 a^(b-1) (KIND 3, a dummy for others),
//           5 da, 6 db
// Limits:   KIND 3 needs a^b finite

struct Params { n: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read> power: array<f32>;
@group(0) @binding(5) var<storage, read_write> da: array<f32>;
@group(0) @binding(6) var<storage, read_write> db: array<f32>;

const WG = 64u;
const KIND = 0u;

// swap: math
fn k_log(v: f32) -> f32 { return log(v); }
// end swap

fn lesser(x: f32, y: f32) -> f32 {
  return select(select(0.0, 0.5, x == y), 1.0, x < y);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.n) { return; }
  let x = a[i];
  let y = b[i];
  let d = dy[i];
  if (KIND == 0u) {
    let u = d / y;
    da[i] = u;
    db[i] = -u * (x / y);
  } else if (KIND == 1u) {
    da[i] = d * lesser(x, y);
    db[i] = d * lesser(y, x);
  } else if (KIND == 2u) {
    da[i] = d * lesser(y, x);
    db[i] = d * lesser(x, y);
  } else if (KIND == 3u) {
    da[i] = select(d * (y * power[i]), 0.0, y == 0.0);
    db[i] = select(d * (power[i] * x * k_log(x)), 0.0, x == 0.0 && y >= 0.0);
  } else {
    da[i] = select(d * y, d, x > 0.0);
    db[i] = select(d * x, 0.0, x > 0.0);
  }
}
