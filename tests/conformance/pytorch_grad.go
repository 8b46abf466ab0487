package conformance

import "github.com/kansu-dev/kansu/ops"

// gradient computes the gradients of an operator's inputs, named grad_input and
// so on, for the gradient dy of its output.
type gradient func(c *call, dy *ops.Tensor) []*Value

// differentiated adds gradients to operators where a case has grad_output.
func differentiated(operators map[string]operator, gradients map[string]gradient) map[string]operator {
	for name, g := range gradients {
		f := operators[name]
		operators[name] = func(c *call) []*Value {
			out := f(c)
			if dy := c.optParam("grad_output"); dy != nil {
				out = append(out, g(c, dy)...)
			}
			return out
		}
	}
	return operators
}

var pytorchGradients = map[string]gradient{
	"adaptive_avg_pool1d": torchAdaptiveAvgPoolGrad,
	"adaptive_avg_pool2d": torchAdaptiveAvgPoolGrad,
	"adaptive_avg_pool3d": torchAdaptiveAvgPoolGrad,
	"adaptive_max_pool1d": torchAdaptiveMaxPoolGrad,
	"adaptive_max_pool2d": torchAdaptiveMaxPoolGrad,
	"adaptive_max_pool3d": torchAdaptiveMaxPoolGrad,
	"avg_pool1d":          torchAvgPoolGrad,
	"avg_pool2d":          torchAvgPoolGrad,
	"avg_pool3d":          torchAvgPoolGrad,
	"batch_norm":          torchBatchNormGrad,
	"conv1d":              torchConvGrad,
	"conv2d":              torchConvGrad,
	"conv3d":              torchConvGrad,
	"conv_transpose1d":    torchConvTransposeGrad,
	"conv_transpose2d":    torchConvTransposeGrad,
	"conv_transpose3d":    torchConvTransposeGrad,
	"group_norm":          torchGroupNormGrad,
	"instance_norm":       torchInstanceNormGrad,
	"layer_norm":          torchLayerNormGrad,
	"linear":              torchLinearGrad,
	"log_softmax":         torchAlongGrad(ops.LogSoftmax, ops.LogSoftmaxGrad),
	"max_pool1d":          torchMaxPoolGrad,
	"max_pool2d":          torchMaxPoolGrad,
	"max_pool3d":          torchMaxPoolGrad,
	"prelu":               torchPReLUGrad,
	"softmax":             torchAlongGrad(ops.Softmax, ops.SoftmaxGrad),
}

// gradInput is the result of a function whose only gradient is that of its input.
func gradInput(t *ops.Tensor) []*Value { return []*Value{named("grad_input", t)} }

// threeGrads names the gradients of input, weight and bias. A bias without a
// weight has its gradient by way of a weight of ones.
func (c *call) threeGrads(grad func(weight *ops.Tensor) (dx, dw, db *ops.Tensor, err error)) []*Value {
	weight, bias := c.optParam("weight"), c.optParam("bias")
	if weight == nil && bias != nil {
		weight = c.filled(1, bias.Shape()...)
	}
	dx, dw, db, err := grad(weight)
	out := gradInput(c.do(dx, err))
	if dw != nil {
		out = append(out, named("grad_weight", c.do(dw, nil)), named("grad_bias", c.do(db, nil)))
	}
	return out
}

// weightGrads names the gradients of input and weight, and sums dy for that of
// the bias, where there is one, over the given axes.
func (c *call) weightGrads(dx, dw, dy *ops.Tensor, axes []int) []*Value {
	out := append(gradInput(dx), named("grad_weight", dw))
	if c.optParam("bias") != nil {
		out = append(out, named("grad_bias", c.do(ops.Sum(dy, ops.ReduceParams{Axes: axes}))))
	}
	return out
}

// allButChannels returns the axes of [N, C, spatial...] without C.
func allButChannels(rank int) []int {
	axes := []int{0}
	for i := 2; i < rank; i++ {
		axes = append(axes, i)
	}
	return axes
}

func torchConvGrad(c *call, dy *ops.Tensor) []*Value {
	x, w, p := c.param("input"), c.param("weight"), c.torchConv()
	dx := c.do(ops.ConvGradInput(dy, w, x.Shape(), p))
	dw := c.do(ops.ConvGradWeight(dy, x, w.Shape(), p))
	return c.weightGrads(dx, dw, dy, allButChannels(dy.Rank()))
}

func torchConvTransposeGrad(c *call, dy *ops.Tensor) []*Value {
	x, w, p := c.param("input"), c.param("weight"), c.torchConvTranspose()
	dx := c.do(ops.ConvTransposeGradInput(dy, w, x.Shape(), p))
	dw := c.do(ops.ConvTransposeGradWeight(dy, x, w.Shape(), p))
	return c.weightGrads(dx, dw, dy, allButChannels(dy.Rank()))
}

// torchLinearGrad: dx = dy*w and dw = dy^T*x, with all but the last axes of x and
// dy taken as one.
func torchLinearGrad(c *call, dy *ops.Tensor) []*Value {
	x, w := c.param("input"), c.param("weight")
	dx := c.do(ops.MatMul(dy, w, ops.MatMulParams{}))
	out, in := w.Shape()[0], w.Shape()[1]
	rows := x.Len() / in
	flat := c.reshape(dy, rows, out)
	dw := c.do(ops.MatMul(flat, c.reshape(x, rows, in), ops.MatMulParams{TransA: true}))
	return c.weightGrads(dx, dw, flat, []int{0})
}

func torchPReLUGrad(c *call, dy *ops.Tensor) []*Value {
	dx, dw, err := ops.PReLUGrad(dy, c.param("input"), c.param("weight"))
	return []*Value{named("grad_input", c.do(dx, err)), named("grad_weight", c.do(dw, err))}
}

// torchAlongGrad is the gradient of a function along the axis dim, from its output.
func torchAlongGrad(f func(x *ops.Tensor, axis int) (*ops.Tensor, error), grad func(dy, y *ops.Tensor, axis int) (*ops.Tensor, error)) gradient {
	return func(c *call, dy *ops.Tensor) []*Value {
		dim := c.attrs.Int("dim", -1)
		return gradInput(c.do(grad(dy, c.do(f(c.param("input"), dim)), dim)))
	}
}

func torchMaxPoolGrad(c *call, dy *ops.Tensor) []*Value {
	x := c.param("input")
	_, idx := c.do2(ops.MaxPoolIndices(x, c.torchPool()))
	return gradInput(c.do(ops.MaxPoolGrad(dy, idx, x.Shape(), c.torchPool())))
}

func torchAvgPoolGrad(c *call, dy *ops.Tensor) []*Value {
	return gradInput(c.do(ops.AvgPoolGrad(dy, c.param("input").Shape(), c.torchAverage())))
}

func torchAdaptiveAvgPoolGrad(c *call, dy *ops.Tensor) []*Value {
	return gradInput(c.do(ops.AdaptiveAvgPoolGrad(dy, c.param("input").Shape())))
}

func torchAdaptiveMaxPoolGrad(c *call, dy *ops.Tensor) []*Value {
	x := c.param("input")
	_, idx := c.do2(ops.AdaptiveMaxPoolIndices(x, c.outputSize()...))
	return gradInput(c.do(ops.AdaptiveMaxPoolGrad(dy, idx, x.Shape())))
}

func torchBatchNormGrad(c *call, dy *ops.Tensor) []*Value {
	x, eps := c.param("input"), c.epsilon("eps")
	if !c.attrs.Bool("training", false) {
		return c.givenGrads(dy, x, eps)
	}
	p := ops.BatchNormTrainParams{Eps: eps}
	r, err := ops.BatchNormTrain(x, nil, nil, nil, nil, p)
	if err != nil {
		panic(wrong{err})
	}
	defer r.Release()
	return c.threeGrads(func(w *ops.Tensor) (dx, dw, db *ops.Tensor, err error) {
		return ops.BatchNormTrainGrad(dy, x, w, r.Mean, r.InvStd, p)
	})
}

// givenGrads are the gradients of a normalization by running statistics.
func (c *call) givenGrads(dy, x *ops.Tensor, eps float32) []*Value {
	return c.threeGrads(func(w *ops.Tensor) (dx, dw, db *ops.Tensor, err error) {
		return ops.BatchNormGrad(dy, x, c.param("running_mean"), c.param("running_var"), w, ops.BatchNormParams{Eps: eps})
	})
}

func torchLayerNormGrad(c *call, dy *ops.Tensor) []*Value {
	return c.threeGrads(func(w *ops.Tensor) (dx, dw, db *ops.Tensor, err error) {
		return ops.LayerNormGrad(dy, c.param("input"), w, ops.LayerNormParams{Shape: c.attrs.Ints("normalized_shape"), Eps: c.epsilon("eps")})
	})
}

func torchGroupNormGrad(c *call, dy *ops.Tensor) []*Value {
	return c.threeGrads(func(w *ops.Tensor) (dx, dw, db *ops.Tensor, err error) {
		return ops.GroupNormGrad(dy, c.param("input"), w, ops.GroupNormParams{Groups: c.attrs.Int("num_groups", 1), Eps: c.epsilon("eps")})
	})
}

func torchInstanceNormGrad(c *call, dy *ops.Tensor) []*Value {
	x, eps := c.param("input"), c.epsilon("eps")
	if !c.attrs.Bool("use_input_stats", true) {
		return c.givenGrads(dy, x, eps)
	}
	return c.threeGrads(func(w *ops.Tensor) (dx, dw, db *ops.Tensor, err error) {
		return ops.InstanceNormGrad(dy, x, w, ops.InstanceNormParams{Eps: eps})
	})
}
