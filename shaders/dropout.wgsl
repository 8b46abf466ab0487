// Dropout: y[i] = x[i] * scale where word i%4 of Philox4x32-10 with the counter
// (i/4, 0, 0, 0) and the key (seed_low, seed_high) is at least threshold, else 0.
//
// Layout:   x, y and mask are flat
// Tile:     one invocation for one vec4; the last vec4 may reach past the end,
//           into the padding that every buffer has
// Bindings: 0 params, 1 x, 2 y, 3 mask (where MASK)
// Limits:   none
//
// Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011. All of it is
// integers, so that the mask is the same everywhere.

struct Params {
  count: u32, // vec4s
  seed_low: u32,
  seed_high: u32,
  threshold: u32,
  keep_any: u32, // 0: everything is dropped
  scale: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
// swap: mask
fn write_mask(i: u32, keep: vec4<bool>) {}
// end swap

const WG = 64u;

// The upper half of the 64-bit product.
fn multiply_high(a: u32, b: u32) -> u32 {
  let al = a & 0xffffu;
  let ah = a >> 16u;
  let bl = b & 0xffffu;
  let bh = b >> 16u;
  let middle = ah * bl + ((al * bl) >> 16u);
  return ah * bh + (middle >> 16u) + ((al * bh + (middle & 0xffffu)) >> 16u);
}

fn philox(counter: u32) -> vec4<u32> {
  var c = vec4<u32>(counter, 0u, 0u, 0u);
  var key = vec2<u32>(p.seed_low, p.seed_high);
  for (var r = 0u; r < 10u; r++) {
    c = vec4<u32>(multiply_high(0xCD9E8D57u, c.z) ^ c.y ^ key.x, 0xCD9E8D57u * c.z,
                  multiply_high(0xD2511F53u, c.x) ^ c.w ^ key.y, 0xD2511F53u * c.x);
    key += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
  }
  return c;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.count) { return; }
  let keep = (philox(i) >= vec4<u32>(p.threshold)) & vec4<bool>(p.keep_any == 1u);
  y[i] = select(vec4<f32>(0.0), x[i] * p.scale, keep);
  write_mask(i, keep);
}
