package cases

import (
	"math"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// GemmGradCase is the gradients of one Gemm with respect to a, b and, where there
// is one, c.
type GemmGradCase struct{ GemmCase }

var gemmGradRow = Row{
	Name:   "gemm_grad",
	New:    func() Case { return &GemmGradCase{} },
	Random: func(r *rand.Rand) Case { return gradOfGemm(randomGemm(r)) },
	Awkward: func() []Case {
		var all []Case
		for _, c := range awkwardGemm() {
			all = append(all, gradOfGemm(c))
		}
		return all
	},
}

func gradOfGemm(c Case) Case {
	g := GemmGradCase{*c.(*GemmCase)}
	g.Params.Act, g.Special, g.Ranges = spec.Activation{}, false, ""
	return &g
}

// Inputs are dy, a, b and c.
func (c *GemmGradCase) Inputs() []Input {
	g := c.geometry()
	return []Input{{Shape: g.OutShape()}, {Shape: c.A}, {Shape: c.B}, {Shape: c.C}}
}

// Call computes the gradients.
func (c *GemmGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	da, err := ops.GemmGradA(in[0], in[2], c.Params)
	if err != nil {
		return nil, err
	}
	db, err := ops.GemmGradB(in[0], in[1], c.Params)
	if err != nil || c.C == nil {
		return []*ops.Tensor{da, db}, err
	}
	dc, err := ops.GemmGradC(in[0], c.C, c.Params)
	return []*ops.Tensor{da, db, dc}, err
}

// Oracle computes them in float64, term by term.
func (c *GemmGradCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	run := func(in [][]float64, alpha, beta float64) (da, db, dc []float64) {
		da, db, dc = make([]float64, count(c.A)), make([]float64, count(c.B)), make([]float64, len(in[3]))
		for m := range g.M {
			for n := range g.N {
				d := in[0][m*g.N+n]
				if c.C != nil {
					dc[m*g.BiasM+n*g.BiasN] += beta * d
				}
				for k := range g.K {
					a, b := m*g.K+k, k*g.N+n
					if g.TransA {
						a = k*g.M + m
					}
					if g.TransB {
						b = n*g.K + k
					}
					da[a] += alpha * d * in[2][b]
					db[b] += alpha * d * in[1][a]
				}
			}
		}
		return da, db, dc
	}
	da, db, dc := run(in, float64(g.Alpha), float64(g.Beta))
	ma, mb, mc := run([][]float64{abs(in[0]), abs(in[1]), abs(in[2]), in[3]}, math.Abs(float64(g.Alpha)), math.Abs(float64(g.Beta)))
	want := []Want{
		{Shape: c.A, Value: da, Magnitude: ma, Budget: spec.SumBudget(g.N + 1)},
		{Shape: c.B, Value: db, Magnitude: mb, Budget: spec.SumBudget(g.M + 1)},
	}
	if c.C != nil {
		want = append(want, Want{Shape: c.C, Value: dc, Magnitude: mc, Budget: spec.SumBudget(g.M*g.N + 1)})
	}
	return want
}

// Loss is sum(dy * gemm(a, b, c)).
func (c *GemmGradCase) Loss(in [][]float64) float64 {
	g := c.geometry()
	y := make([]float64, count(g.OutShape()))
	cpuref.Gemm(y, in[1], in[2], in[3], g)
	return dot(in[0], y)
}

// Wrt names a, b and c.
func (c *GemmGradCase) Wrt() []int {
	if c.C == nil {
		return []int{1, 2}
	}
	return []int{1, 2, 3}
}

// Work counts two products of the forward's size.
func (c *GemmGradCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return 2 * g.Flops(), bytesOf(g.OutShape(), c.A, c.B, g.OutShape(), c.A, c.B)
}
