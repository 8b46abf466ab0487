package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// PointwiseDerivative64 is the derivative of the pointwise function f at x. At
// a kink it is what PyTorch's backward functions take: 0 at the bounds of
// HardTanh, ReLU6, HardSigmoid and ReLU, the lower branch's slope at 0 for
// LeakyReLU and the ELUs, 0 for Abs and within the closed dead zone of the
// shrinks and of Threshold. Outside the domain of f, and where f is NaN, it is
// NaN.
func PointwiseDerivative64(f spec.Activation, x float64) float64 {
	if x != x {
		return x
	}
	a, b := float64(f.A), float64(f.B)
	switch f.Func {
	case spec.ReLU:
		return indicator(x > 0)
	case spec.LeakyReLU:
		if x > 0 {
			return 1
		}
		return a
	case spec.ReLU6:
		return indicator(x > 0 && x < 6)
	case spec.ELU:
		if x > 0 {
			return 1
		}
		return a * math.Exp(x)
	case spec.SELU:
		if x > 0 {
			return seluScale
		}
		return seluScale * seluAlpha * math.Exp(x)
	case spec.CELU:
		if x > 0 {
			return 1
		}
		return math.Exp(x / a)
	case spec.GELU:
		if math.IsInf(x, 0) {
			return indicator(x > 0)
		}
		return math.Erfc(-x*invSqrt2)/2 + x*invRt2Pi*math.Exp(-x*x/2)
	case spec.GELUTanh:
		return geluTanhDerivative(x)
	case spec.SiLU:
		return swishDerivative(x, 1)
	case spec.Swish:
		return swishDerivative(x, a)
	case spec.Mish:
		return mishDerivative(x)
	case spec.Sigmoid:
		return sigmoid(x) * sigmoid(-x)
	case spec.LogSigmoid:
		return sigmoid(-x)
	case spec.Tanh:
		return sech2(x)
	case spec.TanhShrink:
		t := math.Tanh(x)
		return t * t
	case spec.Softplus:
		if aboveThreshold(f, x) {
			return 1
		}
		return sigmoid(a * x)
	case spec.Softsign:
		d := 1 + math.Abs(x)
		return 1 / (d * d)
	case spec.HardSigmoid:
		y := a*x + b
		if y > 0 && y < 1 {
			return a
		}
		return 0
	case spec.HardSwish:
		switch {
		case x < -3:
			return 0
		case x <= 3:
			return x/3 + 0.5
		}
		return 1
	case spec.HardTanh:
		return indicator(!(x <= a) && !(x >= b)) // a NaN bound holds nothing back
	case spec.HardShrink:
		return indicator(x < -a || x > a)
	case spec.SoftShrink, spec.Shrink:
		return indicator(x < -a || x > a)
	case spec.Threshold:
		return indicator(x > a)
	case spec.Affine:
		return a
	}
	return elementaryDerivative(f.Func, x)
}

// elementaryDerivative is the rest of PointwiseDerivative64.
func elementaryDerivative(f spec.Pointwise, x float64) float64 {
	// Where a formula goes on outside the domain of its function:
	switch f {
	case spec.Asin, spec.Acos, spec.Atanh:
		if math.Abs(x) > 1 {
			return math.NaN()
		}
	case spec.Log, spec.Log2:
		if x < 0 {
			return math.NaN()
		}
	case spec.Log1p:
		if x < -1 {
			return math.NaN()
		}
	case spec.Acosh:
		if x < 1 {
			return math.NaN()
		}
	}
	switch f {
	case spec.Sin:
		return elementary(spec.Cos, x)
	case spec.Cos:
		return -elementary(spec.Sin, x)
	case spec.Tan:
		c := elementary(spec.Cos, x)
		return 1 / (c * c)
	case spec.Asin:
		return 1 / math.Sqrt((1-x)*(1+x))
	case spec.Acos:
		return -1 / math.Sqrt((1-x)*(1+x))
	case spec.Atan:
		return 1 / (1 + x*x)
	case spec.Sinh:
		return math.Cosh(x)
	case spec.Cosh:
		return math.Sinh(x)
	case spec.Asinh:
		return 1 / math.Hypot(1, x)
	case spec.Acosh:
		return 1 / (math.Sqrt(x-1) * math.Sqrt(x+1))
	case spec.Atanh:
		return 1 / ((1 - x) * (1 + x))
	case spec.Exp, spec.Expm1:
		return math.Exp(x)
	case spec.Exp2:
		return math.Ln2 * math.Exp2(x)
	case spec.Log:
		return 1 / x
	case spec.Log2:
		return 1 / (x * math.Ln2)
	case spec.Log1p:
		return 1 / (1 + x)
	case spec.Abs:
		return elementary(spec.Sign, x)
	case spec.Square:
		return 2 * x
	case spec.Sqrt:
		return 0.5 / math.Sqrt(x)
	case spec.Rsqrt:
		return -0.5 / (x * math.Sqrt(x))
	case spec.Reciprocal:
		return -1 / (x * x)
	case spec.Erf:
		return twoRtPi * math.Exp(-x*x)
	case spec.Neg:
		return -1
	case spec.Sign, spec.Floor, spec.Ceil, spec.Round:
		return 0
	}
	return 1 // Identity
}

func indicator(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// sech2 is 1/cosh(x)^2, the derivative of tanh.
func sech2(x float64) float64 {
	e := math.Exp(-2 * math.Abs(x))
	return 4 * e / ((1 + e) * (1 + e))
}

// swishDerivative is s + z*s*(1-s) with z = b*x and s = sigmoid(z).
func swishDerivative(x, b float64) float64 {
	if b == 0 {
		return 0.5
	}
	z := b * x
	if math.Abs(z) > 1000 {
		return indicator(z > 0)
	}
	return sigmoid(z) * (1 + z*sigmoid(-z))
}

// geluTanhDerivative is s + x*s*(1-s)*w' with w as in geluTanh, s = sigmoid(w).
func geluTanhDerivative(x float64) float64 {
	if math.Abs(x) > 1000 {
		return indicator(x > 0)
	}
	w, _ := geluArg(x)
	return sigmoid(w) * (1 + x*sigmoid(-w)*(geluC1+3*geluC2*x*x))
}

// mishDerivative is t + x*(1-t^2)*sigmoid(x) with t = tanh(softplus(x)); with
// e = exp(x) and n = e(e+2), t = n/(n+2) and (1-t^2)*sigmoid(x) is
// 4e(1+e)/(n+2)^2.
func mishDerivative(x float64) float64 {
	switch {
	case x > 40:
		return 1
	case x < -1000:
		return 0
	}
	e := math.Exp(x)
	n := e * (e + 2)
	return n/(n+2) + x*4*e*(1+e)/((n+2)*(n+2))
}

// PointwiseGrad computes dx[i] = dy[i] * f'(x[i]).
func PointwiseGrad[T Float](dx, dy, x []T, f spec.Activation) {
	for i := range dx {
		dx[i] = T(float64(dy[i]) * PointwiseDerivative64(f, float64(x[i])))
	}
}
