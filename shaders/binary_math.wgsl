// Division and power of two float32, for binary.wgsl, whatever a device makes of
// a division (2.5 ULP is allowed to it, and anything outside of 2^-126..2^126),
// of fma (which may be fused or not) and of floating-point sums (which a
// compiler may reorder).
//
// Products are split into halves of 12 bits, so that they are exact; a
// difference that must not be reordered goes through opaque(). NaN, infinities
// and zeros are told by their bits.

struct Params { zero: u32 }

@group(0) @binding(0) var<uniform> p: Params;

// library
// opaque returns v through an operation that a compiler cannot see through:
// p.zero is 0 at run time.
fn opaque(v: f32) -> f32 { return bitcast<f32>(bitcast<u32>(v) ^ p.zero); }

fn is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

// head returns the leading 12 bits of v.
fn head(v: f32) -> f32 { return bitcast<f32>(bitcast<u32>(v) & 0xfffff000u); }

// pow2 returns 2^n for n in [-126, 127].
fn pow2(n: i32) -> f32 { return bitcast<f32>(u32(n + 127) << 23u); }

// scale returns v*2^n, of which only the result may round.
fn scale(v: f32, n: i32) -> f32 {
  let m = clamp(n, -300, 300);
  let third = m / 3;
  return v * pow2(third) * pow2(third) * pow2(m - 2 * third);
}

// mantissa and exponent split a positive finite number, given by its bits:
// mantissa in [1, 2), times 2^exponent.
fn mantissa(bits: u32) -> f32 {
  var b = bits;
  if (b < 0x00800000u) { b = bitcast<u32>(f32(b)); } // subnormal: 2^149 times as large
  return bitcast<f32>((b & 0x007fffffu) | 0x3f800000u);
}
fn exponent(bits: u32) -> i32 {
  if (bits < 0x00800000u) { return i32(bitcast<u32>(f32(bits)) >> 23u) - 276; }
  return i32(bits >> 23u) - 127;
}

// quotient returns a/b within one rounding: a first quotient of the mantissas,
// which may be a few ULP off, and the remainder that it leaves over b.
fn quotient(a: f32, b: f32) -> f32 {
  let ua = bitcast<u32>(a) & 0x7fffffffu;
  let ub = bitcast<u32>(b) & 0x7fffffffu;
  let sign = (bitcast<u32>(a) ^ bitcast<u32>(b)) & 0x80000000u;
  if (ua > 0x7f800000u || ub > 0x7f800000u || (ua == 0u && ub == 0u) || (ua == 0x7f800000u && ub == ua)) {
    return bitcast<f32>(0x7fc00000u ^ p.zero);
  }
  if (ua == 0x7f800000u || ub == 0u) { return bitcast<f32>((sign | 0x7f800000u) ^ p.zero); }
  if (ub == 0x7f800000u || ua == 0u) { return bitcast<f32>(sign); }
  let x = mantissa(ua);
  let y = mantissa(ub);
  let q = x / y;
  let qh = head(q);
  let yh = head(y);
  let rest = ((opaque(x - qh * yh) - qh * (y - yh)) - (q - qh) * yh) - (q - qh) * (y - yh);
  let r = scale(q + rest / y, exponent(ua) - exponent(ub));
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
  if (ua > 0x7f800000u || ub > 0x7f800000u) { return bitcast<f32>(0x7fc00000u ^ p.zero); }
  // Whether b is an integer, and odd. From 2^24 on all are even.
  var whole = true;
  var odd = false;
  if (ub < 0x4b800000u) {
    let n = i32(b);
    whole = f32(n) == b;
    odd = whole && (n & 1) != 0;
  }
  let negative = bitcast<u32>(a) > 0x80000000u; // -0 has its own way below
  let sign = select(0u, bitcast<u32>(a) & 0x80000000u, odd);
  let b_negative = (bitcast<u32>(b) & 0x80000000u) != 0u;
  let infinity = 0x7f800000u ^ p.zero;
  if (ua == 0u || ua == 0x7f800000u) { // 0 and infinity to any power
    return bitcast<f32>(sign | select(0u, infinity, (ua == 0u) == b_negative));
  }
  if (ub == 0x7f800000u) { // to an infinite power; (-1)^inf is 1
    if (ua == 0x3f800000u) { return 1.0; }
    return bitcast<f32>(select(0u, infinity, (ua > 0x3f800000u) != b_negative));
  }
  if (negative && !whole) { return bitcast<f32>(0x7fc00000u ^ p.zero); }

  var m = mantissa(ua);
  var e = f32(exponent(ua));
  if (m > 1.4142135) {
    m *= 0.5;
    e += 1.0;
  }
  // s = sh + sl: the first quotient's 11 bits (for mh + 1 has 13), and what
  // remains over m + 1.
  let mh = head(m);
  let sh = bitcast<f32>(bitcast<u32>((m - 1.0) / (m + 1.0)) & 0xffffe000u);
  let sl = (opaque((m - 1.0) - sh * (mh + 1.0)) - sh * (m - mh)) / (m + 1.0);
  let s = sh + sl;
  let t = s * s;
  let q = fma(fma(fma(0.3369322419166565, t, 0.41188836097717285), t, 0.5770798921585083), t, 0.9617967009544373);
  // 2/ln 2 = 2.8828125 + 0.0025775818; the first times sh is exact.
  let lead = sh * 2.8828125;
  let small = fma(s * t, q, fma(sl, 2.885390043258667, sh * 0.0025775818));
  let lh = head(e + lead + small);
  let ll = opaque(opaque(e - lh) + lead) + small;

  let z = b * (lh + ll);
  if (z > 129.0) { return bitcast<f32>(sign | infinity); }
  if (z < -151.0) { return bitcast<f32>(sign); }
  let n = round(z);
  let bh = head(b);
  let f = opaque(bh * lh - n) + fma(b - bh, lh, b * ll);
  let poly = fma(fma(fma(fma(fma(fma(1.5326178981922567e-05, f, 0.00015486993652302772), f, 0.001333339256234467), f,
                             0.00961797870695591), f, 0.05550410971045494), f, 0.24022650718688965), f, 0.6931471824645996);
  let r = scale(fma(f, poly, 1.0), i32(n));
  return bitcast<f32>(bitcast<u32>(r) | sign);
}
// end library

@compute @workgroup_size(1)
fn main() {}
