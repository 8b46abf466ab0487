// What the kernels of softmax and log softmax share; LOG is theirs, k_ functions
// are of math.wgsl.

// v - m as a float32 and what its rounding left of it (Dekker, 1971): e^80 turns
// half a ULP of 80 into 64 of the result.
fn deviation(v: f32, m: f32) -> vec2<f32> {
  let d = k_pin(v - m);
  let m_larger = abs(m) >= abs(v);
  let z = d - select(v, -m, m_larger);
  let e = select(-m, v, m_larger) - z;
  return vec2<f32>(d, select(0.0, e, d > -0x1p127));
}

// exp(v - m), exactly 1 where they are equal.
fn term(v: f32, m: f32) -> f32 {
  let d = deviation(v, m);
  let e = k_exp(d.x);
  return fma(e, d.y, e);
}

// What divides exp(v - m) or, for LOG, is subtracted from v - m, given the sum
// of all terms but one that is 1. NaN where the maximum is NaN or infinite.
fn divisor(rest: f32, m: f32) -> f32 {
  var r = 1.0 + rest;
  if (LOG) { r = k_log1p(rest); }
  return select(r, k_nan(m), k_is_nan(m) || k_is_inf(m));
}

fn result(v: f32, m: f32, divisor: f32) -> f32 {
  if (LOG) {
    let d = deviation(v, m);
    return (d.x - divisor) + d.y;
  }
  return term(v, m) / divisor;
}
