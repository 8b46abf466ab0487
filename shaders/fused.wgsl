// Functions of one and of two numbers, element by element, one after the other:
// y[i] = f3(f2(f1(x0[i]), x1[at_1(i)]), x2[at_2(i)]).
//
// Layout:   y and x0 are flat, of n values each. Another input repeats: it has
//           its value for i at (i / inner) % size
// Tile:     one invocation for one vec4 (for software, see runs.go); the last vec4 may reach past n, into
//           the padding that every buffer has
// Bindings: 0 params, 1 x0, then the other inputs, then y
// Limits:   seven inputs, eight functions
//
// Every value goes through pin on its way to the next function, so that no
// compiler contracts a product and a sum of two functions into one rounding: the
// result has the bits that the functions give one by one.

struct Params {
  count: u32, // vec4s
  zero: u32,  // 0, which no compiler knows
  // swap: params
  // end swap
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x0: array<vec4<f32>>;
// swap: bindings
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
// end swap

const WG = 64u;

// swap: functions
fn f0(v: f32, a: f32, b: f32) -> f32 { return v; }
// end swap

fn pin(v: vec4<f32>) -> vec4<f32> { return bitcast<vec4<f32>>(bitcast<vec4<u32>>(v) ^ vec4<u32>(p.zero)); }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.count) { return; }
  var v = pin(x0[i]); // or x0 - x0 would be 0, of a NaN too
  // swap: chain
  v = pin(vec4<f32>(f0(v.x, 0.0, 0.0), f0(v.y, 0.0, 0.0), f0(v.z, 0.0, 0.0), f0(v.w, 0.0, 0.0)));
  // end swap
  y[i] = v;
}
