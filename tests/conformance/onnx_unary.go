package conformance

import (
	"math"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// pointwise is an operator that applies one function to each element.
func pointwise(f func(c *call) ops.Activation) operator {
	return func(c *call) []*Value { return one(c.activate(c.x(0), f(c))) }
}

// plain is a pointwise operator without attributes.
func plain(f spec.Pointwise) operator {
	return pointwise(func(*call) ops.Activation { return ops.Activation{Func: f} })
}

func (c *call) activate(x *ops.Tensor, f ops.Activation) *ops.Tensor {
	return c.do(ops.Pointwise(x, f))
}

// act builds an activation.
func act(f spec.Pointwise, params ...float32) ops.Activation {
	a := ops.Activation{Func: f}
	if len(params) > 0 {
		a.A = params[0]
	}
	if len(params) > 1 {
		a.B = params[1]
	}
	return a
}

var inf32 = float32(math.Inf(1))

// onnxUnary are ONNX's pointwise operators of one input, with their defaults.
var onnxUnary = map[string]operator{
	"Abs":        plain(spec.Abs),
	"Acos":       plain(spec.Acos),
	"Acosh":      plain(spec.Acosh),
	"Asin":       plain(spec.Asin),
	"Asinh":      plain(spec.Asinh),
	"Atan":       plain(spec.Atan),
	"Atanh":      plain(spec.Atanh),
	"Ceil":       plain(spec.Ceil),
	"Cos":        plain(spec.Cos),
	"Cosh":       plain(spec.Cosh),
	"Erf":        plain(spec.Erf),
	"Exp":        plain(spec.Exp),
	"Floor":      plain(spec.Floor),
	"HardSwish":  plain(spec.HardSwish),
	"Log":        plain(spec.Log),
	"Mish":       plain(spec.Mish),
	"Neg":        plain(spec.Neg),
	"Reciprocal": plain(spec.Reciprocal),
	"Relu":       plain(spec.ReLU),
	"Round":      plain(spec.Round),
	"Sigmoid":    plain(spec.Sigmoid),
	"Sign":       plain(spec.Sign),
	"Sin":        plain(spec.Sin),
	"Sinh":       plain(spec.Sinh),
	"Softsign":   plain(spec.Softsign),
	"Sqrt":       plain(spec.Sqrt),
	"Tan":        plain(spec.Tan),
	"Tanh":       plain(spec.Tanh),

	// Affine and ScaledTanh were experimental in ONNX 1.0 to 1.4.
	"Affine": pointwise(func(c *call) ops.Activation {
		return act(spec.Affine, c.attrs.F32("alpha", 1), c.attrs.F32("beta", 0))
	}),
	"Celu":      pointwise(func(c *call) ops.Activation { return act(spec.CELU, c.attrs.F32("alpha", 1)) }),
	"Clip":      onnxClip,
	"Elu":       pointwise(func(c *call) ops.Activation { return act(spec.ELU, c.attrs.F32("alpha", 1)) }),
	"LeakyRelu": pointwise(func(c *call) ops.Activation { return act(spec.LeakyReLU, c.attrs.F32("alpha", 0.01)) }),
	"Gelu": pointwise(func(c *call) ops.Activation {
		if c.attrs.String("approximate", "none") == "tanh" {
			return act(spec.GELUTanh)
		}
		return act(spec.GELU)
	}),
	"HardSigmoid": pointwise(func(c *call) ops.Activation {
		return act(spec.HardSigmoid, c.attrs.F32("alpha", 0.2), c.attrs.F32("beta", 0.5))
	}),
	"Selu": onnxSelu,
	"Shrink": pointwise(func(c *call) ops.Activation {
		return act(spec.Shrink, c.attrs.F32("lambd", 0.5), c.attrs.F32("bias", 0))
	}),
	"Softplus":        pointwise(func(*call) ops.Activation { return act(spec.Softplus, 1, inf32) }),
	"Swish":           pointwise(func(c *call) ops.Activation { return act(spec.Swish, c.attrs.F32("alpha", 1)) }),
	"ThresholdedRelu": pointwise(func(c *call) ops.Activation { return act(spec.Threshold, c.attrs.F32("alpha", 1), 0) }),
}

// onnxClip bounds its input by two attributes before opset 11 and by two inputs
// since. Where the lower bound is above the upper one, the upper one wins.
func onnxClip(c *call) []*Value {
	lo := c.scalar(1, c.attrs.F32("min", math.Inf(-1)))
	hi := c.scalar(2, c.attrs.F32("max", math.Inf(1)))
	return one(c.activate(c.x(0), act(spec.Clamp, lo, hi)))
}

// onnxSelu is gamma*x above 0 and gamma*alpha*(e^x - 1) elsewhere. The constants
// are attributes, so that it is an ELU times gamma.
func onnxSelu(c *call) []*Value {
	y := c.activate(c.x(0), act(spec.ELU, c.attrs.F32("alpha", 1.67326319217681884765625)))
	return one(c.activate(y, act(spec.Affine, c.attrs.F32("gamma", 1.05070102214813232421875), 0)))
}
