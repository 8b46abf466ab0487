package ops

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// Activation is a pointwise function with its parameters; see spec.Activation.
type Activation = spec.Activation

// Pointwise applies a pointwise function to every element: y = f(x). The result
// has the shape of x; that of the identity is a view of it. The named functions
// of this file are short forms of it, and spec.Pointwise has their formulas, the
// customary parameters and the values at infinities. Each has an error budget;
// see spec.Activation.Budget. Errors of all: ErrParam (a NaN or impossible
// parameter), ErrReleased, ErrOutOfMemory.
func Pointwise(x *Tensor, f Activation) (*Tensor, error) { return pointwise("Pointwise", x, f) }

func pointwise(name string, x *Tensor, f Activation) (*Tensor, error) {
	e, err := engineOf(name, x)
	if err != nil {
		return nil, err
	}
	if err := f.Check(); err != nil {
		return nil, fail(name, err)
	}
	if f.Func == spec.Identity {
		v, err := x.Reshape(x.shape...)
		return v, fail(name, err)
	}
	n := x.Len()
	return e.one(call{
		name: name, fn: "activation", in: []*Tensor{x}, link: link{kind: linkUnary, act: f},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanActivation(f, n, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				for i, v := range in[0] {
					out[0][i] = float32(cpuref.Pointwise64(f, float64(v)))
				}
			} else {
				fast.Pointwise(f, out[0], in[0])
			}
			return nil
		},
	}, x.shape)
}

// ReLU returns max(0, x). NaN stays NaN.
func ReLU(x *Tensor) (*Tensor, error) { return pointwise("ReLU", x, Activation{Func: spec.ReLU}) }

// ReLU6 returns min(max(0, x), 6).
func ReLU6(x *Tensor) (*Tensor, error) { return pointwise("ReLU6", x, Activation{Func: spec.ReLU6}) }

// SELU returns scale*x for x > 0 and scale*alpha*(exp(x)-1) below, with the
// constants of Klambauer et al., 2017.
func SELU(x *Tensor) (*Tensor, error) { return pointwise("SELU", x, Activation{Func: spec.SELU}) }

// GELU returns x*Phi(x) = x/2*(1+erf(x/sqrt 2)).
func GELU(x *Tensor) (*Tensor, error) { return pointwise("GELU", x, Activation{Func: spec.GELU}) }

// GELUTanh returns x/2*(1+tanh(sqrt(2/pi)*(x+0.044715*x^3))), the approximation
// of GELU.
func GELUTanh(x *Tensor) (*Tensor, error) {
	return pointwise("GELUTanh", x, Activation{Func: spec.GELUTanh})
}

// SiLU returns x*sigmoid(x).
func SiLU(x *Tensor) (*Tensor, error) { return pointwise("SiLU", x, Activation{Func: spec.SiLU}) }

// Mish returns x*tanh(log(1+exp(x))).
func Mish(x *Tensor) (*Tensor, error) { return pointwise("Mish", x, Activation{Func: spec.Mish}) }

// Sigmoid returns 1/(1+exp(-x)).
func Sigmoid(x *Tensor) (*Tensor, error) {
	return pointwise("Sigmoid", x, Activation{Func: spec.Sigmoid})
}

// LogSigmoid returns log(1/(1+exp(-x))).
func LogSigmoid(x *Tensor) (*Tensor, error) {
	return pointwise("LogSigmoid", x, Activation{Func: spec.LogSigmoid})
}

// Tanh returns the hyperbolic tangent of x.
func Tanh(x *Tensor) (*Tensor, error) { return pointwise("Tanh", x, Activation{Func: spec.Tanh}) }

// TanhShrink returns x-tanh(x).
func TanhShrink(x *Tensor) (*Tensor, error) {
	return pointwise("TanhShrink", x, Activation{Func: spec.TanhShrink})
}

// Softsign returns x/(1+|x|).
func Softsign(x *Tensor) (*Tensor, error) {
	return pointwise("Softsign", x, Activation{Func: spec.Softsign})
}

// HardSwish returns x*min(max(x+3, 0), 6)/6.
func HardSwish(x *Tensor) (*Tensor, error) {
	return pointwise("HardSwish", x, Activation{Func: spec.HardSwish})
}

// Sin returns the sine of x, in radians.
func Sin(x *Tensor) (*Tensor, error) { return pointwise("Sin", x, Activation{Func: spec.Sin}) }

// Cos returns the cosine of x, in radians.
func Cos(x *Tensor) (*Tensor, error) { return pointwise("Cos", x, Activation{Func: spec.Cos}) }

// Tan returns the tangent of x, in radians.
func Tan(x *Tensor) (*Tensor, error) { return pointwise("Tan", x, Activation{Func: spec.Tan}) }

// Asin returns the inverse sine of x, in [-pi/2, pi/2].
func Asin(x *Tensor) (*Tensor, error) { return pointwise("Asin", x, Activation{Func: spec.Asin}) }

// Acos returns the inverse cosine of x, in [0, pi].
func Acos(x *Tensor) (*Tensor, error) { return pointwise("Acos", x, Activation{Func: spec.Acos}) }

// Atan returns the inverse tangent of x, in [-pi/2, pi/2].
func Atan(x *Tensor) (*Tensor, error) { return pointwise("Atan", x, Activation{Func: spec.Atan}) }

// Sinh returns the hyperbolic sine of x.
func Sinh(x *Tensor) (*Tensor, error) { return pointwise("Sinh", x, Activation{Func: spec.Sinh}) }

// Cosh returns the hyperbolic cosine of x.
func Cosh(x *Tensor) (*Tensor, error) { return pointwise("Cosh", x, Activation{Func: spec.Cosh}) }

// Asinh returns the inverse hyperbolic sine of x.
func Asinh(x *Tensor) (*Tensor, error) { return pointwise("Asinh", x, Activation{Func: spec.Asinh}) }

// Acosh returns the inverse hyperbolic cosine of x, at least 0.
func Acosh(x *Tensor) (*Tensor, error) { return pointwise("Acosh", x, Activation{Func: spec.Acosh}) }

// Atanh returns the inverse hyperbolic tangent of x.
func Atanh(x *Tensor) (*Tensor, error) { return pointwise("Atanh", x, Activation{Func: spec.Atanh}) }

// Exp returns e^x.
func Exp(x *Tensor) (*Tensor, error) { return pointwise("Exp", x, Activation{Func: spec.Exp}) }

// Exp2 returns 2^x.
func Exp2(x *Tensor) (*Tensor, error) { return pointwise("Exp2", x, Activation{Func: spec.Exp2}) }

// Expm1 returns e^x-1, with all digits near 0.
func Expm1(x *Tensor) (*Tensor, error) { return pointwise("Expm1", x, Activation{Func: spec.Expm1}) }

// Log returns the natural logarithm of x.
func Log(x *Tensor) (*Tensor, error) { return pointwise("Log", x, Activation{Func: spec.Log}) }

// Log2 returns the logarithm of x to base 2.
func Log2(x *Tensor) (*Tensor, error) { return pointwise("Log2", x, Activation{Func: spec.Log2}) }

// Log1p returns log(1+x), with all digits near 0.
func Log1p(x *Tensor) (*Tensor, error) { return pointwise("Log1p", x, Activation{Func: spec.Log1p}) }

// Abs returns |x|.
func Abs(x *Tensor) (*Tensor, error) { return pointwise("Abs", x, Activation{Func: spec.Abs}) }

// Square returns x*x.
func Square(x *Tensor) (*Tensor, error) { return pointwise("Square", x, Activation{Func: spec.Square}) }

// Sqrt returns the square root of x.
func Sqrt(x *Tensor) (*Tensor, error) { return pointwise("Sqrt", x, Activation{Func: spec.Sqrt}) }

// Rsqrt returns 1/sqrt(x).
func Rsqrt(x *Tensor) (*Tensor, error) { return pointwise("Rsqrt", x, Activation{Func: spec.Rsqrt}) }

// Reciprocal returns 1/x.
func Reciprocal(x *Tensor) (*Tensor, error) {
	return pointwise("Reciprocal", x, Activation{Func: spec.Reciprocal})
}

// Erf returns the error function of x, 2/sqrt(pi) times the integral of
// exp(-t^2) from 0 to x.
func Erf(x *Tensor) (*Tensor, error) { return pointwise("Erf", x, Activation{Func: spec.Erf}) }

// Neg returns -x.
func Neg(x *Tensor) (*Tensor, error) { return pointwise("Neg", x, Activation{Func: spec.Neg}) }

// Sign returns -1, 0 or 1, and NaN of NaN.
func Sign(x *Tensor) (*Tensor, error) { return pointwise("Sign", x, Activation{Func: spec.Sign}) }

// Floor returns the greatest integer not above x.
func Floor(x *Tensor) (*Tensor, error) { return pointwise("Floor", x, Activation{Func: spec.Floor}) }

// Ceil returns the least integer not below x.
func Ceil(x *Tensor) (*Tensor, error) { return pointwise("Ceil", x, Activation{Func: spec.Ceil}) }

// Round returns the integer nearest to x, halves to even.
func Round(x *Tensor) (*Tensor, error) { return pointwise("Round", x, Activation{Func: spec.Round}) }

// LeakyReLU returns x for x >= 0 and slope*x below.
func LeakyReLU(x *Tensor, slope float32) (*Tensor, error) {
	return pointwise("LeakyReLU", x, Activation{Func: spec.LeakyReLU, A: slope})
}

// ELU returns x for x > 0 and alpha*(exp(x)-1) below.
func ELU(x *Tensor, alpha float32) (*Tensor, error) {
	return pointwise("ELU", x, Activation{Func: spec.ELU, A: alpha})
}

// CELU returns x for x > 0 and alpha*(exp(x/alpha)-1) below; alpha > 0.
func CELU(x *Tensor, alpha float32) (*Tensor, error) {
	return pointwise("CELU", x, Activation{Func: spec.CELU, A: alpha})
}

// Swish returns x*sigmoid(beta*x).
func Swish(x *Tensor, beta float32) (*Tensor, error) {
	return pointwise("Swish", x, Activation{Func: spec.Swish, A: beta})
}

// HardShrink returns x where |x| > lambda and 0 elsewhere.
func HardShrink(x *Tensor, lambda float32) (*Tensor, error) {
	return pointwise("HardShrink", x, Activation{Func: spec.HardShrink, A: lambda})
}

// SoftShrink returns x-lambda above lambda, x+lambda below -lambda and 0
// between; lambda >= 0.
func SoftShrink(x *Tensor, lambda float32) (*Tensor, error) {
	return pointwise("SoftShrink", x, Activation{Func: spec.SoftShrink, A: lambda})
}

// Softplus returns log(1+exp(beta*x))/beta, and x itself where beta*x >
// threshold. PyTorch has beta 1 and threshold 20, ONNX and WebNN a threshold of
// +Inf.
func Softplus(x *Tensor, beta, threshold float32) (*Tensor, error) {
	return pointwise("Softplus", x, Activation{Func: spec.Softplus, A: beta, B: threshold})
}

// HardSigmoid returns min(max(slope*x+offset, 0), 1). PyTorch has slope 1/6,
// ONNX and WebNN 0.2, and all an offset of 1/2.
func HardSigmoid(x *Tensor, slope, offset float32) (*Tensor, error) {
	return pointwise("HardSigmoid", x, Activation{Func: spec.HardSigmoid, A: slope, B: offset})
}

// HardTanh returns min(max(x, low), high); a bound that is NaN is no bound.
func HardTanh(x *Tensor, low, high float32) (*Tensor, error) {
	return pointwise("HardTanh", x, Activation{Func: spec.HardTanh, A: low, B: high})
}

// Shrink returns x-bias above lambda, x+bias below -lambda and 0 between, as in
// ONNX.
func Shrink(x *Tensor, lambda, bias float32) (*Tensor, error) {
	return pointwise("Shrink", x, Activation{Func: spec.Shrink, A: lambda, B: bias})
}

// Threshold returns x where x > threshold and value elsewhere.
func Threshold(x *Tensor, threshold, value float32) (*Tensor, error) {
	return pointwise("Threshold", x, Activation{Func: spec.Threshold, A: threshold, B: value})
}

// Affine returns a*x+b.
func Affine(x *Tensor, a, b float32) (*Tensor, error) {
	return pointwise("Affine", x, Activation{Func: spec.Affine, A: a, B: b})
}

// Clamp returns min(max(x, low), high); a bound that is NaN is no bound. It is
// HardTanh by the name that the tensor libraries give it.
func Clamp(x *Tensor, low, high float32) (*Tensor, error) {
	return pointwise("Clamp", x, Activation{Func: spec.Clamp, A: low, B: high})
}
