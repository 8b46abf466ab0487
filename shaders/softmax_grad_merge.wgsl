// Merges the sums of the chunks of each slice of a gradient of softmax.
//
// Layout:   part [slices, parts], as softmax_grad_group.wgsl writes them; sum [slices]
// Tile:     one invocation for a slice
// Bindings: 0 params, 1 part, 2 sum
// Limits:   on software adapters 1.1*parts loops, see softwareLoops in plan.go

struct Params {
  slices: u32,
  parts: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> part: array<f32>;
@group(0) @binding(2) var<storage, read_write> total: array<f32>;

const WG = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let slice = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (slice >= p.slices) { return; }
  let base = slice * p.parts;
  var sum = 0.0;
  for (var j = 0u; j < p.parts;) {
    let stop = min(j + 16u, p.parts);
    var block = 0.0;
    for (; j < stop; j++) { block += part[base + j]; }
    sum += block;
  }
  total[slice] = sum;
}
