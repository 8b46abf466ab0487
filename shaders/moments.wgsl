// What the kernels of the normalizations share.
//
// A mean is carried as hi + lo: hi is near it, and lo is the rest. With a mean
// of 10^4 deviations one float32 alone would be off by 6e-4 of a deviation. A
// result is then fma(x - hi, k, b), with k = scale / std and b = shift - lo * k:
// x - hi is exact where x is near the mean.
//
// k_pin and the like are of math.wgsl.
//
// Sums of deviations are taken from an element of the group, and squares from hi
// or from the mean of a block, never E[x^2] - E[x]^2; each sum is in short blocks
// or in a tree, as many equal terms on a large one are rounded all one way.
//
// The sum of x - hi, which makes lo, is taken with all that its roundings leave
// wherever a group may be small: the result of an element that is close to the
// mean is then as good as any other. Over many elements the roundings cancel.

// pivot + offset as hi + lo.
fn recentre(pivot: f32, offset: f32) -> vec2<f32> {
  let hi = k_pin(pivot + offset);
  return vec2<f32>(hi, offset - (hi - pivot));
}

// 1 / sqrt(v) within 1.5 ULP: a Newton step on the built-in's 2 ULP. +Inf of 0
// and of subnormals, 0 of +Inf, NaN of NaN and of negative numbers.
fn inv_sqrt(v: f32) -> f32 {
  let r = inverseSqrt(v);
  let better = fma(0.5 * r, fma(-(v * r), r, 1.0), r);
  let real = select(better, k_nan(v), bitcast<u32>(v) > 0x7f800000u);
  return select(select(real, 0.0, bitcast<u32>(v) == 0x7f800000u), k_inf(1.0 + abs(v)), k_is_zero(v));
}

// The factor of a group: 1 / sqrt(variance + eps), or 1 / (sqrt(variance) + eps).
fn inv_std(variance: f32, eps: f32, eps_on_std: u32) -> f32 {
  if (eps_on_std == 0u) { return inv_sqrt(variance + eps); }
  let r = inv_sqrt(variance);
  let deviation = select(variance * r, 0.0, variance == 0.0);
  if (deviation + eps == 0.0) { return r; }
  return 1.0 / (deviation + eps);
}

// The middle one of three numbers.
fn middle(a: f32, b: f32, c: f32) -> f32 { return max(min(a, b), min(max(a, b), c)); }
