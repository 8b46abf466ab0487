// What the kernels of the normalizations share.
//
// A mean is carried as hi + lo: hi is near it, and lo is the rest. With a mean
// of 10^4 deviations one float32 alone would be off by 6e-4 of a deviation. A
// result is then fma(x - hi, k, b), with k = scale / std and b = shift - lo * k:
// x - hi is exact where x is near the mean.
//
// Sums of deviations are taken from a first element of the group, and squares
// from hi, never E[x^2] - E[x]^2; each sum is in blocks of 16 or in a tree.

// Hides a value from the compiler's algebra, which may take (a + b) - a for b
// though it is not in floating point. zero is a parameter of the dispatch.
fn opaque(v: f32, zero: u32) -> f32 { return bitcast<f32>(bitcast<u32>(v) ^ zero); }

// pivot + offset as hi + lo.
fn recentre(pivot: f32, offset: f32, zero: u32) -> vec2<f32> {
  let hi = opaque(pivot + offset, zero);
  return vec2<f32>(hi, offset - (hi - pivot));
}

// 1 / sqrt(v) within 1.5 ULP: a Newton step on the built-in's 2 ULP. +Inf of 0
// and of subnormals, 0 of +Inf, NaN of NaN and of negative numbers.
fn inv_sqrt(v: f32, zero: u32) -> f32 {
  let bits = bitcast<u32>(v);
  if (bits >= 0x7f800000u) {
    if (bits == 0x7f800000u) { return 0.0; }
    if (bits == 0x80000000u) { return bitcast<f32>(0x7f800000u ^ zero); }
    return bitcast<f32>(0x7fc00000u ^ zero);
  }
  if (bits < 0x00800000u) { return bitcast<f32>(0x7f800000u ^ zero); }
  let r = inverseSqrt(v);
  return fma(0.5 * r, fma(-(v * r), r, 1.0), r);
}

// The factor of a group: 1 / sqrt(variance + eps), or 1 / (sqrt(variance) + eps).
fn inv_std(variance: f32, eps: f32, eps_on_std: u32, zero: u32) -> f32 {
  if (eps_on_std == 0u) { return inv_sqrt(variance + eps, zero); }
  let r = inv_sqrt(variance, zero);
  let deviation = select(variance * r, 0.0, variance == 0.0);
  if (deviation + eps == 0.0) { return r; }
  return 1.0 / (deviation + eps);
}
