// Max unpooling in 1, 2 and 3 dimensions, without a race: three steps over the
// same output.
//
//   y[plane,j] = x[plane,i] for the last i with indices[plane,i] = j, 0 where none
//
// STEP 0 clears y, read as whole numbers. STEP 1 leaves at each place the largest
// i+1 that names it: an atomic maximum, whose result does not depend on the
// order. STEP 2 puts the value in the number's stead.
//
// Layout:   x and indices [planes,in], y [planes,out], row-major
// Tile:     one invocation for one element of y, or in STEP 1 of x
// Bindings: 0 params, 1 x, 2 indices, 3 y (as bits)
// Limits:   every tensor below 2^31 elements; an index outside of the plane is
//           left out

struct Params {
  total: u32, // elements of y, in STEP 1 of x
  size_in: u32, size_out: u32, // elements of one plane
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> indices: array<i32>;
@group(0) @binding(3) var<storage, read_write> y: array<atomic<u32>>;

const WG = 64u;
const STEP = 0u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.total) { return; }
  if (STEP == 0u) {
    atomicStore(&y[i], 0u);
  } else if (STEP == 1u) {
    let j = indices[i];
    if (j >= 0 && u32(j) < p.size_out) {
      atomicMax(&y[i / p.size_in * p.size_out + u32(j)], i + 1u);
    }
  } else {
    let last = atomicLoad(&y[i]);
    if (last > 0u) { atomicStore(&y[i], bitcast<u32>(x[last - 1u])); }
  }
}
