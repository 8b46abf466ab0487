package cases

import (
	"math"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// BinaryGradCase is the gradients of one function of two tensors.
type BinaryGradCase struct{ BinaryCase }

var binaryGradCalls = map[string]func(dy, a, b *ops.Tensor) (da, db *ops.Tensor, err error){
	"div": ops.DivGrad, "min": ops.MinGrad, "max": ops.MaxGrad, "pow": ops.PowGrad, "prelu": ops.PReLUGrad,
}

var binaryGradRow = Row{
	Name: "binary_grad",
	New:  func() Case { return &BinaryGradCase{} },
	Random: func(r *rand.Rand) Case {
		for {
			c := BinaryGradCase{*randomBinary(r).(*BinaryCase)}
			c.Values = ""
			if binaryGradCalls[c.Func] != nil {
				return &c
			}
		}
	},
	Awkward: func() []Case {
		return []Case{
			&BinaryGradCase{BinaryCase{Func: "pow", A: []int{}, B: []int{}}},
			&BinaryGradCase{BinaryCase{Func: "div", A: []int{3, 1, 5}, B: []int{4, 1}}},
			&BinaryGradCase{BinaryCase{Func: "prelu", A: []int{2, 7, 3, 3}, B: []int{7}}},
		}
	},
	Kernels: []string{"vec4", "runs", "scalar"},
}

// Inputs are dy, a and b, where the gradients are tame.
func (c *BinaryGradCase) Inputs() []Input {
	g := c.geometry()
	a, b := Input{Shape: c.A}, Input{Shape: c.B}
	switch c.Func {
	case "div":
		b.Draw = func(r *rand.Rand) float32 { return float32(1-2*r.IntN(2)) * (0.5 + 2*r.Float32()) }
	case "pow":
		a.Draw, b.Draw = Uniform(0.2, 3), Uniform(-2, 3)
	}
	return []Input{{Shape: g.OutShape()}, a, b}
}

// Call computes both gradients.
func (c *BinaryGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	da, db, err := binaryGradCalls[c.Func](in[0], in[1], in[2])
	return []*ops.Tensor{da, db}, err
}

// Oracle computes both in float64.
func (c *BinaryGradCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	n := count(g.OutShape())
	grad := spec.BinaryGrad{Func: g.Func, N: 1}
	da, ma := make([]float64, len(in[1])), make([]float64, len(in[1]))
	db, mb := make([]float64, len(in[2])), make([]float64, len(in[2]))
	var u, v [1]float64
	for i := range n {
		at, bt := g.Offsets(i)
		cpuref.BinaryGrad(u[:], v[:], in[0][i:i+1], in[1][at:at+1], in[2][bt:bt+1], grad)
		da[at] += u[0]
		db[bt] += v[0]
		ma[at] += math.Abs(u[0])
		mb[bt] += math.Abs(v[0])
	}
	budget := func(size int) spec.Budget {
		b := grad.Budget()
		b.Scaled = 2*b.ULP + float64(n/max(1, size))
		return b
	}
	return []Want{
		{Shape: c.A, Value: da, Magnitude: ma, Budget: budget(len(da))},
		{Shape: c.B, Value: db, Magnitude: mb, Budget: budget(len(db))},
	}
}

// Loss is sum(dy * f(a, b)).
func (c *BinaryGradCase) Loss(in [][]float64) float64 {
	g := c.geometry()
	y := make([]float64, count(g.OutShape()))
	cpuref.Binary(y, in[1], in[2], g)
	return dot(in[0], y)
}

// Wrt names a and b.
func (c *BinaryGradCase) Wrt() []int { return []int{1, 2} }

// Work counts dy and both inputs read, and both gradients written.
func (c *BinaryGradCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return 4 * float64(count(g.OutShape())), bytesOf(g.OutShape(), c.A, c.B, c.A, c.B)
}

// UpsampleGradCase is the gradient of one resampling.
type UpsampleGradCase struct{ UpsampleCase }

var upsampleGradRow = Row{
	Name: "upsample_grad",
	New:  func() Case { return &UpsampleGradCase{} },
	Random: func(r *rand.Rand) Case {
		c := UpsampleGradCase{*randomUpsample(r).(*UpsampleCase)}
		c.Special = false
		return &c
	},
	Awkward: func() []Case {
		var all []Case
		for _, c := range awkwardUpsample() {
			g := UpsampleGradCase{*c.(*UpsampleCase)}
			g.Special = false
			all = append(all, &g)
		}
		return all
	},
	Kernels: []string{"rows", "naive"},
}

// Inputs are dy and x, of which only the shape matters.
func (c *UpsampleGradCase) Inputs() []Input {
	g := c.geometry()
	return []Input{{Shape: g.OutShape()}, {Shape: c.X}}
}

// Call computes the gradient.
func (c *UpsampleGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	dx, err := ops.UpsampleGrad(in[0], c.X, c.Params)
	return []*ops.Tensor{dx}, err
}

// Oracle computes it in float64, pass by pass.
func (c *UpsampleGradCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	run := func(dy []float64) []float64 {
		passes, shapes := g.Passes()
		for i, p := range passes {
			dx := make([]float64, count(shapes[i]))
			cpuref.UpsampleGrad(dx, dy, p)
			dy = dx
		}
		return dy
	}
	return []Want{{Shape: c.X, Value: run(in[0]), Magnitude: run(abs(in[0])), Budget: spec.UpsampleGradBudget(g)}}
}

// Loss is sum(dy * upsample(x)).
func (c *UpsampleGradCase) Loss(in [][]float64) float64 {
	g := c.geometry()
	y := make([]float64, count(g.OutShape()))
	cpuref.Upsample(y, in[1], g)
	return dot(in[0], y)
}

// Wrt names x.
func (c *UpsampleGradCase) Wrt() []int { return []int{1} }
