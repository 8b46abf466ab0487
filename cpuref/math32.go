package cpuref

import "math"

// The functions of this file take and return float64 but are exact to about
// 2^-30 only, 64 times better than float32: enough for a result that is rounded
// to float32 once. They are several times faster than package math, and the
// same on every architecture. Coefficients are minimax fits.

// roundShift added to a float64 below 2^51 leaves its nearest integer in the
// low bits of the sum.
const roundShift = 0x1.8p52

// expParts splits e^x = 2^n * (1+m), |x| < 700. NaN gives a NaN m.
func expParts(x float64) (scale, m float64) {
	t := x*(1/math.Ln2) + roundShift
	n := t - roundShift
	r := x - n*math.Ln2
	q := 0.500000004423 + r*(0.166666663701+r*(0.0416663605931+
		r*(0.00833338940559+r*(0.00139406545539+r*0.000198458929039))))
	return math.Float64frombits((math.Float64bits(t) + 1023) << 52), r + r*r*q
}

// exp is e^x for |x| < 700.
func exp(x float64) float64 {
	s, m := expParts(x)
	return s + s*m
}

// expm1 is e^x - 1 for |x| < 700.
func expm1(x float64) float64 {
	s, m := expParts(x)
	return s*m + (s - 1)
}

// log is the logarithm of a normal, positive x, as n*log(2) + 2*atanh(s) with
// x = 2^n * (1+f), 1+f from sqrt(1/2) to sqrt(2) and s = f/(2+f).
func log(x float64) float64 {
	const sqrtHalf = 0x3fe6a09e667f3bcd
	b := math.Float64bits(x)
	n := int64(b-sqrtHalf) >> 52
	return float64(n)*math.Ln2 + log1pNear(math.Float64frombits(b-uint64(n)<<52)-1)
}

// log1pNear is log(1+f) for 1+f between sqrt(1/2) and sqrt(2).
func log1pNear(f float64) float64 {
	s := f / (2 + f)
	z := s * s
	return s * (2 + z*(0.666666666758+z*(0.39999995615+z*(0.285721100866+z*(0.221761419197+z*0.195849327441)))))
}

// log1p is log(1+x) for finite x > -1.
func log1p(x float64) float64 {
	if x > -0.29 && x < 0.41 {
		return log1pNear(x)
	}
	return log(1 + x)
}

// sigmoid32 is 1/(1+e^-x).
func sigmoid32(x float64) float64 { return 1 / (1 + exp(max(min(-x, 200), -200))) }

// timesSigmoid is x*sigmoid(z), 0 for x = -Inf.
func timesSigmoid(x, z float64) float64 {
	return max(x, -math.MaxFloat32) / (1 + exp(max(min(-z, 300), -300)))
}

// softplus32 is log(1+e^z).
func softplus32(z float64) float64 {
	return max(z, 0) + log1p(exp(max(-math.Abs(z), -300)))
}

// mish32 is x*n/(n+2) with n = e(e+2), e = e^x.
func mish32(x float64) float64 {
	e := exp(max(min(x, 40), -300))
	n := e * (e + 2)
	return max(x, -math.MaxFloat32) * (n / (n + 2))
}

// tanh32 is a polynomial up to 0.625, and 1-2/(e^2x+1) beyond.
func tanh32(x float64) float64 {
	ax := math.Abs(x)
	if ax < 0.625 {
		z := x * x
		return x + x*z*(-0.333333308028+z*(0.133332060095+z*(-0.0539467631754+
			z*(0.021700703707+z*(-0.00817739914778+z*0.00214296245804)))))
	}
	return math.Copysign(1-2/(exp(min(2*ax, 100))+1), x)
}

// tanhShrink32 is a polynomial up to 1, and (x-1)+2/(e^2x+1) beyond.
func tanhShrink32(x float64) float64 {
	ax := math.Abs(x)
	if ax < 1 {
		z := x * x
		return x * z * (0.333333333184 + z*(-0.133333309039+z*(0.0539675976035+z*(-0.0218625825588+
			z*(0.00882627820417+z*(-0.00347844537037+z*(0.00124222654885+z*(-0.000337732027229+z*4.84776063546e-05))))))))
	}
	return math.Copysign((ax-1)+2/(exp(min(2*ax, 100))+1), x)
}

// sinh32 is a polynomial up to 1, and (e^x-e^-x)/2 beyond.
func sinh32(x float64) float64 {
	ax := math.Abs(x)
	if ax < 1 {
		z := x * x
		return x + x*z*(0.166666664976+z*(0.00833335005822+z*(0.000198361597701+z*2.8169512593e-06)))
	}
	e := exp(min(ax, 200))
	return math.Copysign((e-1/e)/2, x)
}

// cosh32 is (e^x+e^-x)/2.
func cosh32(x float64) float64 {
	e := exp(min(math.Abs(x), 200))
	return (e + 1/e) / 2
}

// asinh32 is log(x+sqrt(x^2+1)).
func asinh32(x float64) float64 {
	a := math.Abs(x)
	if !(a <= math.MaxFloat32) {
		return x
	}
	z := a * a
	return math.Copysign(log1p(a+z/(1+math.Sqrt(1+z))), x)
}

// acosh32 is log(x+sqrt(x^2-1)).
func acosh32(x float64) float64 {
	if !(x >= 1 && x <= math.MaxFloat32) {
		return math.Acosh(x)
	}
	t := x - 1
	return log1p(t + math.Sqrt(t*(t+2)))
}

// atanh32 is log((1+x)/(1-x))/2.
func atanh32(x float64) float64 {
	a := math.Abs(x)
	if !(a < 1) {
		return math.Atanh(x)
	}
	return math.Copysign(log1p(2*a/(1-a))/2, x)
}

// erf32 is a polynomial up to 1, and 1-e^-P(x) beyond.
func erf32(x float64) float64 {
	ax := math.Abs(x)
	if ax < 1 {
		z := x * x
		return x * (1.12837916706 + z*(-0.376126384347+z*(0.112837819743+z*(-0.0268654000506+
			z*(0.00522094545225+z*(-0.00084828290759+z*(0.000112569492788-z*9.64151930998e-06)))))))
	}
	t := min(ax, 4)
	p := 0.000341526188148 + t*(1.12708917649+t*(0.638144856702+t*(0.103106732933+
		t*(-0.0218380533369+t*(0.00294765559006-t*0.000186378914549)))))
	return math.Copysign(1-exp(-p), x)
}

// gelu32 is x*Phi(x), with Phi(-a) = e^(-a^2/2)*u*P(v), u = 1/(1+a/4), v = u*a/4.
func gelu32(x float64) float64 {
	a := min(math.Abs(x), 20)
	u := 1 / (1 + 0.25*a)
	v := 0.25 * a * u
	p := 0.499999999888 + v*(-1.09576908534+v*(1.30845976564+v*(-0.798032516522+v*(0.0733528163933+
		v*(0.182366453157+v*(-0.0445006847216+v*(-0.0139633236762+v*(-0.0749137498383+
			v*(0.103755997774+v*(-0.0494156727706+v*0.00839363877915))))))))))
	phi := exp(-0.5*a*a) * u * p
	if x < 0 {
		return -a * phi
	}
	return x - a*phi
}

// geluTanh32 is x*sigmoid(w), w = geluC1*x + geluC2*x^3.
func geluTanh32(x float64) float64 {
	c := max(min(x, 20), -20)
	return timesSigmoid(x, c*(geluC1+geluC2*c*c))
}

// reduce32 is reduceHalfPi for a float32 x. To 2^20 the first part of pi/2 has
// 33 bits, so that its product is exact.
func reduce32(x float64) (q uint, r float64) {
	const (
		hi = 0x1.921fb544p+0
		lo = math.Pi/2 - hi
	)
	if !(math.Abs(x) < 1<<20) {
		return reduceHalfPi(x)
	}
	t := x*(2/math.Pi) + roundShift
	n := t - roundShift
	return uint(math.Float64bits(t)), (x - n*hi) - n*lo
}

// sincosNear returns sin(r) and cos(r) for |r| <= pi/4.
func sincosNear(r float64) (sin, cos float64) {
	z := r * r
	sin = r + r*z*(-0.166666666407+z*(0.00833332929795+z*(-0.000198393100332+z*2.71810019288e-06)))
	cos = 1 - 0.5*z + z*z*(0.0416666456477+z*(-0.00138873144918+z*2.44329507852e-05))
	return sin, cos
}

// sin32 is sin(x + shift*pi/2).
func sin32(x float64, shift uint) float64 {
	q, r := reduce32(x)
	q += shift
	s, c := sincosNear(r)
	if q&1 != 0 {
		s = c
	}
	if q&2 != 0 {
		s = -s
	}
	return s
}

func tan32(x float64) float64 {
	q, r := reduce32(x)
	s, c := sincosNear(r)
	if q&1 != 0 {
		return -c / s
	}
	return s / c
}

// asinNear is asin(s) for 0 <= s <= 1/2, z = s^2.
func asinNear(s, z float64) float64 {
	return s + s*z*(0.166666599913+z*(0.0750050418542+z*(0.0445169548328+
		z*(0.0318077225532+z*(0.0144385856648+z*0.0375164807791)))))
}

func asin32(x float64) float64 {
	a := math.Abs(x)
	if a <= 0.5 {
		return asinNear(x, x*x)
	}
	z := 0.5 - 0.5*a // beyond 1 its root is NaN
	return math.Copysign(math.Pi/2-2*asinNear(math.Sqrt(z), z), x)
}

func acos32(x float64) float64 {
	a := math.Abs(x)
	if a <= 0.5 {
		return math.Pi/2 - asinNear(x, x*x)
	}
	z := 0.5 - 0.5*a
	y := 2 * asinNear(math.Sqrt(z), z)
	if x < 0 {
		return math.Pi - y
	}
	return y
}

// atan32 is a polynomial up to 1, and pi/2 - atan(1/x) beyond.
func atan32(x float64) float64 {
	a := math.Abs(x)
	s := a
	if a > 1 {
		s = 1 / a
	}
	z := s * s
	y := s + s*z*(-0.333333268996+z*(0.199996711293+z*(-0.142798331563+z*(0.110582244516+z*(-0.0881109444033+
		z*(0.0674160430308+z*(-0.0446900425571+z*(0.022539950998+z*(-0.0073179946036+z*0.00111379599854)))))))))
	if a > 1 {
		y = math.Pi/2 - y
	}
	return math.Copysign(y, x)
}
