// A part of pool.wgsl, which it turns into a kernel for large windows: a workgroup
// of WG invocations shares the window of one output.
//
// The window's elements are numbered in order, and each invocation takes every
// WG-th one: sums in runs of RUN elements that are then added up, maxima as they
// come. The invocations meet in a tree in workgroup memory. Of two maxima from
// different invocations that are equal the one with the lower place stays, of
// two NaNs the one with the higher, as if the elements had come in order.

const RUN = 32u;

var<private> lane: u32; // the invocation's number in its workgroup
var<workgroup> values: array<f32, WG>;
var<workgroup> places: array<i32, WG>;

fn output_of(group: u32, local: u32) -> u32 {
  lane = local;
  return group;
}
fn stores() -> bool { return lane == 0u; }

fn elements(win: Window) -> u32 { return win.d.count * win.h.count * win.w.count; }

// Where element e of the window stands in x.
fn element_at(win: Window, e: u32) -> u32 {
  let r = e / win.w.count;
  return row_at(win, r / win.h.count, r % win.h.count) + e % win.w.count * p.dilation_w;
}

fn sum_of(win: Window, power: u32, scale: f32, absolute: bool, largest: f32) -> f32 {
  var total = 0.0;
  var run = 0.0;
  var k = 0u;
  for (var e = lane; e < elements(win); e += WG) {
    var v = x[element_at(win, e)] * scale;
    if (power == 3u) {
      run += power_of(v, largest, absolute);
    } else if (power == 2u) {
      run = fma(v, v, run);
    } else {
      if (absolute) { v = abs(v); }
      run += v;
    }
    k++;
    if (k == RUN) {
      total += run;
      run = 0.0;
      k = 0u;
    }
  }
  workgroupBarrier(); // the last reduction's result has been read
  values[lane] = total + run;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (lane < half) { values[lane] += values[lane + half]; }
    workgroupBarrier();
  }
  let all = workgroupUniformLoad(&values[0]);
  return all;
}

fn largest_of(win: Window) -> f32 {
  var largest = 0.0;
  for (var e = lane; e < elements(win); e += WG) {
    let v = abs(x[element_at(win, e)]);
    if (!k_is_nan(v) && v > largest) { largest = v; }
  }
  values[lane] = largest;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (lane < half) { values[lane] = max(values[lane], values[lane + half]); }
    workgroupBarrier();
  }
  let all = workgroupUniformLoad(&values[0]);
  return all;
}

// The first of the two in the order of their places comes first.
fn either(a: Maximum, b: Maximum) -> Maximum {
  if (b.place < a.place) { return later(b, a); }
  return later(a, b);
}

fn maximum(win: Window) -> Maximum {
  var m = Maximum(p.lowest, -1);
  for (var e = lane; e < elements(win); e += WG) {
    let i = element_at(win, e);
    m = later(m, Maximum(x[i], i32(i - win.base)));
  }
  values[lane] = m.value;
  places[lane] = m.place;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      m = either(m, Maximum(values[lane + half], places[lane + half]));
      values[lane] = m.value;
      places[lane] = m.place;
    }
    workgroupBarrier();
  }
  return Maximum(values[0], places[0]);
}
