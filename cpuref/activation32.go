package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// Pointwise32 sets dst[i] = f(src[i]) within the budget of f, in plain Go and
// the same on every architecture. dst and src have the same length and may be
// the same slice. f has passed its Check.
func Pointwise32(f spec.Activation, dst, src []float32) {
	dst = dst[:len(src)]
	if loop := cheap[f.Func]; loop != nil {
		loop(dst, src, f.A, f.B)
		return
	}
	g, a, b := costly[f.Func], float64(f.A), float64(f.B)
	for i, x := range src {
		dst[i] = float32(g(float64(x), a, b))
	}
}

// cheap holds the functions of a few instructions, each as a loop of its own.
var cheap = map[spec.Pointwise]func(dst, src []float32, a, b float32){
	spec.Identity: func(dst, src []float32, _, _ float32) { copy(dst, src) },
	spec.ReLU: func(dst, src []float32, _, _ float32) {
		for i, x := range src {
			if x < 0 {
				x = 0
			}
			dst[i] = x
		}
	},
	spec.LeakyReLU: func(dst, src []float32, a, _ float32) {
		for i, x := range src {
			if x < 0 {
				x *= a
			}
			dst[i] = x
		}
	},
	spec.ReLU6: func(dst, src []float32, _, _ float32) {
		for i, x := range src {
			dst[i] = min(max(x, 0), 6)
		}
	},
	spec.Softsign: func(dst, src []float32, _, _ float32) {
		for i, x := range src {
			v := float64(min(max(x, -math.MaxFloat32), math.MaxFloat32))
			dst[i] = float32(v / (1 + math.Abs(v)))
		}
	},
	spec.HardSigmoid: func(dst, src []float32, a, b float32) {
		for i, x := range src {
			y := float64(a)*float64(x) + float64(b)
			switch {
			case y < 0:
				y = 0
			case y > 1:
				y = 1
			}
			dst[i] = float32(y)
		}
	},
	spec.HardSwish: func(dst, src []float32, _, _ float32) {
		for i, x := range src {
			switch {
			case x <= -3:
				x = 0
			case x < 3:
				x = x * (x + 3) / 6
			}
			dst[i] = x
		}
	},
	spec.HardTanh: func(dst, src []float32, a, b float32) {
		if a != a {
			a = float32(math.Inf(-1))
		}
		if b != b {
			b = float32(math.Inf(1))
		}
		for i, x := range src {
			dst[i] = min(max(x, a), b)
		}
	},
	spec.HardShrink: func(dst, src []float32, a, _ float32) {
		for i, x := range src {
			if x >= -a && x <= a {
				x = 0
			}
			dst[i] = x
		}
	},
	spec.SoftShrink: func(dst, src []float32, a, _ float32) { shrink32(dst, src, a, a) },
	spec.Shrink:     shrink32,
	spec.Threshold: func(dst, src []float32, a, b float32) {
		for i, x := range src {
			if x <= a {
				x = b
			}
			dst[i] = x
		}
	},
	spec.Affine: func(dst, src []float32, a, b float32) {
		for i, x := range src {
			dst[i] = float32(float64(a)*float64(x) + float64(b))
		}
	},
	spec.Abs: func(dst, src []float32, _, _ float32) {
		for i, x := range src {
			dst[i] = math.Float32frombits(math.Float32bits(x) &^ (1 << 31))
		}
	},
	spec.Square: func(dst, src []float32, _, _ float32) {
		for i, x := range src {
			dst[i] = x * x
		}
	},
	spec.Sqrt: func(dst, src []float32, _, _ float32) {
		for i, x := range src {
			dst[i] = float32(math.Sqrt(float64(x)))
		}
	},
	spec.Rsqrt: func(dst, src []float32, _, _ float32) {
		for i, x := range src {
			dst[i] = float32(1 / math.Sqrt(float64(x)))
		}
	},
	spec.Reciprocal: func(dst, src []float32, _, _ float32) {
		for i, x := range src {
			dst[i] = 1 / x
		}
	},
	spec.Neg: func(dst, src []float32, _, _ float32) {
		for i, x := range src {
			dst[i] = -x
		}
	},
	spec.Sign: func(dst, src []float32, _, _ float32) {
		for i, x := range src {
			switch {
			case x > 0:
				x = 1
			case x < 0:
				x = -1
			}
			dst[i] = x
		}
	},
	spec.Floor: func(dst, src []float32, _, _ float32) {
		for i, x := range src {
			dst[i] = float32(math.Floor(float64(x)))
		}
	},
	spec.Ceil: func(dst, src []float32, _, _ float32) {
		for i, x := range src {
			dst[i] = float32(math.Ceil(float64(x)))
		}
	},
	spec.Round: func(dst, src []float32, _, _ float32) {
		for i, x := range src {
			dst[i] = float32(math.RoundToEven(float64(x)))
		}
	},
}

// shrink32 is ONNX's Shrink.
func shrink32(dst, src []float32, lambda, bias float32) {
	for i, x := range src {
		switch {
		case x < -lambda:
			x += bias
		case x > lambda:
			x -= bias
		case x == x:
			x = 0
		}
		dst[i] = x
	}
}

// costly holds the functions that take tens of instructions.
var costly = map[spec.Pointwise]func(x, a, b float64) float64{
	spec.ELU: func(x, a, _ float64) float64 {
		if x > 0 {
			return x
		}
		return a * expm1(max(x, -200))
	},
	spec.SELU: func(x, _, _ float64) float64 {
		if x > 0 {
			return seluScale * x
		}
		return seluScale * seluAlpha * expm1(max(x, -200))
	},
	spec.CELU: func(x, a, _ float64) float64 {
		if x > 0 {
			return x
		}
		return a * expm1(max(x/a, -200))
	},
	spec.GELU:     func(x, _, _ float64) float64 { return gelu32(x) },
	spec.GELUTanh: func(x, _, _ float64) float64 { return geluTanh32(x) },
	spec.SiLU:     func(x, _, _ float64) float64 { return timesSigmoid(x, x) },
	spec.Swish: func(x, a, _ float64) float64 {
		c := min(max(x, -math.MaxFloat32), math.MaxFloat32)
		z := a * c
		if z >= 0 {
			return x / (1 + exp(max(-z, -300))) // infinite where x is
		}
		if math.IsInf(x, 0) {
			return 0 // the limit, however small a is
		}
		return c / (1 + exp(min(-z, 300)))
	},
	spec.Mish:       func(x, _, _ float64) float64 { return mish32(x) },
	spec.Sigmoid:    func(x, _, _ float64) float64 { return sigmoid32(x) },
	spec.LogSigmoid: func(x, _, _ float64) float64 { return -softplus32(-x) },
	spec.Tanh:       func(x, _, _ float64) float64 { return tanh32(x) },
	spec.TanhShrink: func(x, _, _ float64) float64 { return tanhShrink32(x) },
	spec.Softplus: func(x, a, b float64) float64 {
		z := a * x
		if float64(float32(z)) > b {
			return x
		}
		return softplus32(z) / a
	},
	spec.Sin:   func(x, _, _ float64) float64 { return sin32(x, 0) },
	spec.Cos:   func(x, _, _ float64) float64 { return sin32(x, 1) },
	spec.Tan:   func(x, _, _ float64) float64 { return tan32(x) },
	spec.Asin:  func(x, _, _ float64) float64 { return asin32(x) },
	spec.Acos:  func(x, _, _ float64) float64 { return acos32(x) },
	spec.Atan:  func(x, _, _ float64) float64 { return atan32(x) },
	spec.Sinh:  func(x, _, _ float64) float64 { return sinh32(x) },
	spec.Cosh:  func(x, _, _ float64) float64 { return cosh32(x) },
	spec.Asinh: func(x, _, _ float64) float64 { return asinh32(x) },
	spec.Acosh: func(x, _, _ float64) float64 { return acosh32(x) },
	spec.Atanh: func(x, _, _ float64) float64 { return atanh32(x) },
	spec.Exp:   func(x, _, _ float64) float64 { return exp(max(min(x, 200), -200)) },
	spec.Exp2:  func(x, _, _ float64) float64 { return exp(math.Ln2 * max(min(x, 200), -200)) },
	spec.Expm1: func(x, _, _ float64) float64 { return expm1(max(min(x, 200), -200)) },
	spec.Log: func(x, _, _ float64) float64 {
		if !(x > 0 && x <= math.MaxFloat32) {
			return math.Log(x)
		}
		return log(x)
	},
	spec.Log2: func(x, _, _ float64) float64 {
		if !(x > 0 && x <= math.MaxFloat32) {
			return math.Log(x)
		}
		return log(x) * (1 / math.Ln2)
	},
	spec.Log1p: func(x, _, _ float64) float64 {
		if !(x > -1 && x <= math.MaxFloat32) {
			return math.Log1p(x)
		}
		return log1p(x)
	},
	spec.Erf: func(x, _, _ float64) float64 { return erf32(x) },
}
