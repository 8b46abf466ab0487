// The weights of the samples of a cross-entropy: what a mean divides by.
//
//   weight[i] = w[y[i]], 0 for the label that is ignored, 1 for one that is none
//
// Layout:   labels and weight [samples] (labels as int32 bits), w [C]
// Tile:     one invocation for one sample
// Bindings: 0 params, 1 labels, 2 w (a dummy where WEIGHTED is false), 3 weight
// Limits:   none

struct Params {
  samples: u32, classes: u32,
  ignored: u32, // bits of the label that does not count
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read_write> weight: array<f32>;

const WG = 64u;
const WEIGHTED = false;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.samples) { return; }
  let label = labels[i];
  var v = 1.0;
  if (WEIGHTED && label < p.classes) { v = w[label]; }
  weight[i] = select(v, 0.0, label == p.ignored);
}
