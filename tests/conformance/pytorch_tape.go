package conformance

import (
	"maps"
	"slices"
	"strings"

	"github.com/kansu-dev/kansu/autograd"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// onTape is a case of PyTorch whose forward function is written on a tape, which
// then has its gradients too: grad_NAME of every input of floats.
type onTape struct {
	*call
	*autograd.Tape
	vars map[string]*autograd.Variable
}

// v returns an input as a variable, nil where it was left out.
func (c *onTape) v(name string) *autograd.Variable {
	if c.vars[name] == nil {
		if x := c.optParam(name); x != nil {
			c.vars[name] = autograd.Param(x)
		}
	}
	return c.vars[name]
}

// need is v for an input that cannot be left out.
func (c *onTape) need(name string) *autograd.Variable {
	c.param(name)
	return c.v(name)
}

// taped makes an operator of a function on a tape. The tape gives its values
// back, so that the result is read before.
func taped(f func(c *onTape) *autograd.Variable) operator {
	return func(k *call) []*Value {
		c := &onTape{call: k, Tape: autograd.NewTape(k.eng), vars: map[string]*autograd.Variable{}}
		defer c.Tape.Release()
		y := f(c)
		if err := c.Err(); err != nil {
			panic(wrong{err})
		}
		data, err := y.Value().Data()
		if err != nil {
			panic(wrong{err})
		}
		v := Host(data, y.Shape()...)
		v.name = "output"
		out := []*Value{v}
		dy := c.optParam("grad_output")
		if dy == nil {
			return out
		}
		if err := c.BackwardFrom(y, dy); err != nil {
			panic(wrong{err})
		}
		for _, name := range slices.Sorted(maps.Keys(c.vars)) {
			if g := c.vars[name].Grad(); g != nil {
				out = append(out, named("grad_"+name, c.do(g, nil)))
			}
		}
		return out
	}
}

func tapedBinary(f func(t *autograd.Tape, a, b *autograd.Variable) *autograd.Variable, second string) operator {
	return taped(func(c *onTape) *autograd.Variable { return f(c.Tape, c.need("input"), c.need(second)) })
}

func tapedMatMul(t *autograd.Tape, a, b *autograd.Variable) *autograd.Variable {
	return t.MatMul(a, b, ops.MatMulParams{})
}

func tapedReduce(f func(t *autograd.Tape, x *autograd.Variable, p ops.ReduceParams) *autograd.Variable) operator {
	return taped(func(c *onTape) *autograd.Variable {
		return f(c.Tape, c.need("input"), ops.ReduceParams{Axes: c.attrs.Ints("dim"), Keep: c.attrs.Bool("keepdim", false)})
	})
}

// reduction reads how the losses of the elements are joined.
func (c *call) reduction() spec.Reduction {
	name := c.attrs.String("reduction", "mean")
	for _, r := range []spec.Reduction{spec.ReduceToMean, spec.ReduceToSum, spec.NoReduction} {
		if r.String() == name {
			return r
		}
	}
	fail("reduction is %q", name)
	return 0
}

func tapedLoss(f func(t *autograd.Tape, x *autograd.Variable, target *ops.Tensor, p ops.LossParams) *autograd.Variable) operator {
	return taped(func(c *onTape) *autograd.Variable {
		if c.by["weight"] != nil || c.by["pos_weight"] != nil {
			outside("weights of the elements' losses")
		}
		return f(c.Tape, c.need("input"), c.param("target"), ops.LossParams{Reduction: c.reduction()})
	})
}

// tapedSmoothL1: with beta 0 it is the absolute difference.
func tapedSmoothL1(c *onTape) *autograd.Variable {
	x, target, p := c.need("input"), c.param("target"), ops.LossParams{Reduction: c.reduction()}
	if p.Beta = c.attrs.F32("beta", 1); p.Beta == 0 {
		return c.L1Loss(x, target, p)
	}
	return c.SmoothL1Loss(x, target, p)
}

// tapedCrossEntropy takes labels; logits of one sample have no batch.
func tapedCrossEntropy(c *onTape) *autograd.Variable {
	x, target := c.need("input"), c.by["target"]
	if target == nil || target.IsFloat() {
		outside("cross-entropy with probabilities")
	}
	labels, shape := make([]int32, len(target.i)), target.shape
	for i, v := range target.i {
		labels[i] = int32(v)
	}
	single := len(x.Shape()) == 1
	if single {
		x, shape = c.Reshape(x, 1, -1), []int{1}
	}
	ignore := int32(c.attrs.Int("ignore_index", -100))
	y := c.WeightedCrossEntropy(x, c.do(c.eng.Indices(labels, shape...)), c.optParam("weight"), ops.CrossEntropyParams{
		Reduction: c.reduction(), LabelSmoothing: c.attrs.F32("label_smoothing", 0), IgnoreIndex: &ignore,
	})
	if single {
		y = c.Reshape(y)
	}
	return y
}

// tapedInterpolate: a factor gives the positions too, unless it is recomputed
// from the sizes.
func tapedInterpolate(c *onTape) *autograd.Variable {
	x, p := c.need("input"), ops.UpsampleParams{AlignCorners: c.attrs.Bool("align_corners", false)}
	switch mode := c.attrs.String("mode", "nearest"); mode {
	case "nearest":
	case "nearest-exact":
		p.Mode = spec.NearestExact
	case "linear", "bilinear", "trilinear":
		p.Mode = spec.Linear
	default:
		outside("interpolation in mode %q", mode)
	}
	p.Size = c.attrs.Ints("size")
	if factor := c.attrs.Doubles("scale_factor"); p.Size == nil {
		for i, n := range x.Shape()[2:] {
			f := factor[min(i, len(factor)-1)]
			if p.Mode == spec.Linear && int(float64(n)*f) == n {
				f = 1 // linear modes leave an axis alone that keeps its size
			}
			p.Scale = append(p.Scale, f)
		}
		if c.attrs.Bool("recompute_scale_factor", false) {
			p.Scale = nil
			for i, n := range x.Shape()[2:] {
				p.Size = append(p.Size, int(float64(n)*factor[min(i, len(factor)-1)]))
			}
		}
	}
	return c.Upsample(x, p)
}

// tapedPad has its pads from the last axis on: beginning, end, beginning, ...
func tapedPad(c *onTape) *autograd.Variable {
	pad := c.attrs.Ints("pad")
	if len(pad)%2 != 0 {
		fail("pad %v has an odd number of entries", pad)
	}
	p := ops.PadParams{Mode: c.torchPadMode("mode", "constant")}
	if p.Mode == spec.PadZeros {
		p.Value = c.attrs.F32("value", 0)
	}
	for i := len(pad) - 2; i >= 0; i -= 2 {
		p.Begin, p.End = append(p.Begin, pad[i]), append(p.End, pad[i+1])
	}
	return c.Pad(c.need("input"), p)
}

// torchPadMode reads a padding mode by any of PyTorch's names for it.
func (c *call) torchPadMode(attr, def string) spec.PadMode {
	switch name := c.attrs.String(attr, def); name {
	case "constant", "zeros":
		return spec.PadZeros
	case "reflect":
		return spec.PadReflect
	case "replicate":
		return spec.PadReplicate
	case "circular":
		return spec.PadCircular
	default:
		outside("padding mode %q", name)
	}
	return 0
}

// tapedCat joins the inputs whose names begin with "input", as listed.
func tapedCat(c *onTape) *autograd.Variable {
	var xs []*autograd.Variable
	for _, name := range c.names {
		if strings.HasPrefix(name, "input") {
			xs = append(xs, c.need(name))
		}
	}
	return c.Concat(c.attrs.Int("dim", 0), xs...)
}

func tapedTranspose(c *onTape) *autograd.Variable {
	x := c.need("input")
	rank := len(x.Shape())
	perm := identityPerm(rank)
	a, b := axis(c.attrs.Int("dim0", 0), rank), axis(c.attrs.Int("dim1", 1), rank)
	perm[a], perm[b] = b, a
	return c.Transpose(x, perm...)
}

// tapedAddMM is beta*input + alpha*mat1*mat2.
func tapedAddMM(c *onTape) *autograd.Variable {
	alpha, beta := c.attrs.F32("alpha", 1), c.attrs.F32("beta", 1)
	return c.Gemm(c.need("mat1"), c.need("mat2"), c.need("input"), ops.GemmParams{Alpha: &alpha, Beta: &beta})
}

// tapedUnpool: the indices are an input; output_size may have all axes.
func tapedUnpool(c *onTape) *autograd.Variable {
	x, idx := c.need("input"), c.by["indices"]
	if idx == nil || idx.IsFloat() {
		fail("max_unpool takes indices")
	}
	at := make([]int32, len(idx.i))
	for i, v := range idx.i {
		at[i] = int32(v)
	}
	p := ops.UnpoolParams{Kernel: c.attrs.Ints("kernel_size"), Stride: c.attrs.Ints("stride"), Padding: c.attrs.Ints("padding")}
	if p.OutSize = c.attrs.Ints("output_size"); len(p.OutSize) == len(x.Shape()) {
		p.OutSize = p.OutSize[2:]
	}
	return c.MaxUnpool(x, c.do(c.eng.Indices(at, idx.shape...)), p)
}

func tapedLpPool(c *onTape) *autograd.Variable {
	return c.LpPool(c.need("input"), c.torchPool(), c.attrs.F32("norm_type", 2))
}

func tapedLRN(c *onTape) *autograd.Variable {
	return c.LRN(c.need("input"), ops.LRNParams{
		Size: c.attrs.Int("size", 0), Alpha: exactly(c.attrs.F32("alpha", 1e-4)), Beta: c.attrs.F32("beta", 0.75),
		K: exactly(c.attrs.F32("k", 1)), EvenBefore: true,
	})
}

func tapedNormalize(c *onTape) *autograd.Variable {
	return c.LpNormalize(c.need("input"), c.attrs.Int("dim", 1),
		ops.LpNormalizeParams{P: c.attrs.F32("p", 2), Eps: exactly(c.attrs.F32("eps", 1e-12))})
}

func tapedRMSNorm(c *onTape) *autograd.Variable {
	return c.RMSNorm(c.need("input"), c.v("weight"), nil,
		ops.LayerNormParams{Shape: c.attrs.Ints("normalized_shape"), Eps: c.epsilon("eps")})
}

// pytorchTaped are the operators that are written on a tape.
var pytorchTaped = map[string]operator{
	"add":                              tapedBinary((*autograd.Tape).Add, "other"),
	"addmm":                            taped(tapedAddMM),
	"amax":                             tapedReduce((*autograd.Tape).Amax),
	"amin":                             tapedReduce((*autograd.Tape).Amin),
	"binary_cross_entropy_with_logits": tapedLoss((*autograd.Tape).BCEWithLogitsLoss),
	"bmm":                              tapedBinary(tapedMatMul, "mat2"),
	"cat":                              taped(tapedCat),
	"cross_entropy":                    taped(tapedCrossEntropy),
	"div":                              tapedBinary((*autograd.Tape).Div, "other"),
	"expand":                           taped(func(c *onTape) *autograd.Variable { return c.Expand(c.need("input"), c.attrs.Ints("size")...) }),
	"flatten": taped(func(c *onTape) *autograd.Variable {
		return c.Flatten(c.need("input"), c.attrs.Int("start_dim", 0), c.attrs.Int("end_dim", -1))
	}),
	"interpolate":         taped(tapedInterpolate),
	"l1_loss":             tapedLoss((*autograd.Tape).L1Loss),
	"local_response_norm": taped(tapedLRN),
	"lp_pool1d":           taped(tapedLpPool),
	"lp_pool2d":           taped(tapedLpPool),
	"lp_pool3d":           taped(tapedLpPool),
	"matmul":              tapedBinary(tapedMatMul, "other"),
	"max_unpool1d":        taped(tapedUnpool),
	"max_unpool2d":        taped(tapedUnpool),
	"max_unpool3d":        taped(tapedUnpool),
	"maximum":             tapedBinary((*autograd.Tape).Max, "other"),
	"mean":                tapedReduce((*autograd.Tape).Mean),
	"minimum":             tapedBinary((*autograd.Tape).Min, "other"),
	"mm":                  tapedBinary(tapedMatMul, "mat2"),
	"mse_loss":            tapedLoss((*autograd.Tape).MSELoss),
	"mul":                 tapedBinary((*autograd.Tape).Mul, "other"),
	"normalize":           taped(tapedNormalize),
	"pad":                 taped(tapedPad),
	"permute":             taped(func(c *onTape) *autograd.Variable { return c.Transpose(c.need("input"), c.attrs.Ints("dims")...) }),
	"pow":                 tapedBinary((*autograd.Tape).Pow, "other"),
	"rms_norm":            taped(tapedRMSNorm),
	"smooth_l1_loss":      taped(tapedSmoothL1),
	"sub":                 tapedBinary((*autograd.Tape).Sub, "other"),
	"sum":                 tapedReduce((*autograd.Tape).Sum),
	"transpose":           taped(tapedTranspose),
}
