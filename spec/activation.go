package spec

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Pointwise names a function of one float32 that is applied to every element
// of a tensor. Its parameters, where it has any, are the A and B of an
// Activation.
//
// Wherever the mathematics has a limit at an infinity, that limit is the value
// there: SiLU(-Inf) is 0 (PyTorch has NaN). Where it has none (Sin), and
// outside the domain (Log of a negative number), the result is NaN. NaN gives
// NaN in every function, Sign, Threshold and the shrinks included.
type Pointwise uint8

// The pointwise functions. Formulas are PyTorch's unless marked otherwise.
const (
	// Identity is x: no activation at all.
	Identity Pointwise = iota
	// ReLU is max(0, x).
	ReLU
	// LeakyReLU is x for x >= 0 and A*x below; A, the slope, is 0.01 by default.
	LeakyReLU
	// ReLU6 is min(max(0, x), 6).
	ReLU6
	// ELU is x for x > 0 and A*(exp(x)-1) below; A is 1 by default.
	ELU
	// SELU is scale*x for x > 0 and scale*alpha*(exp(x)-1) below, with
	// alpha 1.6732632423543772 and scale 1.0507009873554805 (Klambauer et al., 2017).
	SELU
	// CELU is x for x > 0 and A*(exp(x/A)-1) below; A > 0 is 1 by default.
	CELU
	// GELU is x*Phi(x), Phi being the normal distribution: x/2*(1+erf(x/sqrt 2)).
	GELU
	// GELUTanh is x/2*(1+tanh(sqrt(2/pi)*(x+0.044715*x^3))).
	GELUTanh
	// SiLU is x*sigmoid(x).
	SiLU
	// Swish is x*sigmoid(A*x); A is 1 by default.
	Swish
	// Mish is x*tanh(softplus(x)).
	Mish
	// Sigmoid is 1/(1+exp(-x)).
	Sigmoid
	// LogSigmoid is log(sigmoid(x)).
	LogSigmoid
	// Tanh is the hyperbolic tangent.
	Tanh
	// TanhShrink is x-tanh(x).
	TanhShrink
	// Softplus is log(1+exp(A*x))/A, and x itself where A*x, rounded to
	// float32, is above B. A, PyTorch's beta, is 1 by default and not 0; B,
	// its threshold, is 20 by default and may be +Inf for none (ONNX, WebNN).
	Softplus
	// Softsign is x/(1+|x|).
	Softsign
	// HardSigmoid is min(max(A*x+B, 0), 1). The default is PyTorch's slope
	// A = 1/6 and offset B = 1/2; ONNX and WebNN have A = 0.2.
	HardSigmoid
	// HardSwish is x*min(max(x+3, 0), 6)/6.
	HardSwish
	// HardTanh is min(max(x, A), B), where a bound that is NaN is no bound; the
	// default is -1, 1. Where A > B the result is B, as in torch.clamp.
	HardTanh
	// HardShrink is x where x < -A or x > A, and 0 between; A is 0.5 by default.
	HardShrink
	// SoftShrink is x+A where x < -A, x-A where x > A, and 0 between;
	// A >= 0 is 0.5 by default.
	SoftShrink
	// Shrink is ONNX's: x+B where x < -A, x-B where x > A, and 0 between;
	// A (lambd) is 0.5 and B (bias) is 0 by default.
	Shrink
	// Threshold is x where x > A and B elsewhere. PyTorch has no default; here
	// it is ONNX's ThresholdedRelu: A = 1, B = 0.
	Threshold
	// Affine is A*x+B, WebNN's linear; the default is 1, 0.
	Affine
	// Sin is the sine, of x in radians.
	Sin
	// Cos is the cosine.
	Cos
	// Tan is the tangent.
	Tan
	// Asin is the inverse sine, in [-pi/2, pi/2].
	Asin
	// Acos is the inverse cosine, in [0, pi].
	Acos
	// Atan is the inverse tangent, in [-pi/2, pi/2].
	Atan
	// Sinh is the hyperbolic sine.
	Sinh
	// Cosh is the hyperbolic cosine.
	Cosh
	// Asinh is the inverse hyperbolic sine.
	Asinh
	// Acosh is the inverse hyperbolic cosine, >= 0.
	Acosh
	// Atanh is the inverse hyperbolic tangent.
	Atanh
	// Exp is e^x.
	Exp
	// Exp2 is 2^x.
	Exp2
	// Expm1 is e^x-1.
	Expm1
	// Log is the natural logarithm.
	Log
	// Log2 is the logarithm to base 2.
	Log2
	// Log1p is log(1+x).
	Log1p
	// Abs is |x|.
	Abs
	// Square is x*x.
	Square
	// Sqrt is the square root.
	Sqrt
	// Rsqrt is 1/sqrt(x).
	Rsqrt
	// Reciprocal is 1/x.
	Reciprocal
	// Erf is the error function.
	Erf
	// Neg is -x.
	Neg
	// Sign is -1, 0 or 1; NaN of NaN, as in ONNX (PyTorch has 0).
	Sign
	// Floor is the greatest integer not above x.
	Floor
	// Ceil is the least integer not below x.
	Ceil
	// Round is the nearest integer, halves to even.
	Round

	pointwiseCount
)

// Clamp is HardTanh by the name that the tensor libraries give it.
const Clamp = HardTanh

// pointwiseInfo is what one function is called and takes.
type pointwiseInfo struct {
	name   string
	params int     // how many of A, B it reads
	a, b   float32 // their defaults
}

var pointwiseInfos = [pointwiseCount]pointwiseInfo{
	Identity:    {name: "identity"},
	ReLU:        {name: "relu"},
	LeakyReLU:   {name: "leaky_relu", params: 1, a: 0.01},
	ReLU6:       {name: "relu6"},
	ELU:         {name: "elu", params: 1, a: 1},
	SELU:        {name: "selu"},
	CELU:        {name: "celu", params: 1, a: 1},
	GELU:        {name: "gelu"},
	GELUTanh:    {name: "gelu_tanh"},
	SiLU:        {name: "silu"},
	Swish:       {name: "swish", params: 1, a: 1},
	Mish:        {name: "mish"},
	Sigmoid:     {name: "sigmoid"},
	LogSigmoid:  {name: "log_sigmoid"},
	Tanh:        {name: "tanh"},
	TanhShrink:  {name: "tanh_shrink"},
	Softplus:    {name: "softplus", params: 2, a: 1, b: 20},
	Softsign:    {name: "softsign"},
	HardSigmoid: {name: "hard_sigmoid", params: 2, a: 1.0 / 6, b: 0.5},
	HardSwish:   {name: "hard_swish"},
	HardTanh:    {name: "hard_tanh", params: 2, a: -1, b: 1},
	HardShrink:  {name: "hard_shrink", params: 1, a: 0.5},
	SoftShrink:  {name: "soft_shrink", params: 1, a: 0.5},
	Shrink:      {name: "shrink", params: 2, a: 0.5},
	Threshold:   {name: "threshold", params: 2, a: 1},
	Affine:      {name: "affine", params: 2, a: 1},
	Sin:         {name: "sin"},
	Cos:         {name: "cos"},
	Tan:         {name: "tan"},
	Asin:        {name: "asin"},
	Acos:        {name: "acos"},
	Atan:        {name: "atan"},
	Sinh:        {name: "sinh"},
	Cosh:        {name: "cosh"},
	Asinh:       {name: "asinh"},
	Acosh:       {name: "acosh"},
	Atanh:       {name: "atanh"},
	Exp:         {name: "exp"},
	Exp2:        {name: "exp2"},
	Expm1:       {name: "expm1"},
	Log:         {name: "log"},
	Log2:        {name: "log2"},
	Log1p:       {name: "log1p"},
	Abs:         {name: "abs"},
	Square:      {name: "square"},
	Sqrt:        {name: "sqrt"},
	Rsqrt:       {name: "rsqrt"},
	Reciprocal:  {name: "reciprocal"},
	Erf:         {name: "erf"},
	Neg:         {name: "neg"},
	Sign:        {name: "sign"},
	Floor:       {name: "floor"},
	Ceil:        {name: "ceil"},
	Round:       {name: "round"},
}

// pointwiseAliases are further names that ParsePointwise takes.
var pointwiseAliases = map[string]Pointwise{
	"clamp": HardTanh, "clip": HardTanh, "linear": Affine, "none": Identity,
}

// Pointwises returns every pointwise function, Identity first.
func Pointwises() []Pointwise {
	fs := make([]Pointwise, pointwiseCount)
	for i := range fs {
		fs[i] = Pointwise(i)
	}
	return fs
}

// String returns the function's name in snake case, as in "leaky_relu"; the
// names of kernels and benchmarks are built from it.
func (f Pointwise) String() string {
	if f >= pointwiseCount {
		return fmt.Sprintf("pointwise(%d)", uint8(f))
	}
	return pointwiseInfos[f].name
}

// ParsePointwise is the inverse of String; it also takes clamp, clip, linear
// and none. Any other name is an error that wraps ErrParam.
func ParsePointwise(name string) (Pointwise, error) {
	key := strings.ToLower(name)
	i := slices.IndexFunc(pointwiseInfos[:], func(p pointwiseInfo) bool { return p.name == key })
	if i >= 0 {
		return Pointwise(i), nil
	}
	if f, ok := pointwiseAliases[key]; ok {
		return f, nil
	}
	return Identity, fmt.Errorf("%w: no pointwise function is called %q", ErrParam, name)
}

// Params returns how many of A and B the function reads: 0, 1 or 2.
func (f Pointwise) Params() int {
	if f >= pointwiseCount {
		return 0
	}
	return pointwiseInfos[f].params
}

// Default returns the function with the parameters it has by default.
func (f Pointwise) Default() Activation {
	if f >= pointwiseCount {
		return Activation{Func: f}
	}
	return Activation{Func: f, A: pointwiseInfos[f].a, B: pointwiseInfos[f].b}
}

// Activation is a pointwise function with its parameters. The zero value is
// Identity: no activation. A and B are taken as they stand, so that
// Activation{Func: LeakyReLU} has a slope of 0; Pointwise.Default fills in the
// customary values.
type Activation struct {
	Func Pointwise
	A, B float32
}

// String gives the function and the parameters that it reads: "relu",
// "leaky_relu(0.01)", "softplus(1, 20)".
func (a Activation) String() string {
	switch a.Func.Params() {
	case 1:
		return fmt.Sprintf("%v(%v)", a.Func, a.A)
	case 2:
		return fmt.Sprintf("%v(%v, %v)", a.Func, a.A, a.B)
	}
	return a.Func.String()
}

// Check returns an error that wraps ErrParam and names the offending value
// where the function is unknown or a parameter that it reads is unusable: NaN
// (but for the bounds of HardTanh), infinite where a finite value is needed, a
// zero divisor, or a sign that the formula does not allow.
func (a Activation) Check() error {
	if a.Func >= pointwiseCount {
		return fmt.Errorf("%w: pointwise function %d does not exist", ErrParam, uint8(a.Func))
	}
	n := a.Func.Params()
	if a.Func != HardTanh {
		if n >= 1 && isNaN(a.A) {
			return a.bad("A", a.A, "must not be NaN")
		}
		if n >= 2 && isNaN(a.B) {
			return a.bad("B", a.B, "must not be NaN")
		}
	}
	switch a.Func {
	case LeakyReLU, ELU, Swish:
		if isInf(a.A) {
			return a.bad("A", a.A, "must be finite")
		}
	case HardSigmoid, Affine:
		if isInf(a.A) {
			return a.bad("A", a.A, "must be finite")
		}
		if isInf(a.B) {
			return a.bad("B", a.B, "must be finite")
		}
	case CELU:
		if !(a.A > 0) || isInf(a.A) {
			return a.bad("A", a.A, "must be finite and above 0")
		}
	case Softplus:
		if a.A == 0 || isInf(a.A) {
			return a.bad("A", a.A, "must be finite and not 0")
		}
	case SoftShrink:
		if a.A < 0 || isInf(a.A) {
			return a.bad("A", a.A, "must be finite and not negative")
		}
	case Shrink:
		if isInf(a.B) {
			return a.bad("B", a.B, "must be finite")
		}
	}
	return nil
}

func (a Activation) bad(param string, v float32, must string) error {
	return fmt.Errorf("%w: %v: %s %s, not %v", ErrParam, a.Func, param, must, v)
}

func isNaN(v float32) bool { return v != v }
func isInf(v float32) bool { return math.IsInf(float64(v), 0) }

// GradBudget is the error of the function's gradient dy*f'(x). The magnitude is
// |dy| times the largest term of f'(x), which is |f'(x)| or 1: derivatives that
// cross zero are differences of terms of that size.
func (a Activation) GradBudget() Budget { return Budget{ULP: 16, Scaled: 16} }
