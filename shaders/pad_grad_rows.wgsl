// The gradient of a padding that takes from its input, along one axis, a run of
// elements at a time: the mathematics is that of pad_grad.wgsl. A run first takes
// what stands in the input, then adds what the padding shows of it, if anything:
// no place is computed for elements that it does not show.
//
// Layout:   dy [outer, out, inner], dx [outer, n, inner]; inner counts LANES elements.
//           Where ALONG and 4 divides n and run, dx is bound as vec4s
// Tile:     ALONG: one invocation for a run along the axis, inner being 1; else for
//           a run of neighbours that have the same place on the axis
// Bindings: 0 params, 1 dy, 2 dx
// Limits:   every tensor below 2^31 elements; reflect and circular paddings at
//           most the axis (checked by the caller)

struct Params {
  total: u32, // invocations
  outer: u32,
  inner: u32,
  n: i32,
  out: i32,
  begin: i32,
  run: u32,
  runs: u32, // of the axis, or of the neighbours
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<T>;
// swap: dx
@group(0) @binding(2) var<storage, read_write> dx: array<T>;
fn put(i: u32, v: T) { dx[i] = v; }
fn more(i: u32, v: T) { dx[i] += v; }
// Elements first..last of the row at row_x, which are those from `source` on.
fn copy(row_x: u32, first: i32, last: i32, source: i32) {
  for (var i = first; i <= last; i++) { dx[row_x + u32(i)] = dy[u32(source + i)]; }
}
// end swap

const WG = 64u;
const PAD_MODE = 1u; // 1 reflect, 2 replicate, 3 circular
const ALONG = false;

// swap: lanes
alias T = f32;
// end swap

// The elements first..last of dx, both within the run, get what stands from
// position j of dy on, in steps of step.
fn along(row_x: u32, row_y: u32, first: i32, last: i32, j: i32, step: i32) {
  var source = i32(row_y) + j;
  for (var i = first; i <= last; i++) {
    more(row_x + u32(i), dy[source]);
    source += step;
  }
}

// The n vec4s of dx from `to` on get those of position j, if there is one.
fn across(to: u32, n: u32, outer: u32, j: i32, inner: u32) {
  let o = j + p.begin;
  if (o < 0 || o >= p.out) { return; }
  let source = (outer * u32(p.out) + u32(o)) * p.inner + inner;
  for (var k = 0u; k < n; k++) { more(to + k, dy[source + k]); }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  if (ALONG) {
    let outer = id % p.outer; // neighbours have the same run of other rows
    let first = i32(id / p.outer * p.run);
    let last = min(first + i32(p.run), p.n) - 1;
    let row_x = outer * u32(p.n);
    let row_y = outer * u32(p.out);
    let start = max(first, -p.begin);
    let end = min(last, p.out - 1 - p.begin);
    for (var i = first; i < min(start, last + 1); i++) { put(row_x + u32(i), T(0.0)); } // cropped
    copy(row_x, start, end, i32(row_y) + p.begin);
    for (var i = max(end + 1, start); i <= last; i++) { put(row_x + u32(i), T(0.0)); }
    if (PAD_MODE == 1u) {
      // -i and 2(n-1)-i; the first and the last element are not shown by the padding beside them.
      let low = max(max(first, 1), p.begin - p.out + 1);
      along(row_x, row_y, low, min(last, p.begin), p.begin - low, -1);
      let high = max(first, 2 * (p.n - 1) + p.begin - p.out + 1);
      let top = min(min(last, p.n - 2), 2 * (p.n - 1) + p.begin);
      along(row_x, row_y, high, top, 2 * (p.n - 1) - high + p.begin, -1);
    } else if (PAD_MODE == 2u) {
      // All of the padding for one element: the sum stays in a register.
      for (var one = first; one <= min(first, 0); one++) {
        var sum = T(0.0);
        for (var o = 0; o < min(p.begin, p.out); o++) { sum += dy[row_y + u32(o)]; }
        more(row_x, sum);
      }
      for (var one = max(last, p.n - 1); one <= last; one++) {
        var sum = T(0.0);
        for (var o = max(0, p.n + p.begin); o < p.out; o++) { sum += dy[row_y + u32(o)]; }
        more(row_x + u32(one), sum);
      }
    } else {
      let low = max(first, p.n - p.begin);
      along(row_x, row_y, low, min(last, p.n - p.begin + p.out - 1), low - p.n + p.begin, 1);
      let high = max(first, -p.n - p.begin);
      along(row_x, row_y, high, min(last, p.out - 1 - p.n - p.begin), high + p.n + p.begin, 1);
    }
    return;
  }
  let place = id / p.runs;
  let inner = (id - place * p.runs) * p.run;
  let outer = place / u32(p.n);
  let i = i32(place - outer * u32(p.n));
  let n = min(p.run, p.inner - inner);
  let to = place * p.inner + inner;
  let o = i + p.begin;
  if (o >= 0 && o < p.out) {
    let source = (outer * u32(p.out) + u32(o)) * p.inner + inner;
    for (var k = 0u; k < n; k++) { put(to + k, dy[source + k]); }
  } else {
    for (var k = 0u; k < n; k++) { put(to + k, T(0.0)); }
  }
  if (PAD_MODE == 1u) {
    if (i > 0) { across(to, n, outer, -i, inner); }
    if (i < p.n - 1) { across(to, n, outer, 2 * (p.n - 1) - i, inner); }
  } else if (PAD_MODE == 2u) {
    if (i == 0) { for (var j = -p.begin; j < 0; j++) { across(to, n, outer, j, inner); } }
    if (i == p.n - 1) { for (var j = p.n; j < p.out - p.begin; j++) { across(to, n, outer, j, inner); } }
  } else {
    across(to, n, outer, i - p.n, inner);
    across(to, n, outer, i + p.n, inner);
  }
}
