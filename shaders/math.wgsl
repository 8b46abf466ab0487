// The pointwise functions, written out: WGSL's own exp, log, tanh, sin and pow
// may be off by thousands of ULPs, and return NaN where they overflow.
//
// Every function of spec.Pointwise is a k_NAME here, of x and of the parameters
// that it reads; the rest serves them. Functions are pure, so that Go can take
// the ones a kernel needs (MathSource) into any shader.
//
// What the code keeps to, since that much is all that WGSL promises:
//   - +, -, * and fma are rounded, and fma may be a product and a sum. Each step
//     is either exact in both readings or small enough not to care.
//   - A division is within 2.5 ULP, for divisors of 2^-126 to 2^126. k_div
//     repairs it where it counts. inverseSqrt is within 2 ULP.
//   - Subnormal numbers may be taken for zero at any point. Products of a large
//     and a very small factor are ordered so that none comes up on the way to a
//     normal result: 2^n is multiplied in as 2^(n/2) first and last.
//   - Compilers may assume that there is no NaN and no infinity, and min and max
//     of a NaN are anything. So NaN and infinities are recognised and made as
//     bits, and a select at the end of a function puts them in place.
//   - A constant expression must not be infinite or NaN: k_nan and k_inf make
//     theirs of an argument.
//   - Compilers may reassociate: Mesa turns n*a + n*b into n*(a+b), and so undoes
//     a constant that was split in two. A sum that has to be made as written has
//     a k_pin around the part to be made first.
// Error bounds are in spec (Activation.Budget); coefficients are minimax fits,
// rounded to float32 one by one.

// ---- bits ----

fn k_is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }

fn k_is_inf(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }

// A zero or a subnormal number.
fn k_is_zero(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) < 0x00800000u; }

fn k_nan(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u); }

// The infinity of x's sign.
fn k_inf(x: f32) -> f32 { return bitcast<f32>((bitcast<u32>(x) & 0x80000000u) | 0x7f800000u); }

fn k_copysign(magnitude: f32, sign_of: f32) -> f32 {
  return bitcast<f32>((bitcast<u32>(magnitude) & 0x7fffffffu) | (bitcast<u32>(sign_of) & 0x80000000u));
}

// The first 12 bits of x's significand: the product of two such is exact, and
// so is what is left of x.
fn k_head(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u); }

// x itself. As no compiler knows that a number's bits are below those of a
// negative NaN, none moves arithmetic across.
fn k_pin(x: f32) -> f32 { return bitcast<f32>(min(bitcast<u32>(x), 0xffc00000u)); }

// 2^n for -126 <= n <= 127.
fn k_pow2(n: i32) -> f32 { return bitcast<f32>(u32(n + 127) << 23u); }

// x * 2^n for -252 <= n <= 254, without overflow or underflow on the way.
fn k_scale(x: f32, n: i32) -> f32 {
  let h = n >> 1u;
  return k_pin(x * k_pow2(h)) * k_pow2(n - h);
}

// ---- division and square root ----

// a/b within 0.51 ULP: one Newton step on the quotient, whose remainder a - q*b is
// taken by heads, as an fma that is not fused would round it. Parts of a very
// small a or a/b would be subnormal: it goes without. Needs |b| and |a/b| below
// 2^120, and |b| above 2^-100.
fn k_div(a: f32, b: f32) -> f32 {
  let y = 1.0 / b;
  let q = k_pin(a * y);
  let qh = k_head(q);
  let bh = k_head(b);
  let r = k_pin(fma(-qh, bh, a)) - fma(qh, b - bh, (q - qh) * b);
  return select(fma(r, y, q), q, min(abs(a), abs(q)) < 0x1p-100);
}

// a/(1+e) within 1 ULP for 0 <= e <= 1: 1+e is not rounded, as a-q is exact, and
// q*e at most half of a.
fn k_div_1p(a: f32, e: f32) -> f32 {
  let y = 1.0 / (1.0 + e);
  let q = k_pin(a * y);
  return fma(fma(-q, e, k_pin(a - q)), y, q);
}

// a*b + c within an ULP, though fma may be a product and a sum: the product and
// the sum are made with what each of them lost (Dekker 1971, Knuth's two-sum).
// Numbers so small that parts of them are subnormal go without.
fn k_fma(a: f32, b: f32, c: f32) -> f32 {
  let p = k_pin(a * b);
  let ah = k_head(a);
  let al = a - ah;
  let bh = k_head(b);
  let bl = b - bh;
  let p_lost = fma(al, bl, k_pin(fma(al, bh, k_pin(fma(ah, bl, k_pin(fma(ah, bh, -p)))))));
  let s = k_pin(p + c);
  let from_c = k_pin(s - p);
  let s_lost = k_pin(p - k_pin(s - from_c)) + k_pin(c - from_c);
  let special = min(min(abs(a), abs(b)), abs(p)) < 0x1p-100 || (bitcast<u32>(s) & 0x7f800000u) == 0x7f800000u;
  return select(s + (s_lost + p_lost), s, special);
}

// The square root within 0.51 ULP: a Newton step, with the remainder by heads. x
// is brought to 2^-62..2^64 first, so that no part of it is subnormal.
fn k_sqrt(x: f32) -> f32 {
  let large = x > 0x1p64;
  let small = x < 0x1p-62;
  let v = x * select(select(1.0, 0x1p64, small), 0x1p-64, large);
  let y = inverseSqrt(v);
  let s = k_pin(v * y);
  let sh = k_head(s);
  let rest = k_pin(fma(-sh, sh, v)) - (s - sh) * (s + sh);
  let r = fma(0.5 * y, rest, s) * select(select(1.0, 0x1p-32, small), 0x1p32, large);
  let real = select(r, k_nan(x), x < 0.0);
  let finite = select(real, x, k_is_nan(x) || bitcast<u32>(x) == 0x7f800000u);
  return select(finite, 0.0, k_is_zero(x));
}

// Within 1.6 ULP: a Newton step, y + y*(1-x*y*y)/2.
fn k_rsqrt(x: f32) -> f32 {
  let y = inverseSqrt(x);
  let s = k_pin(x * y);
  let r = select(fma(0.5 * y, fma(-s, y, 1.0), y), k_nan(x), x < 0.0);
  let finite = select(select(r, 0.0, bitcast<u32>(x) == 0x7f800000u), x, k_is_nan(x));
  return select(finite, k_inf(x), k_is_zero(x));
}

fn k_reciprocal(x: f32) -> f32 {
  let ax = abs(x);
  let scale = select(select(1.0, 0x1p64, ax < 0x1p-60), 0x1p-64, ax > 0x1p60);
  let y = k_pin(k_div(1.0, x * scale)) * scale;
  let r = select(select(y, k_copysign(0.0, x), k_is_inf(x)), x, k_is_nan(x));
  return select(r, k_inf(x), k_is_zero(x));
}

// ---- exponentials ----
//
// x = n*log(2) + r with |r| <= log(2)/2, so e^x = 2^n * e^r, and e^r - 1 is a
// polynomial. log(2) is taken in two parts, the first of 15 bits, so that its
// product with n is exact.

const K_LOG2E: f32 = 1.44269502;
const K_LOG2E_LO: f32 = 1.92596303e-8;
const K_LN2: f32 = 0.693147182;
const K_LN2_HI: f32 = 0.693145752;
const K_LN2_LO: f32 = 1.42860677e-6;

// e^r - 1 for |r| <= 0.4; relative error 2^-26 before rounding.
fn k_expm1_r(r: f32) -> f32 {
  let q = fma(fma(fma(fma(0.00138367899, r, 0.00836710446), r, 0.041667752), r, 0.16666539), r, 0.49999997);
  return fma(r * r, q, r);
}

// (e^r - 1, n) for |x| < 170.
fn k_exp_parts(x: f32) -> vec2<f32> {
  let n = round(x * K_LOG2E);
  let r = fma(n, -K_LN2_LO, k_pin(fma(n, -K_LN2_HI, x)));
  return vec2<f32>(k_expm1_r(r), n);
}

// (e^r - 1, n) for exp(-a*b), a*b <= 170, a and b not negative. The product is not
// rounded: in e^-z, an error of z/2^24 would be one of z ULPs.
fn k_exp_product_parts(a: f32, b: f32) -> vec2<f32> {
  let n = round(a * b * K_LOG2E);
  let ah = k_head(a);
  let bh = k_head(b);
  let rest = fma(ah, b - bh, (a - ah) * b);
  let r = fma(n, K_LN2_LO, k_pin(fma(n, K_LN2_HI, -(ah * bh))) - rest);
  return vec2<f32>(k_expm1_r(r), -n);
}

fn k_exp(x: f32) -> f32 {
  let e = k_exp_parts(clamp(x, -104.0, 90.0));
  let y = k_scale(1.0 + e.x, i32(e.y));
  return select(select(y, k_inf(x), x > 88.7228394), x, k_is_nan(x));
}

fn k_exp2(x: f32) -> f32 {
  let c = clamp(x, -151.0, 129.0);
  let whole = round(c);
  let f = c - whole;
  let p = fma(fma(fma(fma(fma(fma(0.000158244919, f, 0.00134177238), f, 0.00961706508), f, 0.0555027276), f,
                      0.240226552), f, 0.693147242), f, 1.0);
  let y = k_scale(p, i32(whole));
  return select(select(y, k_inf(x), x >= 128.0), x, k_is_nan(x));
}

// e^x - 1 = 2^n*(e^r-1) + (2^n-1), all of it halved on the way, as 2^128 is too
// large.
fn k_expm1(x: f32) -> f32 {
  let c = clamp(x, -30.0, 88.8);
  let n = round(c * K_LOG2E);
  let m = k_expm1_r(fma(n, -K_LN2_LO, k_pin(fma(n, -K_LN2_HI, c))));
  let s = k_pow2(i32(n) - 1);
  let y = select(2.0 * fma(m, s, s - 0.5), m, n == 0.0);
  return select(select(y, k_inf(x), x > 88.7228394), x, k_is_nan(x));
}

// e^|x| / 2 for |x| <= 90.
fn k_half_exp(ax: f32) -> f32 {
  let e = k_exp_parts(min(ax, 90.0));
  return k_scale(1.0 + e.x, i32(e.y) - 1);
}

// Below 1 a polynomial, above it h - 1/(4h) with h = e^x/2.
fn k_sinh(x: f32) -> f32 {
  let ax = abs(x);
  let z = x * x;
  let p = fma(fma(0.000203733405, z, 0.00833027065), z, 0.166667163);
  let small = fma(ax * z, p, ax);
  let h = k_half_exp(ax);
  let y = select(h - 0.25 / min(h, 0x1p60), small, ax < 1.0);
  return select(k_copysign(select(y, k_inf(ax), ax > 89.4159851), x), x, k_is_nan(x));
}

fn k_cosh(x: f32) -> f32 {
  let ax = abs(x);
  let h = k_half_exp(ax);
  let y = h + 0.25 / min(h, 0x1p60);
  return select(select(y, k_inf(ax), ax > 89.4159851), x, k_is_nan(x));
}

// ---- logarithms ----
//
// x = 2^n * (1+f) with 2/3 <= 1+f < 4/3, and log(1+f) = f + h(f) with
// h = f^2*(-1/2 + f*P(f)).

// log(1+f) - f for |f| <= 1/3; relative error of the sum 2^-27.
fn k_log1p_tail(f: f32) -> f32 {
  let p = fma(fma(fma(fma(fma(fma(fma(-0.128917381, f, 0.139844567), f, -0.121842675), f, 0.140058771), f,
                          -0.166804895), f, 0.200104147), f, -0.249997973), f, 0.333332151);
  return f * f * fma(f, p, -0.5);
}

// (f, n) of a positive, finite x. A subnormal x is an integer times 2^-149.
fn k_log_parts(x: f32) -> vec2<f32> {
  let b = bitcast<u32>(x);
  let subnormal = b < 0x00800000u;
  let v = select(b, bitcast<u32>(f32(b)), subnormal);
  let n = bitcast<i32>(v - 0x3f2aaaabu) >> 23u;
  let f = bitcast<f32>(v - (bitcast<u32>(n) << 23u)) - 1.0;
  return vec2<f32>(f, f32(n) - select(0.0, 149.0, subnormal));
}

// y where x > 0, and otherwise what a logarithm is at 0, below, at NaN and +Inf.
fn k_log_special(y: f32, x: f32) -> f32 {
  let b = bitcast<u32>(x);
  let positive = select(y, x, k_is_nan(x) || b == 0x7f800000u);
  let real = select(positive, k_nan(x), b > 0x80000000u && b <= 0xff800000u);
  return select(real, k_inf(-1.0 - abs(x)), (b & 0x7fffffffu) == 0u);
}

fn k_log(x: f32) -> f32 {
  let d = k_log_parts(x);
  let y = fma(d.y, K_LN2_HI, d.x + fma(d.y, K_LN2_LO, k_log1p_tail(d.x)));
  return k_log_special(y, x);
}

fn k_log2(x: f32) -> f32 {
  let d = k_log_parts(x);
  let h = k_log1p_tail(d.x);
  let y = d.y + fma(d.x, K_LOG2E, fma(d.x, K_LOG2E_LO, h * K_LOG2E));
  return k_log_special(y, x);
}

// The significand of 1+x less 1 is x*2^-n + (2^-n - 1), in which nothing of x is
// lost where 1+x would have rounded it away.
fn k_log1p(x: f32) -> f32 {
  let u = 1.0 + x;
  let n = bitcast<i32>(bitcast<u32>(u) - 0x3f2aaaabu) >> 23u;
  let scaled = bitcast<f32>(bitcast<u32>(x) - (bitcast<u32>(n) << 23u));
  let f = scaled + k_pin(k_pow2(-clamp(n, -126, 126)) - 1.0);
  let nf = f32(n);
  let y = fma(nf, K_LN2_HI, f + fma(nf, K_LN2_LO, k_log1p_tail(f)));
  let b = bitcast<u32>(x);
  let real = select(y, k_nan(x), x < -1.0);
  return select(select(real, x, k_is_nan(x) || b == 0x7f800000u), k_inf(x), b == 0xbf800000u);
}

// log(x+sqrt(x^2+1)) = log1p(x + x^2/(1+sqrt(x^2+1))), and log(2x) far out.
fn k_asinh(x: f32) -> f32 {
  let ax = abs(x);
  let far = ax > 8192.0;
  let a = min(ax, 8192.0);
  let z = a * a;
  let t = a + z / (1.0 + k_sqrt(1.0 + z));
  let y = k_log1p(select(t, ax - 1.0, far)) + select(0.0, K_LN2, far);
  return select(k_copysign(y, x), x, k_is_nan(x));
}

// log(x+sqrt(x^2-1)) = log1p(t + sqrt(t(t+2))) with t = x-1, and log(2x) far out.
fn k_acosh(x: f32) -> f32 {
  let far = x > 8192.0;
  let t = clamp(x, 1.0, 8192.0) - 1.0;
  let y = k_log1p(select(t + k_sqrt(t * (t + 2.0)), x - 1.0, far)) + select(0.0, K_LN2, far);
  return select(select(y, k_nan(x), x < 1.0), x, k_is_nan(x));
}

// log((1+x)/(1-x))/2 = log1p(2x/(1-x))/2.
fn k_atanh(x: f32) -> f32 {
  let ax = abs(x);
  let a = min(ax, 0.99999994);
  let y = k_copysign(0.5 * k_log1p(k_div(2.0 * a, 1.0 - a)), x);
  return select(select(select(y, k_inf(x), ax == 1.0), k_nan(x), ax > 1.0), x, k_is_nan(x));
}

// ---- functions of the exponential ----

fn k_sigmoid(x: f32) -> f32 {
  let e = k_exp(-abs(x));
  return select(k_div_1p(select(e, 1.0, x >= 0.0), e), x, k_is_nan(x));
}

// x*sigmoid(z) where e^-|z| = (1+m)*2^n, n <= 0.
fn k_times_sigmoid(x: f32, z_positive: bool, m: f32, n: i32) -> f32 {
  let h = n >> 1u;
  let s = k_pow2(max(n, -60));
  let t = x * k_pow2(h);
  let y = k_div_1p(select(fma(t, m, t), x, z_positive), fma(s, m, s));
  return k_pin(y) * select(k_pow2(n - h), 1.0, z_positive);
}

fn k_silu(x: f32) -> f32 {
  let c = clamp(x, -110.0, 20.0);
  let e = k_exp_parts(-abs(c));
  let y = k_times_sigmoid(c, c >= 0.0, e.x, i32(e.y));
  return select(y, x, x > 20.0 || k_is_nan(x));
}

fn k_swish(x: f32, a: f32) -> f32 {
  let positive = a * clamp(x, -1.0, 1.0) >= 0.0;
  let far = abs(a * x) > 170.0 || k_is_inf(x);
  let e = k_exp_product_parts(select(abs(a), 0.0, far), select(abs(x), 0.0, far));
  let y = k_times_sigmoid(x, positive, e.x, i32(e.y));
  return select(select(y, select(0.0, x, positive), far), x, k_is_nan(x));
}

// tanh(log(1+e)) = n/(n+2) with e = exp(x), n = e(e+2).
fn k_mish(x: f32) -> f32 {
  let c = clamp(x, -110.0, 20.0);
  let d = k_exp_parts(c);
  let n = i32(d.y);
  let h = n >> 1u;
  let p = 1.0 + d.x;
  let e = p * k_pow2(max(n, -60));
  let s = e + 2.0;
  let y = k_pin(k_div(c * k_pow2(h) * p * s, fma(e, s, 2.0))) * k_pow2(n - h);
  return select(y, x, x > 20.0 || k_is_nan(x));
}

// log(1+e^z)/a = max(z,0)/a + log(1+e^-|z|)/a with z = a*x. Where e^-|z| is tiny
// it is its own logarithm, and is divided by a before it is scaled.
fn k_softplus(x: f32, a: f32, b: f32) -> f32 {
  let z = a * x;
  let far = abs(z) > 170.0;
  let d = k_exp_product_parts(select(abs(a), 0.0, far), select(abs(x), 0.0, far));
  let n = i32(d.y);
  let tiny = n < -60;
  let h = n >> 1u;
  let p = 1.0 + d.x;
  let l = select(k_log1p(p * k_pow2(max(n, -60))), p * k_pow2(h), tiny);
  let y = k_pin(k_div(l, a)) * select(1.0, k_pow2(n - h), tiny);
  return select(select(0.0, x, z > 0.0) + select(y, 0.0, far), x, z > b || k_is_nan(x));
}

fn k_log_sigmoid(x: f32) -> f32 {
  let l = k_log1p(k_exp(-abs(x)));
  return select(select(0.0, x, x < 0.0) - l, x, k_is_nan(x));
}

// Below 0.55 a polynomial, above it 1 - 2/(e^2x+1).
fn k_tanh(x: f32) -> f32 {
  let ax = abs(x);
  let z = x * x;
  let p = fma(fma(fma(fma(-0.00624284893, z, 0.021050714), z, -0.0538475476), z, 0.133325443), z, -0.333333164);
  let e = k_exp_parts(2.0 * min(ax, 10.0));
  let large = 1.0 - 2.0 / fma(1.0 + e.x, k_pow2(i32(e.y)), 1.0);
  return select(k_copysign(select(large, fma(ax * z, p, ax), ax < 0.55), x), x, k_is_nan(x));
}

// Below 1 a polynomial, above it (x-1) + 2/(e^2x+1), in which nothing cancels.
fn k_tanh_shrink(x: f32) -> f32 {
  let ax = abs(x);
  let z = x * x;
  let p = fma(fma(fma(fma(fma(fma(fma(-0.000208315629, z, 0.00115838309), z, -0.00353917386), z, 0.00893256813), z,
                          -0.0219154041), z, 0.0539785661), z, -0.13333413), z, 0.333333343);
  let e = k_exp_parts(2.0 * min(ax, 10.0));
  let large = k_pin(ax - 1.0) + 2.0 / fma(1.0 + e.x, k_pow2(i32(e.y)), 1.0);
  return select(k_copysign(select(large, ax * (z * p), ax < 1.0), x), x, k_is_nan(x));
}

fn k_elu(x: f32, a: f32) -> f32 {
  return select(a * k_expm1(min(x, 0.0)), x, x > 0.0 || k_is_nan(x));
}

fn k_selu(x: f32) -> f32 {
  let y = select(1.75809932 * k_expm1(min(x, 0.0)), 1.05070102 * x, x > 0.0);
  return select(y, x, k_is_nan(x));
}

// Near 0 it is x, even where x/a is subnormal.
fn k_celu(x: f32, a: f32) -> f32 {
  let z = min(x, 0.0) / a;
  return select(a * k_expm1(z), x, z > -0x1p-25 || k_is_nan(x));
}

// ---- error functions ----

// Below 1 an odd polynomial, above it 1 - e^-P(x).
fn k_erf(x: f32) -> f32 {
  let ax = abs(x);
  let z = x * x;
  let q = fma(fma(fma(fma(fma(fma(7.80690316e-5, z, -0.00079978531), z, 0.0051871622), z, -0.0268533472), z,
                      0.112835787), z, -0.37612626), z, 0.128379166);
  let t = min(ax, 4.0);
  let p = fma(fma(fma(fma(fma(0.0011572215, t, -0.014831854), t, 0.0887997523), t, 0.654240012), t, 1.1176213), t,
              0.00261916197);
  let e = k_exp_parts(-p);
  let large = fma(-1.0 - e.x, k_pow2(i32(e.y)), 1.0);
  return select(k_copysign(select(large, ax * (1.0 + q), ax < 1.0), x), x, k_is_nan(x));
}

// x*Phi(x) = max(x,0) - a*Phi(-a) with a = |x|, and Phi(-a) = e^(-a^2/2) * R(a),
// where R, half of erfcx(a/sqrt 2), is u*P(v) with u = 1/(1+c), v = c*u,
// c = 0.343*a: P changes little near 0, so an error of u is not magnified. a^2 is
// n*2*log(2) - r, not rounded: the product of the heads is exact. n is rounded by
// adding 1.5*2^23, which leaves it in the last bits; beyond 13.27 it is 127, where
// 2^-n is taken for 0 and a*Phi(-a) is subnormal.
fn k_gelu(x: f32) -> f32 {
  let a = min(abs(x), 13.27);
  let m = k_pin(fma(a * a, 0.5 * K_LOG2E, 0x1.8p23));
  let n = m - 0x1.8p23;
  let ah = k_head(a);
  let r = fma(n, 2.0 * K_LN2_LO, fma(ah - a, ah + a, k_pin(fma(n, 2.0 * K_LN2_HI, -ah * ah))));
  let c = 0.343 * a;
  let u = 1.0 / (1.0 + c);
  let v = c * u;
  let p = fma(fma(fma(fma(fma(fma(fma(fma(-0.0278157312, v, 0.0779376477), v, -0.0418743528), v, -0.0242937729), v,
                                  -0.0736647695), v, 0.0908993855), v, 0.298726112), v, -0.66309607), v, 0.5);
  // e^(r/2) = 1 + r*(1/2 + r*e)
  let e = fma(fma(fma(fma(2.16199842e-5, r, 0.000261472014), r, 0.0026042345), r, 0.0208331738), r, 0.124999993);
  let t = a * u * p;
  let w = fma(t * r, fma(r, e, 0.5), t);
  let scale = bitcast<f32>(0x3f800000u - (bitcast<u32>(m) << 23u)); // 2^-n
  let y = select(fma(-w, scale, max(x, 0.0)), 0.5 * x, a < 0x1p-100); // where w would be subnormal
  return select(y, x, k_is_nan(x));
}

// x*sigmoid(w), w = x*(c1 + c2*x^2), c1 = 2*sqrt(2/pi), c2 = 0.044715*c1. In the
// tail an error of w/2^24 would be one of w ULPs, so w is a product of heads and
// a rest. K_GELU_*_HI are heads.
const K_GELU_C1: f32 = 1.59576917;
const K_GELU_C1_HI: f32 = 1.595703125;
const K_GELU_C1_LO: f32 = 6.59966026e-5;
const K_GELU_C2: f32 = 0.0713548139;
const K_GELU_C2_HI: f32 = 0.07135009765625;
const K_GELU_C2_LO: f32 = 4.71861631e-6;

fn k_gelu_tanh(x: f32) -> f32 {
  let c = clamp(x, -11.0, 11.0);
  let a = abs(c);
  let ah = k_head(a);
  let al = a - ah;
  let s = ah * ah;
  let s_rest = al * (a + ah);
  let sh = k_head(s);
  let g = fma(K_GELU_C2, a * a, K_GELU_C1);
  let gh = k_head(g);
  let g_small = fma(K_GELU_C2_LO, s, fma(K_GELU_C2, s_rest, K_GELU_C1_LO));
  let gl = k_pin(fma(K_GELU_C2_HI, sh, K_GELU_C1_HI - gh)) + fma(K_GELU_C2_HI, s - sh, g_small);
  let n = round(a * g * K_LOG2E);
  let r = fma(n, K_LN2_LO, k_pin(fma(n, K_LN2_HI, -(ah * gh))) - fma(al, g, ah * gl));
  let y = k_times_sigmoid(c, x >= 0.0, k_expm1_r(r), -i32(n));
  return select(y, x, x > 11.0 || k_is_nan(x));
}

// ---- circular functions ----
//
// x = q*pi/2 + r with |r| <= pi/4 and r good to a ULP and a half even next to
// the zeros. To 400 pi/2 is taken in three parts, of which the first two have 16
// bits and q has 8, so that their products are exact. Beyond, it is the method
// of Payne and Hanek in integers: x = m*2^e, and of m*(2/pi) only the digits
// between the multiples of 4 and 2^-62 are computed.

fn k_mul_high(a: u32, b: u32) -> u32 {
  let al = a & 0xffffu;
  let ah = a >> 16u;
  let bl = b & 0xffffu;
  let bh = b >> 16u;
  let t = ah * bl + ((al * bl) >> 16u);
  let u = al * bh + (t & 0xffffu);
  return ah * bh + (t >> 16u) + (u >> 16u);
}

// (r, q) for 2^7 <= ax < 2^128.
fn k_reduce_far(ax: f32) -> vec2<f32> {
  // The digits of 2/pi, behind 32 zeros.
  var digits = array<u32, 8>(0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu);
  let b = bitcast<u32>(ax);
  let m = (b & 0x7fffffu) | 0x800000u;
  let start = (b >> 23u) - 120u; // e - 2 + 32
  let i = start >> 5u;
  let s = start & 31u;
  let d0 = digits[i];
  let d1 = digits[i + 1u];
  let d2 = digits[i + 2u];
  let d3 = digits[i + 3u];
  let f0 = (d0 << s) | ((d1 >> 1u) >> (31u - s));
  let f1 = (d1 << s) | ((d2 >> 1u) >> (31u - s));
  let f2 = (d2 << s) | ((d3 >> 1u) >> (31u - s));
  let carry_in = k_mul_high(m, f2);
  let low = m * f1 + carry_in;
  let high = m * f0 + k_mul_high(m, f1) + select(0u, 1u, low < carry_in);
  // Two digits of quadrant, 62 of fraction; from one half on the next quadrant.
  let q = high >> 30u;
  let t0 = (high << 2u) | (low >> 30u);
  let t1 = low << 2u;
  let next = t0 >> 31u;
  let u0 = select(t0, ~t0 + select(0u, 1u, t1 == 0u), next == 1u);
  let u1 = select(t1, 0u - t1, next == 1u);
  let r = fma(f32(u1), 0x1p-32, f32(u0)) * 3.65729530e-10; // pi/2 * 2^-32
  return vec2<f32>(select(r, -r, next == 1u), f32((q + next) & 3u));
}

// (r, q) of any finite x, q being 0, 1, 2 or 3.
fn k_reduce(x: f32) -> vec2<f32> {
  let ax = abs(x);
  let n = round(ax * 0.636619747);
  let r = fma(n, -6.07710063e-11, k_pin(fma(n, -2.60630623e-5, k_pin(fma(n, -1.57077026, ax)))));
  var d = vec2<f32>(r, n);
  if (ax > 400.0) { d = k_reduce_far(ax); }
  let q = u32(d.y);
  return select(vec2<f32>(d.x, f32(q & 3u)), vec2<f32>(-d.x, f32((0u - q) & 3u)), x < 0.0);
}

fn k_sin_r(r: f32) -> f32 {
  let z = r * r;
  return fma(r * z, fma(fma(-0.000195182743, z, 0.00833218917), z, -0.166666552), r);
}

fn k_cos_r(r: f32) -> f32 {
  let z = r * r;
  return fma(z * z, fma(fma(2.44323273e-5, z, -0.00138873095), z, 0.0416666456), fma(-0.5, z, 1.0));
}

// sin(x + shift*pi/2).
fn k_sin_shifted(x: f32, shift: u32) -> f32 {
  let defined = (bitcast<u32>(x) & 0x7fffffffu) < 0x7f800000u;
  let d = k_reduce(select(0.0, x, defined));
  let q = u32(d.y) + shift;
  let y = clamp(select(k_sin_r(d.x), k_cos_r(d.x), (q & 1u) == 1u), -1.0, 1.0);
  return select(k_nan(x), select(y, -y, (q & 2u) == 2u), defined);
}

fn k_sin(x: f32) -> f32 { return k_sin_shifted(x, 0u); }

fn k_cos(x: f32) -> f32 { return k_sin_shifted(x, 1u); }

fn k_tan(x: f32) -> f32 {
  let defined = (bitcast<u32>(x) & 0x7fffffffu) < 0x7f800000u;
  let d = k_reduce(select(0.0, x, defined));
  let odd = (u32(d.y) & 1u) == 1u;
  let s = k_sin_r(d.x);
  let c = k_cos_r(d.x);
  return select(k_nan(x), k_div(select(s, -c, odd), select(c, s, odd)), defined);
}

const K_PI_2: f32 = 1.57079637;
const K_PI_2_LO: f32 = -4.37113883e-8;

// asin(s) for 0 <= s <= 1/2, z = s^2.
fn k_asin_small(s: f32, z: f32) -> f32 {
  let p = fma(fma(fma(fma(0.0421583951, z, 0.0241847411), z, 0.0454691537), z, 0.0749530941), z, 0.166667521);
  return fma(s * z, p, s);
}

// asin(x) = pi/2 - 2*asin(sqrt((1-x)/2)) above 1/2.
fn k_asin(x: f32) -> f32 {
  let ax = abs(x);
  let far = ax > 0.5;
  let z = select(x * x, 0.5 - 0.5 * min(ax, 1.0), far);
  let y = k_asin_small(select(ax, k_sqrt(z), far), z);
  let r = k_copysign(select(y, fma(-2.0, y, K_PI_2) + K_PI_2_LO, far), x);
  return select(select(r, k_nan(x), ax > 1.0), x, k_is_nan(x));
}

fn k_acos(x: f32) -> f32 {
  let ax = abs(x);
  let far = ax > 0.5;
  let z = select(x * x, 0.5 - 0.5 * min(ax, 1.0), far);
  let y = k_asin_small(select(ax, k_sqrt(z), far), z);
  let near = K_PI_2 - (k_copysign(y, x) - K_PI_2_LO);
  let r = select(near, select(2.0 * y, fma(-2.0, y, 2.0 * K_PI_2) + 2.0 * K_PI_2_LO, x < 0.0), far);
  return select(select(r, k_nan(x), ax > 1.0), x, k_is_nan(x));
}

// atan(x) = pi/2 - atan(1/x) above 1.
fn k_atan(x: f32) -> f32 {
  let ax = abs(x);
  let far = ax > 1.0;
  let s = select(ax, 1.0 / clamp(ax, 1.0, 0x1p60), far);
  let z = s * s;
  let p = fma(fma(fma(fma(fma(fma(fma(0.00291949953, z, -0.0163633805), z, 0.0432048962), z, -0.0755166635), z,
                          0.106657699), z, -0.14211002), z, 0.199937671), z, -0.333331525);
  let y = fma(s * z, p, s);
  return select(k_copysign(select(y, K_PI_2 - (y - K_PI_2_LO), far), x), x, k_is_nan(x));
}

// ---- piecewise linear functions, and single operations ----

fn k_identity(x: f32) -> f32 { return x; }

fn k_relu(x: f32) -> f32 { return select(max(x, 0.0), x, k_is_nan(x)); }

// The sign bit decides: a subnormal number may compare as zero.
fn k_leaky_relu(x: f32, a: f32) -> f32 { return select(x, a * x, bitcast<i32>(x) < 0i && !k_is_nan(x)); }

fn k_relu6(x: f32) -> f32 { return select(clamp(x, 0.0, 6.0), x, k_is_nan(x)); }

fn k_softsign(x: f32) -> f32 {
  let c = clamp(x, -0x1p30, 0x1p30);
  return select(k_div(c, 1.0 + abs(c)), x, k_is_nan(x));
}

fn k_hard_sigmoid(x: f32, a: f32, b: f32) -> f32 {
  let y = k_fma(a, x, b);
  return select(clamp(y, 0.0, 1.0), y, k_is_nan(y));
}

fn k_hard_swish(x: f32) -> f32 {
  let y = x * ((x + 3.0) * 0.166666672);
  return select(select(y, 0.0, x <= -3.0), x, x >= 3.0 || k_is_nan(x));
}

fn k_hard_tanh(x: f32, a: f32, b: f32) -> f32 {
  let low = select(max(x, a), x, k_is_nan(a));
  return select(select(min(low, b), low, k_is_nan(b)), x, k_is_nan(x));
}

fn k_hard_shrink(x: f32, a: f32) -> f32 { return select(x, 0.0, x >= -a && x <= a && !k_is_nan(x)); }

fn k_shrink(x: f32, a: f32, b: f32) -> f32 {
  return select(select(select(0.0, x - b, x > a), x + b, x < -a), x, k_is_nan(x));
}

fn k_soft_shrink(x: f32, a: f32) -> f32 { return k_shrink(x, a, a); }

fn k_threshold(x: f32, a: f32, b: f32) -> f32 { return select(b, x, x > a || k_is_nan(x)); }

fn k_affine(x: f32, a: f32, b: f32) -> f32 { return k_fma(a, x, b); }

fn k_abs(x: f32) -> f32 { return abs(x); }

fn k_square(x: f32) -> f32 { return x * x; }

fn k_neg(x: f32) -> f32 { return -x; }

fn k_sign(x: f32) -> f32 { return select(sign(x), x, k_is_nan(x)); }

fn k_floor(x: f32) -> f32 { return select(floor(x), x, k_is_nan(x)); }

fn k_ceil(x: f32) -> f32 { return select(ceil(x), x, k_is_nan(x)); }

fn k_round(x: f32) -> f32 { return select(round(x), x, k_is_nan(x)); }
