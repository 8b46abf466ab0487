package cases

import (
	"fmt"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// ReduceGradCase is the gradient of one greatest or least value over axes.
type ReduceGradCase struct {
	ReduceCase
	Ties bool // few different values, so that several are the greatest
}

var reduceGradRow = Row{
	Name: "reduce_grad",
	New:  func() Case { return &ReduceGradCase{} },
	Random: func(r *rand.Rand) Case {
		c := &ReduceGradCase{ReduceCase: *randomReduce(r).(*ReduceCase), Ties: r.IntN(2) == 0}
		c.Func = pick(r, "max", "min")
		c.Special = c.Special && !c.Ties
		return c
	},
	Awkward: func() []Case {
		axes := func(a ...int) ops.ReduceParams { return ops.ReduceParams{Axes: a} }
		return []Case{
			&ReduceGradCase{ReduceCase: ReduceCase{Func: "max", X: []int{}}},
			&ReduceGradCase{ReduceCase: ReduceCase{Func: "min", X: []int{70001}}, Ties: true}, // more rounds than llvmpipe makes of a loop
			&ReduceGradCase{ReduceCase: ReduceCase{Func: "max", X: []int{70001, 2}, Params: axes(0)}},
			&ReduceGradCase{ReduceCase: ReduceCase{Func: "max", X: []int{5, 6, 7}, Params: axes(0, 2), Special: true}},
			&ReduceGradCase{ReduceCase: ReduceCase{Func: "max", X: []int{40, 36}, Params: axes(0), Special: true}},
			&ReduceGradCase{ReduceCase: ReduceCase{Func: "min", X: []int{40, 36}, Params: axes(1), Special: true}},
			&ReduceGradCase{ReduceCase: ReduceCase{Func: "max", X: []int{40036}}, Ties: true}, // a row in several pieces
			&ReduceGradCase{ReduceCase: ReduceCase{Func: "min", X: []int{2, 3, 40, 28}, Params: axes(0, 2, 3)}, Ties: true},
			&ReduceGradCase{ReduceCase: ReduceCase{Func: "max", X: []int{3, 2, 5, 8}, Params: axes(0, 2)}, Ties: true},
			&ReduceGradCase{ReduceCase: ReduceCase{Func: "max", X: []int{3, 200001}, Params: axes(1)}, Ties: true}, // in pieces
			&ReduceGradCase{ReduceCase: ReduceCase{Func: "min", X: []int{70, 41}, Params: axes(1), Special: true}},
			&ReduceGradCase{ReduceCase: ReduceCase{Func: "max", X: []int{3, 5, 601}, Params: axes(1), Special: true}}, // columns in blocks
			&ReduceGradCase{ReduceCase: ReduceCase{Func: "min", X: []int{40, 3, 601}, Params: axes(0)}, Ties: true},
			&ReduceGradCase{ReduceCase: ReduceCase{Func: "min", X: []int{2, 3, 2, 3, 2, 3, 2, 3}, Params: axes(0, 2, 4, 6)}, Ties: true},
		}
	},
	Kernels: []string{"rows", "columns", "naive"},
}

// Inputs are dy and x.
func (c *ReduceGradCase) Inputs() []Input {
	g := c.geometry()
	x := c.ReduceCase.Inputs()[0]
	if c.Ties {
		x = Input{Shape: c.X, Draw: func(r *rand.Rand) float32 { return float32(r.IntN(5) - 2) }}
	}
	return []Input{{Shape: g.OutShape()}, x}
}

// Call reduces, and computes the gradient.
func (c *ReduceGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) { return callBackward(c, in) }

// Save reduces.
func (c *ReduceGradCase) Save(in []*ops.Tensor) ([]*ops.Tensor, error) {
	if c.Func != "max" && c.Func != "min" {
		return nil, fmt.Errorf("%q has no gradient of its own", c.Func)
	}
	return c.ReduceCase.Call(in[1:])
}

// Gradient makes the gradient's own call.
func (c *ReduceGradCase) Gradient(in, saved []*ops.Tensor) ([]*ops.Tensor, error) {
	grad := ops.AmaxGrad
	if c.Func == "min" {
		grad = ops.AminGrad
	}
	dx, err := grad(in[0], in[1], saved[0], c.Params)
	return []*ops.Tensor{dx}, err
}

// Oracle computes it in float64.
func (c *ReduceGradCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	y, dx := make([]float64, g.Outputs()), make([]float64, count(c.X))
	cpuref.Reduce(y, in[1], g)
	cpuref.ReduceGrad(dx, in[0], in[1], y, g)
	return []Want{{Shape: c.X, Value: dx, Budget: spec.ReduceGradBudget()}}
}

// Loss is sum(dy * f(x)).
func (c *ReduceGradCase) Loss(in [][]float64) float64 {
	g := c.geometry()
	y := make([]float64, g.Outputs())
	cpuref.Reduce(y, in[1], g)
	return dot(in[0], y)
}

// Wrt names x, but for values that are equal: there is a kink where a convention
// rules.
func (c *ReduceGradCase) Wrt() []int {
	if c.Ties {
		return nil
	}
	return []int{1}
}

// Work counts x and dy read and dx written; what was chosen is small beside them.
func (c *ReduceGradCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return float64(count(c.X)), bytesOf(c.X, c.X, g.OutShape(), g.OutShape())
}
