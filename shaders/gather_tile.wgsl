// Elements in another order where rows become columns: tiles of 32 x 32 through
// workgroup memory.
//
//   y[k, r, c] = x[base + at(k) + r + c*step]   with r along x's rows, c along y's
//
// A workgroup reads 32 rows of x and writes 32 rows of y, so that neighbouring
// invocations touch neighbouring elements both times; a row of workgroup memory
// has one element to spare, so that a column lies in 32 banks.
//
// Layout:   the innermost axis of y, c, steps over x; another axis of y, r, steps
//           by one element of x; the rest, k, are up to six axes, innermost
//           first, each with its size and its steps in x and y
// Tile:     32 x 32 elements for a workgroup of 32 x 8
// Bindings: 0 params, 1 x, 2 y
// Limits:   every tensor below 2^31 elements

struct Params {
  total: u32, // workgroups that have work
  base: u32,
  rows: u32, cols: u32,           // sizes of r and c
  x_step: u32, y_step: u32,       // from one c to the next in x, from one r to the next in y
  size0: u32, x0: u32, y0: u32,   // the innermost of the rest
  size1: u32, x1: u32, y1: u32,
  size2: u32, x2: u32, y2: u32,
  size3: u32, x3: u32, y3: u32,
  size4: u32, x4: u32, y4: u32,
  size5: u32, x5: u32, y5: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const WG = 256u;
const TILE = 32u;
const STRIDE = 8u; // WG / TILE
const CELLS = 1056u; // TILE * (TILE+1)

var<workgroup> tile: array<f32, CELLS>;

// Where the matrix of number k begins in x and in y.
fn matrix(k: u32) -> vec2<u32> {
  var rest = k;
  var at = vec2<u32>(p.base, 0u);
  // swap: matrix
  at += rest % p.size0 * vec2<u32>(p.x0, p.y0);
  rest /= p.size0;
  // end swap
  return at;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = group.x + groups.x * (group.y + groups.y * group.z);
  if (i >= p.total) { return; }
  let tiles_c = (p.cols + TILE - 1u) / TILE;
  let tiles_r = (p.rows + TILE - 1u) / TILE;
  let c0 = i % tiles_c * TILE;
  let r0 = i / tiles_c % tiles_r * TILE;
  let at = matrix(i / tiles_c / tiles_r);
  let along = local % TILE;
  let across = local / TILE;
  for (var j = across; j < TILE; j += STRIDE) {
    if (r0 + along < p.rows && c0 + j < p.cols) {
      tile[j * (TILE + 1u) + along] = x[at.x + r0 + along + (c0 + j) * p.x_step];
    }
  }
  workgroupBarrier();
  for (var j = across; j < TILE; j += STRIDE) {
    if (c0 + along < p.cols && r0 + j < p.rows) {
      y[at.y + (r0 + j) * p.y_step + c0 + along] = tile[along * (TILE + 1u) + j];
    }
  }
}
