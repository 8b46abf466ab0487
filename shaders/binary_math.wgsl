// Division and power of two float32, for binary.wgsl, whatever a device makes of
// a division (2.5 ULP is allowed to it, and anything outside of 2^-126..2^126),
// of fma (which may be fused or not) and of floating-point sums (which a
// compiler may reorder).
//
// Products are split into halves of 12 bits, so that they are exact; a
// difference that must not be reordered goes through k_pin. NaN, infinities and
// zeros are told by their bits. The functions k_... are those of math.wgsl.

// mantissa and exponent split a positive finite number, given by its bits:
// mantissa in [1, 2), times 2^exponent.
fn mantissa(bits: u32) -> f32 {
  let b = select(bits, bitcast<u32>(f32(bits)), bits < 0x00800000u); // subnormal: 2^149 times as large
  return bitcast<f32>((b & 0x007fffffu) | 0x3f800000u);
}
fn exponent(bits: u32) -> i32 {
  let b = select(bits, bitcast<u32>(f32(bits)), bits < 0x00800000u);
  return i32(b >> 23u) - select(127, 276, bits < 0x00800000u);
}

// quotient returns a/b within one rounding: a first quotient of the mantissas,
// which may be a few ULP off, and the remainder that it leaves over b.
fn quotient(a: f32, b: f32) -> f32 {
  let ua = bitcast<u32>(a) & 0x7fffffffu;
  let ub = bitcast<u32>(b) & 0x7fffffffu;
  let sign = (bitcast<u32>(a) ^ bitcast<u32>(b)) & 0x80000000u;
  if (ua > 0x7f800000u || ub > 0x7f800000u || (ua == 0u && ub == 0u) || (ua == 0x7f800000u && ub == ua)) {
    return bitcast<f32>(ua | ub | 0x7fc00000u);
  }
  if (ua == 0x7f800000u || ub == 0u) { return bitcast<f32>(sign | 0x7f800000u); }
  if (ub == 0x7f800000u || ua == 0u) { return bitcast<f32>(sign); }
  let x = mantissa(ua);
  let y = mantissa(ub);
  let q = x / y;
  let qh = k_head(q);
  let yh = k_head(y);
  let rest = ((k_pin(x - qh * yh) - qh * (y - yh)) - (q - qh) * yh) - (q - qh) * (y - yh);
  let r = k_scale(q + rest / y, clamp(exponent(ua) - exponent(ub), -252, 254));
  return bitcast<f32>(bitcast<u32>(r) | sign);
}

// power returns a^b = 2^(b*log2 a) with log2 a to 30 bits in two parts, as
// IEEE 754's pow defines the special cases.
//
// |a| = 2^e*m with m in [1/sqrt 2, sqrt 2); log2 m = 2/ln 2 * atanh(s),
// s = (m-1)/(m+1), |s| < 0.172: the term s in two parts, the rest a polynomial
// in s^2 (least squares at Chebyshev points, error 2^-33 relative).
fn power(a: f32, b: f32) -> f32 {
  let ua = bitcast<u32>(a) & 0x7fffffffu;
  let ub = bitcast<u32>(b) & 0x7fffffffu;
  if (ub == 0u || bitcast<u32>(a) == 0x3f800000u) { return 1.0; }
  if (ua > 0x7f800000u || ub > 0x7f800000u) { return bitcast<f32>(ua | ub | 0x7fc00000u); }
  // Whether b is an integer, and odd. From 2^24 on all are even.
  let large = ub >= 0x4b800000u;
  let n_b = i32(select(b, 0.0, large));
  let whole = large || f32(n_b) == b;
  let odd = !large && whole && (bitcast<u32>(n_b) & 1u) == 1u;
  let negative = bitcast<u32>(a) > 0x80000000u; // -0 has its own way below
  let sign = select(0u, bitcast<u32>(a) & 0x80000000u, odd);
  let b_negative = (bitcast<u32>(b) & 0x80000000u) != 0u;
  let infinity = 0x7f800000u;
  if (ua == 0u || ua == 0x7f800000u) { // 0 and infinity to any power
    return bitcast<f32>(sign | select(0u, infinity, (ua == 0u) == b_negative));
  }
  if (ub == 0x7f800000u) { // to an infinite power; (-1)^inf is 1
    if (ua == 0x3f800000u) { return 1.0; }
    return bitcast<f32>(select(0u, infinity, (ua > 0x3f800000u) != b_negative));
  }
  if (negative && !whole) { return bitcast<f32>(ua | ub | 0x7fc00000u); }

  let above = mantissa(ua) > 1.4142135;
  let m = mantissa(ua) * select(1.0, 0.5, above);
  let e = f32(exponent(ua)) + select(0.0, 1.0, above);
  // s = sh + sl: the first quotient's 11 bits (for mh + 1 has 13), and what
  // remains over m + 1.
  let mh = k_head(m);
  let sh = bitcast<f32>(bitcast<u32>((m - 1.0) / (m + 1.0)) & 0xffffe000u);
  let sl = (k_pin((m - 1.0) - sh * (mh + 1.0)) - sh * (m - mh)) / (m + 1.0);
  let s = sh + sl;
  let t = s * s;
  let q = fma(fma(fma(0.3369322419166565, t, 0.41188836097717285), t, 0.5770798921585083), t, 0.9617967009544373);
  // 2/ln 2 = 2.8828125 + 0.0025775818; the first times sh is exact.
  let lead = sh * 2.8828125;
  let small = fma(s * t, q, fma(sl, 2.885390043258667, sh * 0.0025775818));
  let lh = k_head(e + lead + small);
  let ll = k_pin(k_pin(e - lh) + lead) + small;

  let z = b * (lh + ll);
  if (z > 129.0) { return bitcast<f32>(sign | infinity); }
  if (z < -151.0) { return bitcast<f32>(sign); }
  let n = round(z);
  let bh = k_head(b);
  let f = k_pin(bh * lh - n) + fma(b - bh, lh, b * ll);
  let poly = fma(fma(fma(fma(fma(fma(1.5326178981922567e-05, f, 0.00015486993652302772), f, 0.001333339256234467), f,
                             0.00961797870695591), f, 0.05550410971045494), f, 0.24022650718688965), f, 0.6931471824645996);
  let r = k_scale(fma(f, poly, 1.0), i32(n));
  return bitcast<f32>(bitcast<u32>(r) | sign);
}
