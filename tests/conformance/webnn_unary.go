package conformance

import (
	"math"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// webnnUnary are WebNN's pointwise operators of one input, with their defaults.
var webnnUnary = map[string]operator{
	"abs":        plain(spec.Abs),
	"ceil":       plain(spec.Ceil),
	"cos":        plain(spec.Cos),
	"erf":        plain(spec.Erf),
	"exp":        plain(spec.Exp),
	"floor":      plain(spec.Floor),
	"hardSwish":  plain(spec.HardSwish),
	"identity":   plain(spec.Identity),
	"log":        plain(spec.Log),
	"neg":        plain(spec.Neg),
	"reciprocal": plain(spec.Reciprocal),
	"relu":       plain(spec.ReLU),
	"roundEven":  plain(spec.Round),
	"sigmoid":    plain(spec.Sigmoid),
	"sign":       plain(spec.Sign),
	"sin":        plain(spec.Sin),
	"softsign":   plain(spec.Softsign),
	"sqrt":       plain(spec.Sqrt),
	"tan":        plain(spec.Tan),
	"tanh":       plain(spec.Tanh),
	"gelu":       plain(spec.GELU),

	"clamp": pointwise(func(c *call) ops.Activation {
		return act(spec.Clamp, c.attrs.F32("minValue", math.Inf(-1)), c.attrs.F32("maxValue", math.Inf(1)))
	}),
	"elu": pointwise(func(c *call) ops.Activation { return act(spec.ELU, c.attrs.F32("alpha", 1)) }),
	"hardSigmoid": pointwise(func(c *call) ops.Activation {
		return act(spec.HardSigmoid, c.attrs.F32("alpha", 0.2), c.attrs.F32("beta", 0.5))
	}),
	"leakyRelu": pointwise(func(c *call) ops.Activation { return act(spec.LeakyReLU, c.attrs.F32("alpha", 0.01)) }),
	"linear": pointwise(func(c *call) ops.Activation {
		return act(spec.Affine, c.attrs.F32("alpha", 1), c.attrs.F32("beta", 0))
	}),
	"softplus": pointwise(func(*call) ops.Activation { return act(spec.Softplus, 1, inf32) }),
}
