// The coefficients of the gradient of a normalization of contiguous rows, with a
// scale for each element of a row: one pass over x and dy, for software adapters.
//
//   coef[r] = (hi, k, mean(d) - lo*c, c),  low[r] = lo,  d = dy*scale,
//   k = 1/sqrt(variance + eps),  c = k^2 * mean(d*(x - m)),  m = hi + lo the mean
//
// Layout:   x and dy are [rows, n], scale [n]. T is what is loaded at once: a vec4
//           where 4 divides n, else a float; n counts T's. The lanes of T are
//           sequences of their own until the end
// Tile:     one invocation for ROWS rows, so that a scale that is loaded serves
//           all of them; blocks of BLOCK T's of x are kept in registers for two
//           passes, and merged as in Chan, Golub and LeVeque, 1983
// Bindings: 0 params, 1 dy, 2 x, 3 scale, 4 coef, 5 low
// Limits:   n*(1 + 1/BLOCK) loops, see softwareLoops in plan.go
//
// Products are of deviations from a pivot, the mean of the middle block, which is
// near the mean: what it is off is taken out at the end.

struct Params {
  rows: u32,
  n: u32,
  rms: u32, // 1: the mean is taken as 0
  inv_count: f32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
// swap: lanes
alias T = f32;
const LANES = 1u;
fn first(v: T) -> f32 { return v; }
fn total(v: T) -> f32 { return v; }
fn masked(v: T, keep: bool) -> T { return select(0.0, v, keep); }
// end swap
@group(0) @binding(1) var<storage, read> dy: array<T>;
@group(0) @binding(2) var<storage, read> x: array<T>;
@group(0) @binding(3) var<storage, read> scale: array<T>;
@group(0) @binding(4) var<storage, read_write> coef: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> low: array<f32>;

const WG = 16u;
const ROWS = 2u;
const BLOCK = 8u;
const WHOLE = false; // every block is whole

// swap: moments
fn recentre(pivot: f32, offset: f32) -> vec2<f32> {
  let hi = pivot + offset;
  return vec2<f32>(hi, offset - (hi - pivot));
}
fn inv_sqrt(v: f32) -> f32 { return inverseSqrt(v); }
fn middle(a: f32, b: f32, c: f32) -> f32 { return max(min(a, b), min(max(a, b), c)); }
fn k_pin(x: f32) -> f32 { return x; }
// end swap

fn pivot_of(base: u32) -> f32 {
  let near = middle(first(x[base + p.n / 4u]), first(x[base + p.n / 2u]), first(x[base + 3u * p.n / 4u]));
  let some = min(BLOCK, p.n);
  let from_middle = base + (p.n - some) / 2u;
  var offset = T(0.0);
  for (var q = 0u; q < BLOCK; q++) { // unroll
    offset += masked(x[from_middle + min(q, some - 1u)] - T(near), q < some);
  }
  return select(k_pin(near + total(offset) / f32(some * LANES)), 0.0, p.rms == 1u);
}

// Sums over a row so far: of the lanes of T each.
struct Sums { count: f32, mean: T, squares: T, d: T, product: T }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i * ROWS >= p.rows) { return; }
  let averaged = select(1.0, 0.0, p.rms == 1u);
  var row: array<u32, ROWS>;
  var pivot: array<f32, ROWS>;
  var all: array<Sums, ROWS>;
  for (var r = 0u; r < ROWS; r++) { // unroll
    // Past the last row, the last one again: the same values to the same place.
    row[r] = min(i * ROWS + r, p.rows - 1u);
    pivot[r] = pivot_of(row[r] * p.n);
    all[r] = Sums(0.0, T(0.0), T(0.0), T(0.0), T(0.0));
  }
  for (var l = 0u; l < p.n;) {
    // 16 blocks make a block of their own, so that no sum is long.
    var near: array<Sums, ROWS>;
    for (var r = 0u; r < ROWS; r++) { // unroll
      near[r] = Sums(0.0, T(0.0), T(0.0), T(0.0), T(0.0));
    }
    for (var b = 0u; b < 16u && l < p.n; b++) {
      let n = min(BLOCK, p.n - l);
      let share = f32(n) / (near[0].count + f32(n));
      var w: array<T, BLOCK>;
      for (var q = 0u; q < BLOCK; q++) { // unroll
        if (WHOLE) {
          w[q] = scale[l + q];
        } else {
          w[q] = masked(scale[l + min(q, n - 1u)], q < n);
        }
      }
      for (var r = 0u; r < ROWS; r++) { // unroll
        let at = row[r] * p.n + l;
        var v: array<T, BLOCK>;
        var sum = T(0.0);
        var d_sum = T(0.0);
        var product = T(0.0);
        for (var q = 0u; q < BLOCK; q++) { // unroll
          var d: T;
          if (WHOLE) {
            v[q] = x[at + q] - T(pivot[r]);
            d = dy[at + q] * w[q];
          } else {
            v[q] = masked(x[at + min(q, n - 1u)] - T(pivot[r]), q < n);
            d = masked(dy[at + min(q, n - 1u)] * w[q], q < n);
          }
          sum += v[q];
          d_sum += d;
          product = fma(d, v[q], product);
        }
        let m = sum * (averaged / f32(n));
        var squares = T(0.0);
        for (var q = 0u; q < BLOCK; q++) { // unroll
          v[q] -= m;
          if (!WHOLE) { v[q] = masked(v[q], q < n); }
          squares = fma(v[q], v[q], squares);
        }
        let off = m - near[r].mean;
        near[r].mean = fma(off, T(share), near[r].mean);
        near[r].squares += fma(off * off, T(near[r].count * share), squares);
        near[r].d += d_sum;
        near[r].product += product;
        near[r].count += f32(n);
      }
      l += BLOCK;
    }
    for (var r = 0u; r < ROWS; r++) { // unroll
      let share = near[r].count / (all[r].count + near[r].count);
      let off = near[r].mean - all[r].mean;
      all[r].mean = fma(off, T(share), all[r].mean);
      all[r].squares += fma(off * off, T(all[r].count * share), near[r].squares);
      all[r].d += near[r].d;
      all[r].product += near[r].product;
      all[r].count += near[r].count;
    }
  }
  for (var r = 0u; r < ROWS; r++) { // unroll
    let offset = total(all[r].mean) / f32(LANES);
    let apart = all[r].mean - T(offset);
    let m = recentre(pivot[r], offset);
    let k = inv_sqrt(total(fma(apart * apart, T(all[r].count), all[r].squares)) * p.inv_count + p.eps);
    let d = total(all[r].d);
    let c = k * k * (fma(-offset, d, total(all[r].product)) * p.inv_count);
    coef[row[r]] = vec4<f32>(m.x, k, fma(-m.y, c, d * p.inv_count * averaged), c);
    low[row[r]] = m.y;
  }
}
