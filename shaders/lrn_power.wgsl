// v / base^beta for base >= 0, with functions of math.wgsl.
//
// base = 2^n * (1+f), so log2(base) = n + log2(1+f). beta is taken in two halves,
// whose products with n are exact: rounded, half a ULP of 60 would become 32 of
// the result.
fn divide_power(v: f32, base: f32, beta: f32) -> f32 {
  let d = k_log_parts(base);
  let h = k_log1p_tail(d.x);
  let log2f = fma(d.x, K_LOG2E, fma(d.x, K_LOG2E_LO, h * K_LOG2E));
  let head = k_head(beta);
  let most = k_pin(head * d.y);
  let n = round(clamp(most, -120.0, 120.0));
  let power = k_exp2(-((most - n) + k_pin(fma(beta - head, d.y, beta * log2f))));
  let y = k_scale(v * power, -i32(n));
  let infinite = bitcast<u32>(base) == 0x7f800000u;
  // 0^beta is 0 or +Inf, and v is 0 there; (+Inf)^beta is +Inf or 0.
  let edge = select(v * k_inf(1.0 + abs(beta)), v * 0.0, infinite == (beta > 0.0));
  return select(select(y, edge, k_is_zero(base) || infinite), k_nan(base), k_is_nan(base));
}
