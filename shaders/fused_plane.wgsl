// Functions of one and of two numbers and normalizations with given statistics,
// element by element, one after the other, plane by plane.
//
// Layout:   y and x0 are planes of the same size, one after the other. Another
//           input has a value for each element, or one for each plane
// Tile:     one invocation for up to BLOCK T's of a plane. T is a vec4 where 4
//           divides the size of a plane, else a float. For software adapters, a
//           workgroup for a part of a plane; see partsOfPlanes
// Bindings: 0 params, 1 x0, then the other inputs, then y
// Limits:   seven inputs, eight functions
//
// A normalization is that of normalize.wgsl, fma(x - mean, k, b). Values go
// through pin as in fused.wgsl.

struct Params {
  total: u32,  // invocations: planes * blocks
  blocks: u32, // blocks of a plane
  run: u32,    // T's of a plane
  zero: u32,   // 0, which no compiler knows
  rounds: u32, // of a part, in the form for software adapters
  // swap: params
  // end swap
}

// swap: lanes
alias T = f32;
fn pin(v: T) -> T { return bitcast<f32>(bitcast<u32>(v) ^ p.zero); }
// end swap

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x0: array<T>;
// swap: bindings
@group(0) @binding(2) var<storage, read_write> y: array<T>;
// end swap

const WG = 64u;
const BLOCK = 4u;

// swap: functions
fn f0(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  let plane = id / p.blocks;
  let start = id % p.blocks * BLOCK;
  let first = plane * p.run;
  // swap: planes
  // end swap
  let stop = first + min(start + BLOCK, p.run);
  for (var i = first + start; i < stop; i++) {
    var v = pin(x0[i]); // or x0 - x0 would be 0, of a NaN too
    // swap: chain
    v = pin(T(v));
    // end swap
    y[i] = v;
  }
}
