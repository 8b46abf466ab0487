// The gradient of a normalization of contiguous rows with a scale for each element
// of a row, for software adapters: all in one dispatch, but for adding up dscale
// and dshift.
//
//   dx = k * (d - mean(d) - xhat*mean(d*xhat)),  d = dy*scale,
//   k = 1/sqrt(variance + eps),  xhat = (x - m)*k,  m the mean
//   part[0, i] = sum of dy, part[1, i] = sum of dy*xhat over the rows of
//   invocation i
//
// Layout:   x, dy and dx are [rows, n], scale [n], part [2, parts, n]. T is what is
//           loaded at once: a vec4 where 4 divides n, else a float; n counts T's.
//           The lanes of T are sequences of their own until the end
// Tile:     one invocation for ROWS rows. First the coefficients of each, in
//           blocks of BLOCK T's of x that are kept in registers for two passes and
//           merged as in Chan, Golub and LeVeque, 1983; then all rows side by side
// Bindings: 0 params, 1 dy, 2 x, 3 scale, 4 dx, 5 part
// Limits:   n*(1 + ROWS*(1 + 1/BLOCK)) loops, see softwareLoops in plan.go
//
// Products are of deviations from a pivot, the mean of the middle block, which is
// near the mean: what it is off is taken out at the end.

struct Params {
  rows: u32,
  n: u32,
  rms: u32, // 1: the mean is taken as 0
  inv_count: f32,
  eps: f32,
  parts: u32, // invocations
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
@group(0) @binding(4) var<storage, read_write> dx: array<T>;
@group(0) @binding(5) var<storage, read_write> part: array<T>;

const WG = 8u;
const ROWS = 8u;
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

// What an element of a row needs: dx = k*(d - z - xhat*c).
struct Line { hi: f32, rest: f32, k: f32, z: f32, c: f32 }

// The coefficients of the row that begins at base; xhat = (x - hi)*k + rest.
fn line(base: u32) -> Line {
  let averaged = select(1.0, 0.0, p.rms == 1u);
  let pivot = pivot_of(base);
  var all = Sums(0.0, T(0.0), T(0.0), T(0.0), T(0.0));
  for (var l = 0u; l < p.n;) {
    // 16 blocks make a block of their own, so that no sum is long.
    var near = Sums(0.0, T(0.0), T(0.0), T(0.0), T(0.0));
    for (var b = 0u; b < 16u && l < p.n; b++) {
      let n = min(BLOCK, p.n - l);
      var v: array<T, BLOCK>;
      var sum = T(0.0);
      var d_sum = T(0.0);
      var product = T(0.0);
      for (var q = 0u; q < BLOCK; q++) { // unroll
        var d: T;
        if (WHOLE) {
          v[q] = x[base + l + q] - T(pivot);
          d = dy[base + l + q] * scale[l + q];
        } else {
          let at = l + min(q, n - 1u);
          v[q] = masked(x[base + at] - T(pivot), q < n);
          d = masked(dy[base + at] * scale[at], q < n);
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
      let share = f32(n) / (near.count + f32(n));
      let off = m - near.mean;
      near.mean = fma(off, T(share), near.mean);
      near.squares += fma(off * off, T(near.count * share), squares);
      near.d += d_sum;
      near.product += product;
      near.count += f32(n);
      l += BLOCK;
    }
    let share = near.count / (all.count + near.count);
    let off = near.mean - all.mean;
    all.mean = fma(off, T(share), all.mean);
    all.squares += fma(off * off, T(all.count * share), near.squares);
    all.d += near.d;
    all.product += near.product;
    all.count += near.count;
  }
  let offset = total(all.mean) / f32(LANES);
  let apart = all.mean - T(offset);
  let m = recentre(pivot, offset);
  let k = inv_sqrt(total(fma(apart * apart, T(all.count), all.squares)) * p.inv_count + p.eps);
  let d = total(all.d);
  let c = k * (fma(-offset, d, total(all.product)) * p.inv_count);
  return Line(m.x, -m.y * k, k, d * p.inv_count * averaged, c);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.parts) { return; }
  var base: array<u32, ROWS>;
  var lines: array<Line, ROWS>;
  for (var r = 0u; r < ROWS; r++) {
    // Past the last row, the last one again: the same values to the same place.
    base[r] = min(i * ROWS + r, p.rows - 1u) * p.n;
    lines[r] = line(base[r]);
  }
  for (var l = 0u; l < p.n; l++) {
    let w = scale[l];
    var sum = T(0.0);
    var product = T(0.0);
    for (var r = 0u; r < ROWS; r++) { // unroll
      let d = dy[base[r] + l];
      let v = fma(x[base[r] + l] - T(lines[r].hi), T(lines[r].k), T(lines[r].rest)); // xhat
      dx[base[r] + l] = fma(v, T(-lines[r].c), fma(d, w, T(-lines[r].z))) * lines[r].k;
      let real = i * ROWS + r < p.rows;
      sum += masked(d, real);
      product += masked(d * v, real);
    }
    part[i * p.n + l] = sum;
    part[(p.parts + i) * p.n + l] = product;
  }
}
