package cases

import (
	"math"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// InstanceNormCase is one instance normalization; with Train it returns the
// statistics too, with Running it updates the running ones.
type InstanceNormCase struct {
	X                            []int
	Scale, Shift, Train, Running bool
	Spread                       Spread
	Params                       ops.InstanceNormTrainParams
	Ranged
}

var instanceNormRow = Row{
	Name:    "instancenorm",
	New:     func() Case { return &InstanceNormCase{} },
	Random:  randomInstanceNorm,
	Awkward: awkwardInstanceNorm,
	Kernels: normKernels,
}

func (c *InstanceNormCase) geometry() spec.InstanceNorm {
	ch := channelsOf(c.X, c.Params.Axis)
	old := optional(ch, c.Running)
	g, err := spec.NewInstanceNormTrain(c.X, optional(ch, c.Scale), optional(ch, c.Shift), old, old, c.Params)
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

// Inputs are x, scale, shift, running mean and running variance.
func (c *InstanceNormCase) Inputs() []Input {
	ch := channelsOf(c.X, c.Params.Axis)
	in := append([]Input{{Shape: c.X, Draw: c.Spread.draw(), Range: c.Spread.freedom(c.Params.Eps)}}, scaleShift(ch, c.Scale, c.Shift)...)
	return append(in, Input{Shape: optional(ch, c.Running)}, Input{Shape: optional(ch, c.Running), Draw: Uniform(0.1, 2)})
}

// Call normalizes.
func (c *InstanceNormCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	if !c.Train && !c.Running {
		y, err := ops.InstanceNorm(in[0], in[1], in[2], ops.InstanceNormParams{Eps: c.Params.Eps, Axis: c.Params.Axis, Act: c.Params.Act})
		return []*ops.Tensor{y}, err
	}
	r, err := ops.InstanceNormTrain(in[0], in[1], in[2], in[3], in[4], c.Params)
	if err != nil {
		return nil, err
	}
	return resultTensors(r), nil
}

// Oracle normalizes in float64.
func (c *InstanceNormCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	mean, variance := cpuref.Moments(in[0], &g.Norm)
	wants := []Want{normWant(in[0], in[1], in[2], mean, variance, &g.Norm, g.Budget(), 1)}
	if !c.Train && !c.Running {
		return wants
	}
	m, v, inv := statWants(mean, variance, &g.Norm, g.StatShape())
	wants = append(wants, m, v, inv)
	if c.Running {
		unbias := 1.0
		if !g.Biased {
			unbias = g.Unbiased()
		}
		// The average over the batch rounds to the largest of the means.
		avg, sample, slack, none := make([]float64, g.C), make([]float64, g.C), make([]float64, g.C), make([]float64, g.C)
		for i := range mean {
			c := i % g.C
			avg[c] += mean[i] / float64(g.N)
			sample[c] += variance[i] / float64(g.N) * unbias
			slack[c] = math.Max(slack[c], math.Sqrt(variance[i])+math.Abs(mean[i]))
		}
		wants = append(wants, runningWant(in[3], avg, slack, g.Momentum, &g.Norm), runningWant(in[4], sample, none, g.Momentum, &g.Norm))
	}
	return wants
}

// Work counts one read and one write of the tensor.
func (c *InstanceNormCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), 2 * bytesOf(c.X)
}

func awkwardInstanceNorm() []Case {
	return []Case{
		&InstanceNormCase{X: []int{2, 3, 1}},
		&InstanceNormCase{X: []int{1, 2, 1, 3}, Scale: true, Shift: true},
		&InstanceNormCase{X: []int{2, 3, 45, 47}, Scale: true, Shift: true, Train: true, Spread: Spread{Mean: 1e4}},
		&InstanceNormCase{X: []int{3, 5, 12, 12}, Scale: true, Running: true, Params: ops.InstanceNormTrainParams{Momentum: 0.3}},
		&InstanceNormCase{X: []int{1, 7, 6, 4, 50}, Shift: true, Params: ops.InstanceNormTrainParams{Act: spec.Activation{Func: spec.SiLU}}},
		&InstanceNormCase{X: []int{2, 9, 9, 8}, Scale: true, Shift: true, Train: true, Params: ops.InstanceNormTrainParams{Axis: -1}},
		&InstanceNormCase{X: []int{1, 2, 120, 136}, Scale: true, Spread: Spread{Mean: -1e4}},
		&InstanceNormCase{X: []int{2, 2, 2, 2}, Spread: Spread{Std: 1e-6}, Params: ops.InstanceNormTrainParams{Eps: -1}},
		&InstanceNormCase{X: []int{2, 3, 4, 4}, Running: true, Params: ops.InstanceNormTrainParams{Count: 2, Biased: true}},
	}
}

func randomInstanceNorm(r *rand.Rand) Case {
	c := &InstanceNormCase{
		X: randomImage(r, pick(r, sizes...)), Scale: r.IntN(2) == 0, Shift: r.IntN(2) == 0,
		Train: r.IntN(3) == 0, Running: r.IntN(3) == 0, Spread: randomSpread(r),
	}
	c.Params.Eps = randomEps(r)
	c.Params.Biased = spec.Count(c.X[2:]) == 1 // no sample variance of one value
	if r.IntN(4) == 0 {
		c.X, c.Params.Axis = channelsLast(c.X), -1
	}
	if r.IntN(2) == 0 {
		c.Params.Momentum = pick[float32](r, 0.3, 0.5, 1, -1)
	} else {
		c.Params.Count = r.IntN(5)
	}
	if r.IntN(4) == 0 {
		c.Params.Act = pick(r, smoothActivations...)
	}
	return c
}
