// Adds rows up, some of them at a time.
//
//   y[to + j*n + l] = sum of x[from + i*n + l] over the rows i of chunk j
//
// Layout:   x is [rows, n] from element `from` on, y [chunks, n] from `to` on. T is
//           what is loaded at once: a vec4 where 4 divides n, else a float; n, from
//           and to count T's
// Tile:     one invocation for a T of a chunk; neighbours have neighbouring columns
// Bindings: 0 params, 1 x, 2 y
// Limits:   none

struct Params {
  total: u32, // chunks * n
  n: u32,
  rows: u32,
  size: u32, // rows of a chunk; the last one may be smaller
  from_: u32,
  to: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
// end swap
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;

const WG = 32u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  let start = i / p.n * p.size;
  let end = min(start + p.size, p.rows);
  var sum = T(0.0);
  for (var row = start; row < end;) {
    let stop = min(row + 16u, end);
    var block = T(0.0);
    for (; row < stop; row++) { block += x[p.from_ + row * p.n + i % p.n]; }
    sum += block;
  }
  y[p.to + i] = sum;
}
