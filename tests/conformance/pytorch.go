package conformance

import (
	"math"
	"slices"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// output is the result of an operator whose outputs have names, with the one
// that torch calls just that.
func output(t *ops.Tensor) []*Value { return []*Value{named("output", t)} }

// unbatched lets an operator of 1, 2 or 3 dimensions, which its name ends with,
// take an input without a batch: it gets one of size 1, which its results lose.
func unbatched(operators map[string]operator) map[string]operator {
	for name, f := range operators {
		if n := len(name); n < 2 || name[n-1] != 'd' || name[n-2] < '1' || name[n-2] > '3' {
			continue
		}
		rank := int(name[len(name)-2]-'0') + 1 // with the channels
		operators[name] = func(c *call) []*Value {
			if x := c.by["input"]; x == nil || len(x.shape) != rank {
				return f(c)
			}
			for _, name := range []string{"input", "indices", "grad_output"} {
				if v := c.by[name]; v != nil {
					v.shape = append([]int{1}, v.shape...)
				}
			}
			out := f(c)
			for _, v := range out {
				if slices.Contains([]string{"output", "indices", "grad_input"}, v.name) && len(v.shape) > 0 {
					v.shape = v.shape[1:]
				}
			}
			return out
		}
	}
	return operators
}

// torchPointwise is an operator that applies one function to each element.
func torchPointwise(f func(c *call) ops.Activation) operator {
	return func(c *call) []*Value {
		x, a := c.param("input"), f(c)
		out := output(c.activate(x, a))
		if dy := c.optParam("grad_output"); dy != nil {
			out = append(out, gradInput(c.do(ops.PointwiseGrad(dy, x, a)))...)
		}
		return out
	}
}

func torchPlain(f spec.Pointwise) operator {
	return torchPointwise(func(*call) ops.Activation { return ops.Activation{Func: f} })
}

// torchWith reads up to two parameters by their names and defaults.
func torchWith(f spec.Pointwise, a string, defA float64, more ...any) operator {
	return torchPointwise(func(c *call) ops.Activation {
		v := act(f, c.attrs.F32(a, defA))
		if len(more) == 2 {
			v.B = c.attrs.F32(more[0].(string), more[1].(float64))
		}
		return v
	})
}

var pytorchUnary = map[string]operator{
	"acos":  torchPlain(spec.Acos),
	"acosh": torchPlain(spec.Acosh),
	"asin":  torchPlain(spec.Asin),
	"asinh": torchPlain(spec.Asinh),
	"atan":  torchPlain(spec.Atan),
	"atanh": torchPlain(spec.Atanh),
	"ceil":  torchPlain(spec.Ceil),
	"cosh":  torchPlain(spec.Cosh),
	"exp2":  torchPlain(spec.Exp2),
	"floor": torchPlain(spec.Floor),
	"log2":  torchPlain(spec.Log2),
	"round": torchPlain(spec.Round),
	"sign":  torchPlain(spec.Sign),
	"sinh":  torchPlain(spec.Sinh),
	"tan":   torchPlain(spec.Tan),
	"clamp": torchPointwise(func(c *call) ops.Activation {
		return act(spec.Clamp, c.attrs.F32("min", math.Inf(-1)), c.attrs.F32("max", math.Inf(1)))
	}),
	"abs":         torchPlain(spec.Abs),
	"celu":        torchWith(spec.CELU, "alpha", 1),
	"cos":         torchPlain(spec.Cos),
	"elu":         torchWith(spec.ELU, "alpha", 1),
	"erf":         torchPlain(spec.Erf),
	"exp":         torchPlain(spec.Exp),
	"expm1":       torchPlain(spec.Expm1),
	"hardshrink":  torchWith(spec.HardShrink, "lambd", 0.5),
	"hardsigmoid": torchWith(spec.HardSigmoid, "", 1.0/6, "", 0.5),
	"hardswish":   torchPlain(spec.HardSwish),
	"hardtanh":    torchWith(spec.HardTanh, "min_val", -1, "max_val", 1.0),
	"leaky_relu":  torchWith(spec.LeakyReLU, "negative_slope", 0.01),
	"log":         torchPlain(spec.Log),
	"log1p":       torchPlain(spec.Log1p),
	"logsigmoid":  torchPlain(spec.LogSigmoid),
	"mish":        torchPlain(spec.Mish),
	"neg":         torchPlain(spec.Neg),
	"reciprocal":  torchPlain(spec.Reciprocal),
	"relu":        torchPlain(spec.ReLU),
	"relu6":       torchPlain(spec.ReLU6),
	"rsqrt":       torchPlain(spec.Rsqrt),
	"selu":        torchPlain(spec.SELU),
	"sigmoid":     torchPlain(spec.Sigmoid),
	"silu":        torchPlain(spec.SiLU),
	"sin":         torchPlain(spec.Sin),
	"softplus":    torchWith(spec.Softplus, "beta", 1, "threshold", 20.0),
	"softshrink":  torchWith(spec.SoftShrink, "lambd", 0.5),
	"softsign":    torchPlain(spec.Softsign),
	"sqrt":        torchPlain(spec.Sqrt),
	"square":      torchPlain(spec.Square),
	"tanh":        torchPlain(spec.Tanh),
	"tanhshrink":  torchPlain(spec.TanhShrink),
	"threshold":   torchWith(spec.Threshold, "threshold", 0, "value", 0.0),
	"gelu": torchPointwise(func(c *call) ops.Activation {
		if c.attrs.String("approximate", "none") == "tanh" {
			return act(spec.GELUTanh)
		}
		return act(spec.GELU)
	}),
}

// torchConv reads a convolution's parameters. The padding may be a word, and
// what stands in it a mode, as the modules have it.
func (c *call) torchConv() ops.ConvParams {
	p := ops.ConvParams{
		Stride: c.attrs.Ints("stride"), Dilation: c.attrs.Ints("dilation"), Groups: c.attrs.Int("groups", 1),
		PadMode: c.torchPadMode("padding_mode", "zeros"),
	}
	if !c.attrs.Has("padding") || c.attrs["padding"][0] != '"' {
		p.Padding = c.attrs.Ints("padding")
		return p
	}
	switch word := c.attrs.String("padding", ""); word {
	case "valid":
	case "same":
		p.AutoPad = spec.SameUpper
	default:
		fail("padding is %q", word)
	}
	return p
}

func torchConv(c *call) []*Value {
	return output(c.do(ops.Conv(c.param("input"), c.param("weight"), c.optParam("bias"), c.torchConv())))
}

func (c *call) torchConvTranspose() ops.ConvTransposeParams {
	return ops.ConvTransposeParams{
		Stride: c.attrs.Ints("stride"), Padding: c.attrs.Ints("padding"), OutputPadding: c.attrs.Ints("output_padding"),
		Dilation: c.attrs.Ints("dilation"), Groups: c.attrs.Int("groups", 1),
	}
}

func torchConvTranspose(c *call) []*Value {
	return output(c.do(ops.ConvTranspose(c.param("input"), c.param("weight"), c.optParam("bias"), c.torchConvTranspose())))
}

func torchPRelu(c *call) []*Value {
	return output(c.do(ops.PReLU(c.param("input"), c.param("weight"))))
}
