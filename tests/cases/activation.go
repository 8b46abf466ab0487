package cases

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// ActivationCase is one pointwise function of a tensor.
type ActivationCase struct {
	X      []int
	Func   string  // its name, as in "leaky_relu"
	A, B   float32 `json:",omitempty"`
	Values string  `json:",omitempty"` // how x is drawn: see activationValues
	Ranged
}

var activationRow = Row{
	Name:    "activation",
	New:     func() Case { return &ActivationCase{} },
	Random:  randomActivation,
	Awkward: awkwardActivation,
	Kernels: []string{"vec4", "runs"},
}

// activationValues are the distributions of x: "wide" is any float32 but the
// subnormal ones, "small" finds what loses its digits near zero, and "special"
// has the values at which a formula changes.
var activationValues = map[string]Draw{
	"":        func(r *rand.Rand) float32 { return 3 * Normal(r) },
	"wide":    wideNumber,
	"small":   func(r *rand.Rand) float32 { return Normal(r) * float32(math.Exp2(float64(-r.IntN(40)))) },
	"large":   func(r *rand.Rand) float32 { return Normal(r) * float32(math.Exp2(float64(r.IntN(20)))) },
	"unit":    Uniform(-1, 1),
	"special": specialNumber,
}

func (c *ActivationCase) activation() (spec.Activation, error) {
	f, err := spec.ParsePointwise(c.Func)
	return spec.Activation{Func: f, A: c.A, B: c.B}, err
}

// Inputs is x.
func (c *ActivationCase) Inputs() []Input {
	return []Input{{Shape: c.X, Draw: activationValues[c.Values]}}
}

// Call applies the function.
func (c *ActivationCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	f, err := c.activation()
	if err != nil {
		return nil, err
	}
	y, err := ops.Pointwise(in[0], f)
	return []*ops.Tensor{y}, err
}

// Oracle applies it in float64.
func (c *ActivationCase) Oracle(in [][]float64) []Want {
	f := must(c.activation())
	y, mag := make([]float64, len(in[0])), make([]float64, len(in[0]))
	for i, x := range in[0] {
		y[i] = cpuref.Pointwise64(f, x)
		mag[i] = math.Abs(float64(f.A)*x) + math.Abs(float64(f.B)) // what an Affine may cancel
	}
	return []Want{{Shape: c.X, Value: y, Magnitude: mag, Budget: f.Budget()}}
}

// Work counts one operation for each element.
func (c *ActivationCase) Work() (flops, bytes float64) { return float64(count(c.X)), 2 * bytesOf(c.X) }

func activationCase(f spec.Activation, x []int, values string) *ActivationCase {
	return &ActivationCase{X: x, Func: f.Func.String(), A: f.A, B: f.B, Values: values}
}

func awkwardActivation() []Case {
	var all []Case
	for _, f := range spec.Pointwises() {
		for _, values := range slices.Sorted(maps.Keys(activationValues)) {
			all = append(all, activationCase(f.Default(), []int{501}, values))
		}
	}
	return append(all,
		activationCase(spec.ReLU.Default(), []int{}, ""),
		activationCase(spec.ReLU.Default(), []int{2, 1, 3, 1, 2, 1, 3, 1}, ""),
		activationCase(spec.Tanh.Default(), []int{3, 70001}, ""),
		activationCase(spec.Activation{Func: spec.Softplus, A: 2.5, B: 3}, []int{1001}, ""),
		activationCase(spec.Activation{Func: spec.Softplus, A: -1, B: 20}, []int{1001}, ""),
		activationCase(spec.Activation{Func: spec.HardTanh, A: 2, B: 1}, []int{33}, ""),
		activationCase(spec.Activation{Func: spec.ELU, A: -3.5}, []int{33}, ""),
		activationCase(spec.Activation{Func: spec.LeakyReLU, A: -0.5}, []int{33}, ""),
	)
}

func randomActivation(r *rand.Rand) Case {
	f := pick(r, spec.Pointwises()...).Default()
	if r.IntN(2) == 0 {
		drawn := spec.Activation{Func: f.Func, A: 2 * Normal(r), B: 2 * Normal(r)}
		switch f.Func.Params() { // what is not read stays 0, and out of the line
		case 0:
			drawn.A, drawn.B = 0, 0
		case 1:
			drawn.B = 0
		}
		if drawn.Check() == nil {
			f = drawn
		}
	}
	values := ""
	if r.IntN(2) == 0 {
		values = pick(r, slices.Sorted(maps.Keys(activationValues))...)
	}
	return activationCase(f, smallShape(r, 0), values)
}
