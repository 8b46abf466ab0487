package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// The constants of SELU (Klambauer et al., Self-Normalizing Neural Networks,
// 2017), of which float64 takes the first 17 digits.
const (
	seluScale = 1.0507009873554804934193349852946
	seluAlpha = 1.6732632423543772848170429916717
)

// The tanh form of GELU (Hendrycks and Gimpel, 2016) is x*sigmoid(w) with
// w = geluC1*x + geluC2*x^3. Each coefficient is a float64 and what it lacks.
const (
	geluC1   = 1.595769121605730711759784239737527473903 // 2*sqrt(2/pi)
	geluC2   = 0.0713548162726002487763387522798635410   // 0.044715 * geluC1
	geluC1Lo = geluC1 - 0x1.9884533d43651p+0
	geluC2Lo = geluC2 - 0x1.2444f2a4d8b4bp-4
)

const (
	invSqrt2   = 0.707106781186547524400844362104849039285 // 1/sqrt(2)
	invSqrt2Lo = invSqrt2 - 0x1.6a09e667f3bcdp-1           // what float64 lacks
	twoRtPi    = 1.12837916709551257389615890312154517169  // 2/sqrt(pi)
	invRt2Pi   = 0.398942280401432677939946059934381868476 // 1/sqrt(2 pi)
)

// Pointwise64 is the pointwise function f at x, to about 1e-15 of its value
// for every x that a float32 can hold: forms that would cancel are rewritten.
// It is what the other implementations are compared with.
func Pointwise64(f spec.Activation, x float64) float64 {
	if x != x {
		return x
	}
	a, b := float64(f.A), float64(f.B)
	switch f.Func {
	case spec.ReLU:
		return max(x, 0)
	case spec.LeakyReLU:
		if x >= 0 {
			return x
		}
		return a * x
	case spec.ReLU6:
		return min(max(x, 0), 6)
	case spec.ELU:
		if x > 0 {
			return x
		}
		return a * math.Expm1(x)
	case spec.SELU:
		if x > 0 {
			return seluScale * x
		}
		return seluScale * seluAlpha * math.Expm1(x)
	case spec.CELU:
		if x > 0 {
			return x
		}
		return a * math.Expm1(x/a)
	case spec.GELU:
		return gelu(x)
	case spec.GELUTanh:
		return geluTanh(x)
	case spec.SiLU:
		return swish(x, 1)
	case spec.Swish:
		return swish(x, a)
	case spec.Mish:
		return mish(x)
	case spec.Sigmoid:
		return sigmoid(x)
	case spec.LogSigmoid:
		return -softplus(-x)
	case spec.Tanh:
		return math.Tanh(x)
	case spec.TanhShrink:
		return tanhShrink(x)
	case spec.Softplus:
		if aboveThreshold(f, x) {
			return x
		}
		return softplus(a*x) / a
	case spec.Softsign:
		if math.IsInf(x, 0) {
			return math.Copysign(1, x)
		}
		return x / (1 + math.Abs(x))
	case spec.HardSigmoid:
		return min(max(a*x+b, 0), 1)
	case spec.HardSwish:
		switch {
		case x <= -3:
			return 0
		case x >= 3:
			return x
		}
		return x * (x + 3) / 6
	case spec.HardTanh:
		if a == a {
			x = max(x, a)
		}
		if b == b {
			x = min(x, b)
		}
		return x
	case spec.HardShrink:
		if x >= -a && x <= a {
			return 0
		}
		return x
	case spec.SoftShrink:
		return shrink(x, a, a)
	case spec.Shrink:
		return shrink(x, a, b)
	case spec.Threshold:
		if x > a {
			return x
		}
		return b
	case spec.Affine:
		return a*x + b
	}
	return elementary(f.Func, x)
}

// elementary is the rest of Pointwise64: the functions that are not activations
// of a network but of a textbook, none of which has a parameter.
func elementary(f spec.Pointwise, x float64) float64 {
	switch f {
	case spec.Sin:
		q, r := reduceHalfPi(x)
		return sinQuadrant(q, r)
	case spec.Cos:
		q, r := reduceHalfPi(x)
		return sinQuadrant(q+1, r)
	case spec.Tan:
		q, r := reduceHalfPi(x)
		if q&1 == 0 {
			return tanQuadrant(r)
		}
		return -1 / tanQuadrant(r)
	case spec.Asin:
		return math.Atan2(x, math.Sqrt((1-x)*(1+x))) // not math.Asin, which loses digits near 1
	case spec.Acos:
		return 2 * math.Atan2(math.Sqrt(1-x), math.Sqrt(1+x)) // nor math.Acos, likewise
	case spec.Atan:
		return math.Atan(x)
	case spec.Sinh:
		return math.Sinh(x)
	case spec.Cosh:
		return math.Cosh(x)
	case spec.Asinh:
		return math.Asinh(x)
	case spec.Acosh:
		return math.Acosh(x)
	case spec.Atanh:
		return math.Atanh(x)
	case spec.Exp:
		return math.Exp(x)
	case spec.Exp2:
		return math.Exp2(x)
	case spec.Expm1:
		return math.Expm1(x)
	case spec.Log:
		return math.Log(x)
	case spec.Log2:
		return math.Log(x) / math.Ln2 // math.Log2 cancels near 1
	case spec.Log1p:
		return math.Log1p(x)
	case spec.Abs:
		return math.Abs(x)
	case spec.Square:
		return x * x
	case spec.Sqrt:
		return math.Sqrt(x)
	case spec.Rsqrt:
		return 1 / math.Sqrt(x)
	case spec.Reciprocal:
		return 1 / x
	case spec.Erf:
		return math.Erf(x)
	case spec.Neg:
		return -x
	case spec.Sign:
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return 0
	case spec.Floor:
		return math.Floor(x)
	case spec.Ceil:
		return math.Ceil(x)
	case spec.Round:
		return math.RoundToEven(x)
	}
	return x
}

func sigmoid(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}

// swish is x*sigmoid(b*x), with its limits at the infinities.
func swish(x, b float64) float64 {
	z := b * x
	switch {
	case b == 0:
		return x / 2
	case z < -1000: // no float32 times this sigmoid is above 0
		return 0
	}
	return x * sigmoid(z)
}

// softplus is log(1+e^x), rewritten so that nothing overflows or cancels.
func softplus(x float64) float64 {
	return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
}

// aboveThreshold says whether Softplus is x itself at x. PyTorch takes the
// product in float32, and so do the implementations that this is compared with.
func aboveThreshold(f spec.Activation, x float64) bool {
	return float32(float64(f.A)*x) > f.B
}

// mish is x*tanh(softplus(x)). With e = exp(x), tanh(log(1+e)) is
// ((1+e)^2-1)/((1+e)^2+1) = n/(n+2) with n = e(e+2).
func mish(x float64) float64 {
	switch {
	case x > 40:
		return x
	case x < -1000:
		return 0
	}
	e := math.Exp(x)
	n := e * (e + 2)
	return x * n / (n + 2)
}

// gelu is x*Phi(x) = x/2*erfc(-x/sqrt(2)). The error of the argument is taken
// into account to first order: in the tail, erfc magnifies it 2z^2 times.
func gelu(x float64) float64 {
	if x < -1000 {
		return 0
	}
	z := -x * invSqrt2
	dz := math.FMA(-x, invSqrt2, -z) - x*invSqrt2Lo
	if x > 1000 {
		return x
	}
	return x / 2 * (math.Erfc(z) - twoRtPi*math.Exp(-z*z)*dz)
}

// geluArg is w = geluC1*x + geluC2*x^3 as an unevaluated sum of two float64s.
func geluArg(x float64) (hi, lo float64) {
	x2 := x * x
	x2lo := math.FMA(x, x, -x2)
	t := geluC2 * x2
	tlo := math.FMA(geluC2, x2, -t) + geluC2*x2lo + geluC2Lo*x2
	s := geluC1 + t
	c := s - t // two-sum
	slo := (geluC1 - c) + (t - (s - c)) + tlo + geluC1Lo
	hi = x * s
	return hi, math.FMA(x, s, -hi) + x*slo
}

// geluTanh is x/2*(1+tanh(w/2)) = x*sigmoid(w).
func geluTanh(x float64) float64 {
	switch {
	case x > 1000:
		return x
	case x < -1000:
		return 0
	}
	hi, lo := geluArg(x)
	if hi > 0 {
		return x * sigmoid(hi)
	}
	e := math.Exp(hi)
	e += e * lo
	return x * e / (1 + e)
}

// tanhShrink is x-tanh(x). Lambert's continued fraction of the tangent,
// tanh(x) = x/(1+K) with K = x^2/(3+x^2/(5+...)), gives x*K/(1+K), in which
// nothing cancels; further out it is (|x|-1) + 2/(exp(2|x|)+1), the sum of two
// positive numbers.
func tanhShrink(x float64) float64 {
	ax := math.Abs(x)
	if ax >= 1 {
		return math.Copysign((ax-1)+2/(math.Exp(2*ax)+1), x)
	}
	k, x2 := 0.0, x*x
	for i := 23.0; i >= 3; i -= 2 {
		k = x2 / (i + k)
	}
	return x * k / (1 + k)
}

// shrink is ONNX's Shrink.
func shrink(x, lambda, bias float64) float64 {
	switch {
	case x < -lambda:
		return x + bias
	case x > lambda:
		return x - bias
	}
	return 0
}
