// The derivatives of the pointwise functions of math.wgsl, for gradients.
//
// k_d_NAME is the derivative of k_NAME with respect to x, with PyTorch's
// conventions at kinks: the slope of the side on which x <= kink lies. Errors are
// absolute, some units of 2^-24 times the largest term, since several
// derivatives cross zero. Functions of the exponential clamp x to where the
// derivative has reached its limit, so that nothing overflows. NaN is put through
// by the caller (ActivationGradSource).
//
// The file is valid WGSL together with math.wgsl, whose functions it uses.

fn k_d_identity(x: f32) -> f32 { return 1.0; }

fn k_d_relu(x: f32) -> f32 { return select(0.0, 1.0, x > 0.0); }

fn k_d_leaky_relu(x: f32, a: f32) -> f32 { return select(a, 1.0, x > 0.0); }

fn k_d_relu6(x: f32) -> f32 { return select(0.0, 1.0, x > 0.0 && x < 6.0); }

fn k_d_elu(x: f32, a: f32) -> f32 { return select(a * k_exp(min(x, 0.0)), 1.0, x > 0.0); }

fn k_d_selu(x: f32) -> f32 { return select(1.75809934 * k_exp(min(x, 0.0)), 1.05070099, x > 0.0); }

// k_div takes a quotient below 2^120 and an ordinary divisor; below -200 e^q is 0.
fn k_d_celu(x: f32, a: f32) -> f32 {
  let c = clamp(x, -0x1.fffffep127, 0.0);
  let q = c / a;
  let z = select(q, k_div(c, a), q > -200.0 && a > 0x1p-90 && a < 0x1p100);
  let least = select(-200.0, z, z > -200.0 && x >= -0x1.fffffep127);
  return select(k_exp(least), 1.0, x > 0.0);
}

// Phi(x) + x phi(x), with the normal distribution Phi and its density phi.
fn k_d_gelu(x: f32) -> f32 {
  let c = clamp(x, -14.0, 14.0);
  return fma(0.5, k_erf(c * 0.707106781), 0.5) + c * 0.398942280 * k_exp(-0.5 * c * c);
}

// 1 - tanh(u)^2 = 4e/(1+e)^2 with e = exp(-2|u|), in which nothing cancels.
fn k_sech2(u: f32) -> f32 {
  let e = k_exp(-2.0 * min(abs(u), 60.0));
  let s = 1.0 + e;
  return k_div(4.0 * e, s * s);
}

fn k_d_gelu_tanh(x: f32) -> f32 {
  let c = clamp(x, -14.0, 14.0);
  let u = 0.797884561 * c * fma(0.044715, c * c, 1.0);
  let du = 0.797884561 * fma(0.134145, c * c, 1.0);
  return 0.5 * (1.0 + k_tanh(u)) + 0.5 * c * k_sech2(u) * du;
}

// s + z s (1-s) with s = sigmoid(z).
fn k_d_silu(z: f32) -> f32 {
  let c = clamp(z, -100.0, 100.0);
  let s = k_sigmoid(c);
  return s * fma(c, k_sigmoid(-c), 1.0);
}

// Where a is 0 the function is x/2, for infinities too.
fn k_d_swish(x: f32, a: f32) -> f32 { return k_d_silu(select(a * x, 0.0, a == 0.0)); }

// t + x (1-t^2) sigmoid(x) with t = tanh(log(1+e^x)) = n/(n+2), n = e^x (e^x+2).
fn k_d_mish(x: f32) -> f32 {
  let c = clamp(x, -100.0, 20.0);
  let e = k_exp(c);
  let n = e * (e + 2.0);
  let m = n + 2.0;
  let t = k_div(n, m);
  let u = k_div(2.0, m); // 1-t
  return t + c * k_sigmoid(c) * u * (2.0 - u);
}

fn k_d_sigmoid(x: f32) -> f32 { return k_sigmoid(x) * k_sigmoid(-x); }

fn k_d_log_sigmoid(x: f32) -> f32 { return k_sigmoid(-x); }

fn k_d_tanh(x: f32) -> f32 { return k_sech2(x); }

fn k_d_tanh_shrink(x: f32) -> f32 {
  let t = k_tanh(x);
  return t * t;
}

fn k_d_softplus(x: f32, a: f32, b: f32) -> f32 { return select(k_sigmoid(a * x), 1.0, a * x > b); }

fn k_d_softsign(x: f32) -> f32 {
  let r = 1.0 / (1.0 + abs(x));
  return r * r;
}

// 0 < a*x + b < 1. What is just below 1 would be rounded to it.
fn k_d_hard_sigmoid(x: f32, a: f32, b: f32) -> f32 {
  return select(0.0, a, fma(a, x, b) > 0.0 && fma(a, x, b - 1.0) < 0.0);
}

fn k_d_hard_swish(x: f32) -> f32 {
  return select(select(1.0, fma(x, 0.333333343, 0.5), x <= 3.0), 0.0, x < -3.0);
}

fn k_d_hard_tanh(x: f32, a: f32, b: f32) -> f32 {
  let below = x <= a && !k_is_nan(a);
  let above = x >= b && !k_is_nan(b);
  return select(1.0, 0.0, below || above);
}

fn k_d_hard_shrink(x: f32, a: f32) -> f32 { return select(0.0, 1.0, x < -a || x > a); }

fn k_d_soft_shrink(x: f32, a: f32) -> f32 { return select(0.0, 1.0, x < -a || x > a); }

fn k_d_shrink(x: f32, a: f32, b: f32) -> f32 { return select(0.0, 1.0, x < -a || x > a); }

fn k_d_threshold(x: f32, a: f32, b: f32) -> f32 { return select(0.0, 1.0, x > a); }

fn k_d_affine(x: f32, a: f32, b: f32) -> f32 { return a; }

fn k_d_sin(x: f32) -> f32 { return k_cos(x); }

fn k_d_cos(x: f32) -> f32 { return -k_sin(x); }

fn k_d_tan(x: f32) -> f32 {
  let t = k_tan(x);
  return fma(t, t, 1.0);
}

fn k_d_asin(x: f32) -> f32 { return select(k_rsqrt((1.0 - x) * (1.0 + x)), k_nan(x), abs(x) > 1.0); }

fn k_d_acos(x: f32) -> f32 { return -k_d_asin(x); }

fn k_d_atan(x: f32) -> f32 { return k_reciprocal(fma(x, x, 1.0)); }

fn k_d_sinh(x: f32) -> f32 { return k_cosh(x); }

fn k_d_cosh(x: f32) -> f32 { return k_sinh(x); }

fn k_d_asinh(x: f32) -> f32 {
  let ax = abs(x);
  return select(k_rsqrt(fma(x, x, 1.0)), k_reciprocal(ax), ax > 1e9);
}

fn k_d_acosh(x: f32) -> f32 { return select(k_rsqrt(x - 1.0) * k_rsqrt(x + 1.0), k_nan(x), x < 1.0); }

fn k_d_atanh(x: f32) -> f32 { return select(k_reciprocal((1.0 - x) * (1.0 + x)), k_nan(x), abs(x) > 1.0); }

fn k_d_exp(x: f32) -> f32 { return k_exp(x); }

fn k_d_exp2(x: f32) -> f32 { return 0.693147181 * k_exp2(x); }

fn k_d_expm1(x: f32) -> f32 { return k_exp(x); }

fn k_d_log(x: f32) -> f32 { return select(k_reciprocal(x), k_nan(x), x < 0.0); }

fn k_d_log2(x: f32) -> f32 { return select(1.44269504 * k_reciprocal(x), k_nan(x), x < 0.0); }

fn k_d_log1p(x: f32) -> f32 { return select(k_reciprocal(1.0 + x), k_nan(x), x < -1.0); }

fn k_d_abs(x: f32) -> f32 { return sign(x); }

fn k_d_square(x: f32) -> f32 { return 2.0 * x; }

fn k_d_sqrt(x: f32) -> f32 { return 0.5 * k_rsqrt(x); }

fn k_d_rsqrt(x: f32) -> f32 {
  let r = abs(k_rsqrt(x));
  return -0.5 * r * r * r;
}

fn k_d_reciprocal(x: f32) -> f32 {
  let r = k_reciprocal(x);
  return -r * r;
}

fn k_d_erf(x: f32) -> f32 {
  let c = clamp(x, -14.0, 14.0);
  return 1.12837917 * k_exp(-c * c);
}

fn k_d_neg(x: f32) -> f32 { return -1.0; }

fn k_d_sign(x: f32) -> f32 { return 0.0; }

fn k_d_floor(x: f32) -> f32 { return 0.0; }

fn k_d_ceil(x: f32) -> f32 { return 0.0; }

fn k_d_round(x: f32) -> f32 { return 0.0; }
