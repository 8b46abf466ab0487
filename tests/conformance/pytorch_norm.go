package conformance

import "github.com/kansu-dev/kansu/ops"

// torchBatchNorm returns the running statistics too, which only training
// changes. A momentum of null is the plain average over all batches, of which
// this is the first.
func torchBatchNorm(c *call) []*Value {
	x, w, b, mean, variance := c.param("input"), c.optParam("weight"), c.optParam("bias"), c.optParam("running_mean"), c.optParam("running_var")
	eps := c.epsilon("eps")
	if !c.attrs.Bool("training", false) {
		y := c.do(ops.BatchNorm(x, mean, variance, w, b, ops.BatchNormParams{Eps: eps}))
		return []*Value{named("output", y), named("running_mean", mean), named("running_var", variance)}
	}
	p := ops.BatchNormTrainParams{Eps: eps, Momentum: exactly(c.attrs.F32("momentum", 0.1))}
	if string(c.attrs["momentum"]) == "null" {
		p.Momentum, p.Count = 0, 1
	}
	return c.trained(ops.BatchNormTrain(x, w, b, mean, variance, p))
}

func (c *call) trained(r *ops.BatchNormResult, err error) []*Value {
	if err != nil {
		panic(wrong{err})
	}
	out := output(c.do(r.Y, nil))
	for _, t := range []*ops.Tensor{r.Mean, r.Var, r.InvStd} {
		c.do(t, nil)
	}
	if r.RunningMean != nil {
		out = append(out, named("running_mean", c.do(r.RunningMean, nil)), named("running_var", c.do(r.RunningVar, nil)))
	}
	return out
}

func torchLayerNorm(c *call) []*Value {
	return output(c.do(ops.LayerNorm(c.param("input"), c.optParam("weight"), c.optParam("bias"),
		ops.LayerNormParams{Shape: c.attrs.Ints("normalized_shape"), Eps: c.epsilon("eps")})))
}

// torchInstanceNorm takes the instances' statistics unless use_input_stats is
// off, and updates the running ones where they are given.
func torchInstanceNorm(c *call) []*Value {
	x, w, b, mean, variance := c.param("input"), c.optParam("weight"), c.optParam("bias"), c.optParam("running_mean"), c.optParam("running_var")
	eps := c.epsilon("eps")
	switch {
	case !c.attrs.Bool("use_input_stats", true):
		y := c.do(ops.BatchNorm(x, mean, variance, w, b, ops.BatchNormParams{Eps: eps}))
		return []*Value{named("output", y), named("running_mean", mean), named("running_var", variance)}
	case mean == nil:
		return output(c.do(ops.InstanceNorm(x, w, b, ops.InstanceNormParams{Eps: eps})))
	}
	return c.trained(ops.InstanceNormTrain(x, w, b, mean, variance,
		ops.InstanceNormTrainParams{Eps: eps, Momentum: exactly(c.attrs.F32("momentum", 0.1))}))
}

func torchGroupNorm(c *call) []*Value {
	return output(c.do(ops.GroupNorm(c.param("input"), c.optParam("weight"), c.optParam("bias"),
		ops.GroupNormParams{Groups: c.attrs.Int("num_groups", 1), Eps: c.epsilon("eps")})))
}

// torchAlong is a function along the axis dim.
func torchAlong(f func(x *ops.Tensor, axis int) (*ops.Tensor, error)) operator {
	return func(c *call) []*Value { return output(c.do(f(c.param("input"), c.attrs.Int("dim", -1)))) }
}

func torchLinear(c *call) []*Value {
	return output(c.do(ops.Linear(c.param("input"), c.param("weight"), c.optParam("bias"), ops.LinearParams{})))
}
