package cases

import (
	"math"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// SGDCase is one step of stochastic gradient descent.
type SGDCase struct {
	P      []int
	Scaled bool
	Params ops.SGDParams
	Ranged
}

var sgdRow = Row{
	Name: "sgd",
	New:  func() Case { return &SGDCase{} },
	Random: func(r *rand.Rand) Case {
		c := &SGDCase{P: []int{pick(r, sizes...), pick(r, sizes...)}, Scaled: r.IntN(2) == 0}
		c.Params = ops.SGDParams{LR: pick(r, 0.1, 1e-3), Momentum: pick(r, 0, 0.9), WeightDecay: pick(r, 0, 0.01), First: r.IntN(2) == 0}
		c.Params.Nesterov = c.Params.Momentum > 0 && r.IntN(2) == 0
		if c.Params.Momentum > 0 && !c.Params.Nesterov {
			c.Params.Dampening = pick(r, 0, 0.1)
		}
		return c
	},
	Awkward: func() []Case { return []Case{&SGDCase{P: []int{1}, Params: ops.SGDParams{LR: 1}}} },
	Kernels: []string{"vec4"},
}

func single(present bool) []int {
	if present {
		return []int{1}
	}
	return nil
}

// Inputs are the parameter, its gradient, the scale and the momentum buffer.
func (c *SGDCase) Inputs() []Input {
	var m []int
	if c.Params.Momentum != 0 && !c.Params.First {
		m = c.P
	}
	return []Input{{Shape: c.P}, {Shape: c.P}, {Shape: single(c.Scaled)}, {Shape: m}}
}

// Call makes the step.
func (c *SGDCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	p, m, err := ops.SGDStep(in[0], in[1], in[3], in[2], c.Params)
	if m == nil {
		return []*ops.Tensor{p}, err
	}
	return []*ops.Tensor{p, m}, err
}

// Oracle makes the step in float64.
func (c *SGDCase) Oracle(in [][]float64) []Want {
	n := spec.Count(c.P)
	o := c.Params
	o.First = in[3] == nil
	p, m := make([]float64, n), make([]float64, n)
	cpuref.SGD(p, m, in[0], in[1], in[3], in[2], o)
	mp, mm := make([]float64, n), make([]float64, n)
	o.LR = -o.LR // so that every term adds
	cpuref.SGD(mp, mm, abs(in[0]), abs(in[1]), abs(in[3]), abs(in[2]), o)
	want := []Want{{Shape: c.P, Value: p, Magnitude: mp, Budget: spec.OptimBudget()}}
	if o.Momentum != 0 {
		want = append(want, Want{Shape: c.P, Value: m, Magnitude: mm, Budget: spec.OptimBudget()})
	}
	return want
}

// Work counts the bytes of parameter, gradient and, with momentum, state.
func (c *SGDCase) Work() (flops, bytes float64) {
	flops, bytes = 2*float64(spec.Count(c.P)), bytesOf(c.P, c.P, c.P)
	if c.Params.Momentum != 0 {
		flops, bytes = 3*flops, bytes+bytesOf(c.P, c.Inputs()[3].Shape)
	}
	return flops, bytes
}

// AdamCase is one step of Adam or AdamW.
type AdamCase struct {
	P      []int
	Scaled bool
	Params ops.AdamParams
	Ranged
}

var adamRow = Row{
	Name: "adam",
	New:  func() Case { return &AdamCase{} },
	Random: func(r *rand.Rand) Case {
		c := &AdamCase{P: []int{pick(r, sizes...), pick(r, sizes...)}, Scaled: r.IntN(2) == 0, Params: spec.DefaultAdam()}
		c.Params.WeightDecay, c.Params.Decoupled, c.Params.Step = pick(r, 0, 0.01), r.IntN(2) == 0, pick(r, 1, 2, 100, 100000)
		return c
	},
	Awkward: func() []Case {
		p := spec.DefaultAdam()
		p.Step = 1
		return []Case{&AdamCase{P: []int{1}, Params: p}}
	},
	Kernels: []string{"vec4"},
}

// Inputs are the parameter, its gradient, the scale and the two moments.
func (c *AdamCase) Inputs() []Input {
	return []Input{{Shape: c.P}, {Shape: c.P}, {Shape: single(c.Scaled), Range: fixed}, {Shape: c.P}, {Shape: c.P, Draw: Uniform(0, 2)}}
}

// Call makes the step.
func (c *AdamCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	p, m, v, err := ops.AdamStep(in[0], in[1], in[3], in[4], in[2], c.Params)
	return []*ops.Tensor{p, m, v}, err
}

// Oracle makes the step in float64.
func (c *AdamCase) Oracle(in [][]float64) []Want {
	n := spec.Count(c.P)
	p, m, v := make([]float64, n), make([]float64, n), make([]float64, n)
	cpuref.Adam(p, m, v, in[0], in[1], in[3], in[4], in[2], c.Params)
	mp, mm, mv := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		// The terms of m', v' and p' with all signs alike.
		scale := 1.0
		if in[2] != nil {
			scale = math.Abs(in[2][0])
		}
		g := scale*math.Abs(in[1][i]) + c.Params.WeightDecay*math.Abs(in[0][i])
		mm[i] = math.Abs(in[3][i]) + g
		mv[i] = v[i] + (1-c.Params.Beta2)*g*g
		// A relative error of v' where decay and gradient cancel moves the root.
		mp[i] = math.Abs(in[0][i]) + c.Params.StepSize()*mm[i]/(math.Sqrt(v[i])/c.Params.RootBias()+c.Params.Eps)*(1+mv[i]/(v[i]+1e-30))
	}
	b := spec.OptimBudget()
	return []Want{
		{Shape: c.P, Value: p, Magnitude: mp, Budget: b},
		{Shape: c.P, Value: m, Magnitude: mm, Budget: b},
		{Shape: c.P, Value: v, Magnitude: mv, Budget: b},
	}
}

// Work counts the bytes of parameter, gradient and state.
func (c *AdamCase) Work() (flops, bytes float64) {
	return 14 * float64(spec.Count(c.P)), bytesOf(c.P, c.P, c.P, c.P, c.P, c.P, c.P)
}
