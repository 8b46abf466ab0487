// The gradient of a padding that takes from its input, along one axis: each
// element gathers from the positions that show it, in ascending order.
//
//   reflect     i, -i, 2(n-1)-i
//   replicate   i, and for the first and last element all of the padding beside it
//   circular    i-n, i, i+n
//
// of those that exist, counted from the input's first element.
//
// Layout:   dy [outer, out, inner], dx [outer, n, inner]
// Tile:     one invocation for one element of dx
// Bindings: 0 params, 1 dy, 2 dx
// Limits:   every tensor below 2^31 elements; reflect and circular paddings at
//           most the axis (checked by the caller)

struct Params {
  total: u32, // elements of dx
  inner: u32,
  n: i32,
  out: i32,
  begin: i32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

const WG = 64u;
const PAD_MODE = 1u; // 1 reflect, 2 replicate, 3 circular

// The gradient at position j, counted from the input's first element; 0 where
// there is none.
fn at(outer: u32, j: i32, inner: u32) -> f32 {
  let o = j + p.begin;
  if (o < 0 || o >= p.out) { return 0.0; }
  return dy[(outer * u32(p.out) + u32(o)) * p.inner + inner];
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let k = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (k >= p.total) { return; }
  let inner = k % p.inner;
  let i = i32(k / p.inner) % p.n;
  let outer = k / (p.inner * u32(p.n));
  var sum = 0.0;
  if (PAD_MODE == 1u) {
    if (i > 0) { sum += at(outer, -i, inner); }
    sum += at(outer, i, inner);
    if (i < p.n - 1) { sum += at(outer, 2 * (p.n - 1) - i, inner); }
  } else if (PAD_MODE == 2u) {
    let first = select(i, -p.begin, i == 0);
    let last = select(i, p.out - p.begin - 1, i == p.n - 1);
    for (var j = first; j <= last; j++) { sum += at(outer, j, inner); }
  } else {
    sum = at(outer, i - p.n, inner) + at(outer, i, inner) + at(outer, i + p.n, inner);
  }
  dx[k] = sum;
}
