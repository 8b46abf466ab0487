// Moments of planes, in chunks: one invocation each, for software adapters.
//
//   part[g*parts + j] = (hi, lo, sum of (x - hi)^2 - n*lo^2, n) of chunk j of
//   group g, the mean of the chunk being hi + lo
//
// Layout:   x is [n, c, s]; group g is the elements [:, g, :]. T is what is loaded
//           at once: a vec4 where 4 divides s, else a float; s and step count T's
// Tile:     one invocation for a chunk of `size` blocks; a block is up to BLOCK
//           T's of a plane, read once and kept in registers. The lanes of T are
//           sequences of their own until the end
// Bindings: 0 params, 1 x, 2 part
// Limits:   none
//
// No workgroup memory and no barrier: a CPU has neither. Blocks have two passes;
// their moments are merged as in Chan, Golub and LeVeque, 1983.

struct Params {
  chunks: u32, // groups * parts
  parts: u32,  // chunks of one group
  size: u32,   // blocks of a chunk; the last one of a group may be smaller
  count: u32,  // blocks of a group
  blocks: u32, // blocks of a plane
  s: u32,      // of a plane
  step: u32,   // from a plane to the next one of the group: c*s
  rms: u32,    // 1: the mean is taken as 0
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
const LANES = 1u;
fn first(v: T) -> f32 { return v; }
fn total(v: T) -> f32 { return v; }
fn masked(v: T, keep: bool) -> T { return select(0.0, v, keep); }
// end swap
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read_write> part: array<vec4<f32>>;

const WG = 32u;
const BLOCK = 16u;
const BLOCK4 = 4u; // BLOCK / 4
const WHOLE = false; // every block is whole

// swap: moments
fn recentre(pivot: f32, offset: f32) -> vec2<f32> {
  let hi = pivot + offset;
  return vec2<f32>(hi, offset - (hi - pivot));
}
fn middle(a: f32, b: f32, c: f32) -> f32 { return max(min(a, b), min(max(a, b), c)); }
fn k_pin(x: f32) -> f32 { return x; }
// end swap

// The address of block b of the group that begins at base.
fn address(b: u32, base: u32) -> u32 { return b / p.blocks * p.step + base + b % p.blocks * BLOCK; }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.chunks) { return; }
  let start = i % p.parts * p.size;
  let stop = min(start + p.size, p.count);
  let base = i / p.parts * p.s;
  let averaged = select(1.0, 0.0, p.rms == 1u);
  // Deviations are taken from near the mean: from the mean of the middle block.
  let size = stop - start;
  let near = middle(first(x[address(start + size / 4u, base)]), first(x[address(start + size / 2u, base)]),
                    first(x[address(start + 3u * size / 4u, base)]));
  let some = min(BLOCK, p.s - (start + size / 2u) % p.blocks * BLOCK);
  let from_middle = address(start + size / 2u, base);
  var offset = T(0.0);
  for (var q = 0u; q < BLOCK; q++) { // unroll
    offset += masked(x[from_middle + min(q, some - 1u)] - T(near), q < some);
  }
  let pivot = select(k_pin(near + total(offset) / f32(some * LANES)), 0.0, p.rms == 1u);
  var count = 0.0;       // of each lane so far
  var mean = T(0.0);     // of each lane, less pivot
  var rest = T(0.0);     // of the mean, that its rounding left out
  var squares = T(0.0);  // around it
  for (var b = start; b < stop; b++) {
    let n = min(BLOCK, p.s - b % p.blocks * BLOCK);
    let at = address(b, base);
    var v: array<T, BLOCK>;
    var sum = T(0.0);
    for (var q = 0u; q < BLOCK; q++) { // unroll
      if (WHOLE) {
        v[q] = x[at + q] - T(pivot);
      } else {
        v[q] = masked(x[at + min(q, n - 1u)] - T(pivot), q < n);
      }
      sum += v[q];
    }
    let m = sum * (averaged / f32(n));
    var left = T(0.0); // sum of what is around m, which m's rounding keeps from 0
    var block = T(0.0);
    for (var q = 0u; q < BLOCK; q++) { // unroll
      v[q] -= m;
      if (!WHOLE) { v[q] = masked(v[q], q < n); }
      left += v[q];
    }
    for (var q = 0u; q < BLOCK4; q++) { // unroll
      let a = fma(v[4u * q], v[4u * q], v[4u * q + 1u] * v[4u * q + 1u]);
      block += a + fma(v[4u * q + 2u], v[4u * q + 2u], v[4u * q + 3u] * v[4u * q + 3u]);
    }
    let l = left * (averaged / f32(n));
    let d = m - mean;
    let share = f32(n) / (count + f32(n));
    mean = fma(d, T(share), mean);
    rest = fma(l - rest, T(share), rest);
    squares += fma(d * d, T(count * share), block - left * l);
    count += f32(n);
  }
  let middle = total(mean) / f32(LANES);
  let apart = mean - T(middle);
  let m = recentre(pivot, middle);
  let lo = m.y + total(apart + rest) / f32(LANES);
  part[i] = vec4<f32>(m.x, lo, total(fma(apart * apart, T(count), squares)), count * f32(LANES));
}
