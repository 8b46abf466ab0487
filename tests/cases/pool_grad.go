package cases

import (
	"math"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// PoolGradCase is the gradient of one pooling.
type PoolGradCase struct{ PoolCase }

func poolGradRow(kind spec.PoolKind) Row {
	name := kind.String()
	return Row{
		Name:   name + "pool_grad",
		New:    func() Case { return &PoolGradCase{PoolCase{Kind: name}} },
		Random: func(r *rand.Rand) Case { return gradOfPool(r, randomPool(r, kind)) },
		Awkward: func() []Case {
			var all []Case
			r := rand.New(rand.NewPCG(1, 1))
			for _, c := range awkwardPool(kind) {
				if p := c.(*PoolCase); count(p.X) < 60000 {
					all = append(all, gradOfPool(r, p))
				}
			}
			if kind == spec.PoolLp { // what is NaN in one window stays out of those beside it
				for _, p := range []spec.PoolParams{{Kernel: []int{1, 4}, Stride: []int{1, 3}}, {Kernel: []int{3}, Stride: []int{2}}, {Kernel: []int{2}}} {
					for _, norm := range []float32{2, 2.5} {
						all = append(all, &PoolGradCase{PoolCase{Kind: name, X: []int{3, 2, 9, 15}, Norm: norm, Values: "nan", Params: p}})
					}
				}
			}
			return all
		},
		Kernels: []string{"tile", "block", "rows", "scatter", "gather"},
	}
}

var (
	maxPoolGradRow = poolGradRow(spec.PoolMax)
	avgPoolGradRow = poolGradRow(spec.PoolAvg)
	lpPoolGradRow  = poolGradRow(spec.PoolLp)
)

// gradOfPool makes a pooling one whose gradient is defined: distinct values for
// a maximum, positive ones for a norm.
func gradOfPool(r *rand.Rand, c Case) Case {
	g := PoolGradCase{*c.(*PoolCase)}
	g.Values, g.Indices = "", g.Kind == "max"
	if g.Kind == "lp" {
		g.Values, g.Global, g.Adaptive = "positive", false, nil
		g.Norm = pick(r, float32(1), 2, 3, 2.5)
		if len(g.Params.Kernel) == 0 {
			g.Params.Kernel = []int{1}
		}
	}
	if g.Kind == "max" && g.Global { // its indices come from the adaptive form
		g.Global, g.Adaptive = false, []int{1}
	}
	return &g
}

// Inputs are dy and x.
func (c *PoolGradCase) Inputs() []Input {
	g := c.geometry()
	return append([]Input{{Shape: g.OutShape()}}, c.PoolCase.Inputs()...)
}

// Call makes the forward call where the gradient takes its results, and then
// the gradient's.
func (c *PoolGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) { return callBackward(c, in) }

// Save returns the results of max and Lp pooling.
func (c *PoolGradCase) Save(in []*ops.Tensor) ([]*ops.Tensor, error) {
	if c.Kind == "avg" {
		return nil, nil
	}
	return c.PoolCase.Call(in[1:])
}

// Gradient makes the gradient's call.
func (c *PoolGradCase) Gradient(in, out []*ops.Tensor) ([]*ops.Tensor, error) {
	var dx *ops.Tensor
	var err error
	switch {
	case c.Kind == "avg" && c.Global:
		dx, err = ops.GlobalAvgPoolGrad(in[0], c.X)
	case c.Kind == "avg" && len(c.Adaptive) > 0:
		dx, err = ops.AdaptiveAvgPoolGrad(in[0], c.X)
	case c.Kind == "avg":
		dx, err = ops.AvgPoolGrad(in[0], c.X, c.Params)
	case c.Kind == "lp":
		dx, err = ops.LpPoolGrad(in[0], in[1], out[0], c.Params, c.Norm)
	case len(c.Adaptive) > 0:
		dx, err = ops.AdaptiveMaxPoolGrad(in[0], out[1], c.X)
	default:
		dx, err = ops.MaxPoolGrad(in[0], out[1], c.X, c.Params)
	}
	return []*ops.Tensor{dx}, err
}

// Oracle computes the gradient in float64.
func (c *PoolGradCase) Oracle(in [][]float64) []Want {
	g := spec.PoolGrad{Pool: c.geometry()}
	n := count(g.OutShape())
	y, idx := make([]float64, n), make([]int32, n)
	cpuref.Pool(y, idx, in[1], g.Pool)
	dx, mag := make([]float64, count(c.X)), make([]float64, count(c.X))
	cpuref.PoolGrad(dx, in[0], idx, in[1], y, g)
	cpuref.PoolGrad(mag, abs(in[0]), idx, in[1], y, g) // slopes keep their signs: all are positive
	return []Want{{Shape: c.X, Value: dx, Magnitude: abs(mag), Budget: g.Budget()}}
}

// Loss is sum(dy * pool(x)).
func (c *PoolGradCase) Loss(in [][]float64) float64 {
	g := c.geometry()
	y := make([]float64, count(g.OutShape()))
	cpuref.Pool(y, nil, in[1], g)
	sum := 0.0
	for i, v := range y {
		if !math.IsInf(v, 0) { // an empty window
			sum += in[0][i] * v
		}
	}
	return sum
}

// Wrt names x.
func (c *PoolGradCase) Wrt() []int { return []int{1} }

// Work counts one operation for each element of each window.
func (c *PoolGradCase) Work() (flops, bytes float64) {
	g := c.geometry()
	switch c.Kind {
	case "max": // its indices
		return g.Flops(), bytesOf(g.OutShape(), g.OutShape(), c.X)
	case "lp": // what went in and what came out
		return g.Flops(), bytesOf(g.OutShape(), g.OutShape(), c.X, c.X)
	}
	return g.Flops(), bytesOf(g.OutShape(), c.X)
}

// UnpoolGradCase is the gradient of one max unpooling.
type UnpoolGradCase struct{ UnpoolCase }

var unpoolGradRow = Row{
	Name:   "unpool_grad",
	New:    func() Case { return &UnpoolGradCase{} },
	Random: func(r *rand.Rand) Case { return &UnpoolGradCase{*randomUnpool(r).(*UnpoolCase)} },
	Awkward: func() []Case {
		var all []Case
		for _, c := range awkwardUnpool() {
			all = append(all, &UnpoolGradCase{*c.(*UnpoolCase)})
		}
		return all
	},
	Kernels: []string{"naive"},
}

// Inputs are dy, the values and the indices.
func (c *UnpoolGradCase) Inputs() []Input {
	g := c.geometry()
	return append([]Input{{Shape: g.OutShape()}}, c.UnpoolCase.Inputs()...)
}

// Call computes the gradient.
func (c *UnpoolGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	dx, err := ops.MaxUnpoolGrad(in[0], in[2], c.Params)
	return []*ops.Tensor{dx}, err
}

// Oracle computes it in float64.
func (c *UnpoolGradCase) Oracle(in [][]float64) []Want {
	dx := make([]float64, count(c.X))
	cpuref.UnpoolGrad(dx, in[0], wholeNumbers(in[2]), c.geometry())
	return []Want{{Shape: c.X, Value: dx}}
}

// Loss is sum(dy * unpool(x)).
func (c *UnpoolGradCase) Loss(in [][]float64) float64 {
	g := c.geometry()
	y := make([]float64, count(g.OutShape()))
	cpuref.Unpool(y, in[1], wholeNumbers(in[2]), g)
	return dot(in[0], y)
}

// Wrt names the values.
func (c *UnpoolGradCase) Wrt() []int { return []int{1} }
