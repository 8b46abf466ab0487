package cases

import (
	"math"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// BatchNormCase is one batch normalization with given statistics.
type BatchNormCase struct {
	X            []int
	Scale, Shift bool
	Spread       Spread
	Params       ops.BatchNormParams
	Separate     bool // the activation is a call of its own, which the engine fuses
	Ranged
}

var batchNormRow = Row{
	Name:    "batchnorm",
	New:     func() Case { return &BatchNormCase{} },
	Random:  randomBatchNorm,
	Awkward: awkwardBatchNorm,
	Kernels: []string{"stream"},
}

// channelsOf returns the shape [C] for a channel axis as parameters have it.
func channelsOf(x []int, axis int) []int {
	if axis == 0 {
		axis = 1
	}
	if axis < 0 {
		axis += len(x)
	}
	if axis < 0 || axis >= len(x) {
		return []int{1} // the call reports it
	}
	return []int{x[axis]}
}

func (c *BatchNormCase) geometry() spec.BatchNorm {
	ch := channelsOf(c.X, c.Params.Axis)
	g, err := spec.NewBatchNorm(c.X, ch, ch, optional(ch, c.Scale), optional(ch, c.Shift), c.Params)
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

// Inputs are x, mean, variance, scale and shift. The means lie where x does.
func (c *BatchNormCase) Inputs() []Input {
	ch := channelsOf(c.X, c.Params.Axis)
	std := max(c.Spread.Std, 1e-3)
	return append([]Input{
		{Shape: c.X, Draw: c.Spread.draw(), Range: free},
		{Shape: ch, Draw: Uniform(c.Spread.Mean-std, c.Spread.Mean+std)},
		{Shape: ch, Draw: Uniform(0.01, 3)},
	}, scaleShift(ch, c.Scale, c.Shift)...)
}

// Call normalizes.
func (c *BatchNormCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	return separately(c.Separate, c.Params.Act, func(act spec.Activation) (*ops.Tensor, error) {
		p := c.Params
		p.Act = act
		return ops.BatchNorm(in[0], in[1], in[2], in[3], in[4], p)
	})
}

// Oracle normalizes in float64.
func (c *BatchNormCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	return []Want{normWant(in[0], in[3], in[4], in[1], in[2], &g.Norm, g.Budget(), 0)}
}

// Work counts one read and one write of the tensor.
func (c *BatchNormCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), 2 * bytesOf(c.X)
}

func awkwardBatchNorm() []Case {
	return []Case{
		&BatchNormCase{X: []int{1, 1}},
		&BatchNormCase{X: []int{5, 7}, Scale: true, Shift: true},
		&BatchNormCase{X: []int{2, 25, 13, 11}, Scale: true, Shift: true},
		&BatchNormCase{X: []int{1, 3, 133, 141}, Shift: true, Params: ops.BatchNormParams{Act: spec.Activation{Func: spec.ReLU}}},
		&BatchNormCase{X: []int{2, 8, 6, 6}, Scale: true, Spread: Spread{Mean: 1e4}},
		&BatchNormCase{X: []int{2, 8, 7, 7}, Scale: true, Shift: true, Separate: true, Params: ops.BatchNormParams{Act: spec.Activation{Func: spec.ReLU}}},
		&BatchNormCase{X: []int{1, 5, 6, 6}, Scale: true, Separate: true, Params: ops.BatchNormParams{Act: spec.Activation{Func: spec.SiLU}}},
		&BatchNormCase{X: []int{2, 3, 36, 44}, Shift: true, Separate: true, Params: ops.BatchNormParams{Act: spec.Activation{Func: spec.ReLU}}},
		&BatchNormCase{X: []int{2, 6, 6, 8}, Scale: true, Shift: true, Params: ops.BatchNormParams{Axis: -1, Eps: 1e-6}},
		&BatchNormCase{X: []int{3, 2, 5}, Scale: true, Params: ops.BatchNormParams{Axis: -3}},
		&BatchNormCase{X: []int{1, 2, 3, 2, 2, 5}, Shift: true, Params: ops.BatchNormParams{Eps: -1}},
		&BatchNormCase{X: []int{11}, Params: ops.BatchNormParams{Axis: -1}},
	}
}

func randomBatchNorm(r *rand.Rand) Case {
	c := &BatchNormCase{X: randomImage(r, pick(r, sizes...)), Scale: r.IntN(2) == 0, Shift: r.IntN(2) == 0, Spread: randomSpread(r)}
	c.Params.Eps = randomEps(r)
	switch r.IntN(5) {
	case 0:
		c.X, c.Params.Axis = channelsLast(c.X), -1
	case 1:
		c.Params.Axis = -len(c.X)
	}
	if r.IntN(4) == 0 {
		c.Params.Act = pick(r, smoothActivations...)
		c.Separate = r.IntN(2) == 0
	}
	return c
}

// BatchNormTrainCase is one batch normalization with the statistics of x.
type BatchNormTrainCase struct {
	X                     []int
	Scale, Shift, Running bool
	Spread                Spread
	Params                ops.BatchNormTrainParams
	Ranged
}

var batchNormTrainRow = Row{
	Name:    "batchnorm_train",
	New:     func() Case { return &BatchNormTrainCase{} },
	Random:  randomBatchNormTrain,
	Awkward: awkwardBatchNormTrain,
	Kernels: normKernels,
}

func (c *BatchNormTrainCase) geometry() spec.BatchNorm {
	ch := channelsOf(c.X, c.Params.Axis)
	old := optional(ch, c.Running)
	g, err := spec.NewBatchNormTrain(c.X, optional(ch, c.Scale), optional(ch, c.Shift), old, old, c.Params)
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

// Inputs are x, scale, shift, running mean and running variance.
func (c *BatchNormTrainCase) Inputs() []Input {
	ch := channelsOf(c.X, c.Params.Axis)
	in := append([]Input{{Shape: c.X, Draw: c.Spread.draw(), Range: c.Spread.freedom(c.Params.Eps)}}, scaleShift(ch, c.Scale, c.Shift)...)
	return append(in, Input{Shape: optional(ch, c.Running)}, Input{Shape: optional(ch, c.Running), Draw: Uniform(0.1, 2)})
}

// Call normalizes.
func (c *BatchNormTrainCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	r, err := ops.BatchNormTrain(in[0], in[1], in[2], in[3], in[4], c.Params)
	if err != nil {
		return nil, err
	}
	return resultTensors(r), nil
}

// resultTensors lists what a result holds.
func resultTensors(r *ops.BatchNormResult) []*ops.Tensor {
	ts := []*ops.Tensor{r.Y, r.Mean, r.Var, r.InvStd}
	if r.RunningMean != nil {
		ts = append(ts, r.RunningMean, r.RunningVar)
	}
	return ts
}

// Oracle normalizes in float64.
func (c *BatchNormTrainCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	mean, variance := cpuref.Moments(in[0], &g.Norm)
	m, v, inv := statWants(mean, variance, &g.Norm, []int{g.Channels()})
	wants := []Want{normWant(in[0], in[1], in[2], mean, variance, &g.Norm, g.Budget(), 1), m, v, inv}
	if g.Running {
		unbias := 1.0
		if !g.Biased {
			unbias = g.Unbiased()
		}
		std, sample, none := make([]float64, len(mean)), make([]float64, len(mean)), make([]float64, len(mean))
		for i := range mean {
			std[i], sample[i] = math.Sqrt(variance[i]), variance[i]*unbias
		}
		wants = append(wants, runningWant(in[3], mean, std, g.Momentum, &g.Norm), runningWant(in[4], sample, none, g.Momentum, &g.Norm))
	}
	return wants
}

// Work counts one read and one write of the tensor.
func (c *BatchNormTrainCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), 2 * bytesOf(c.X)
}

func awkwardBatchNormTrain() []Case {
	return []Case{
		&BatchNormTrainCase{X: []int{1, 3}, Running: true, Params: ops.BatchNormTrainParams{Biased: true}},
		&BatchNormTrainCase{X: []int{5, 7}, Scale: true, Shift: true, Running: true},
		&BatchNormTrainCase{X: []int{301, 8}, Scale: true, Running: true, Spread: Spread{Mean: 1e4}, Params: ops.BatchNormTrainParams{Momentum: -1}},
		&BatchNormTrainCase{X: []int{2, 25, 13, 11}, Scale: true, Shift: true, Running: true, Params: ops.BatchNormTrainParams{Momentum: 0.3, Eps: 1e-3}},
		&BatchNormTrainCase{X: []int{3, 2, 133, 141}, Shift: true, Spread: Spread{Mean: 1e4}, Params: ops.BatchNormTrainParams{Act: spec.Activation{Func: spec.ReLU}}},
		&BatchNormTrainCase{X: []int{5, 3, 64, 64}, Scale: true, Running: true, Spread: Spread{Mean: -1e4}, Params: ops.BatchNormTrainParams{Count: 4}},
		&BatchNormTrainCase{X: []int{2, 16, 17, 8}, Scale: true, Shift: true, Running: true, Params: ops.BatchNormTrainParams{Axis: -1, Biased: true, Momentum: 1}},
		&BatchNormTrainCase{X: []int{3, 2, 5, 4, 4}, Running: true, Params: ops.BatchNormTrainParams{Axis: -5}},
		&BatchNormTrainCase{X: []int{1, 2, 1, 3}, Spread: Spread{Std: 1e-3}, Params: ops.BatchNormTrainParams{Eps: -1}},
		&BatchNormTrainCase{X: []int{1, 2, 1}, Params: ops.BatchNormTrainParams{Eps: -1}},
		&BatchNormTrainCase{X: []int{31, 16, 31, 5, 5}, Spread: Spread{First: 1e6}, Params: ops.BatchNormTrainParams{Axis: -1}}, // a first chunk far from the rest
	}
}

func randomBatchNormTrain(r *rand.Rand) Case {
	c := &BatchNormTrainCase{
		X: randomImage(r, pick(r, sizes...)), Scale: r.IntN(2) == 0, Shift: r.IntN(2) == 0,
		Running: r.IntN(2) == 0, Spread: randomSpread(r),
	}
	c.Params.Eps = randomEps(r)
	switch r.IntN(5) {
	case 0:
		c.X, c.Params.Axis = channelsLast(c.X), -1
	case 1:
		c.Params.Axis = -len(c.X)
	}
	if r.IntN(2) == 0 {
		c.Params.Momentum = pick[float32](r, 0.3, 0.5, 1, -1)
	} else {
		c.Params.Count = r.IntN(5)
	}
	// A single value per channel has no sample variance.
	c.Params.Biased = r.IntN(3) == 0 || spec.Count(c.X) == channelsOf(c.X, c.Params.Axis)[0]
	if r.IntN(4) == 0 {
		c.Params.Act = pick(r, smoothActivations...)
	}
	return c
}
