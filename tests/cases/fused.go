package cases

import (
	"fmt"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// FusedCase is two pointwise calls, of which nothing but the second reads the
// first one's result. That they have the bits of the calls one by one is a test
// of ops; here they have budgets of their own.
type FusedCase struct {
	X     []int
	Chain string // see fusedChains
}

// fusedChain is two functions of x and of b, which broadcasts.
type fusedChain struct {
	b      func(x []int) []int
	call   func(x, b *ops.Tensor) (between, y *ops.Tensor, err error)
	value  func(x, b float64) float64
	budget spec.Budget
}

func sameShape(x []int) []int { return x }

// channelShape has one value for each channel, axis 1 of x, or one in all.
func channelShape(x []int) []int {
	s := make([]int, len(x))
	for i := range s {
		s[i] = 1
	}
	if len(x) > 1 {
		s[1] = x[1]
	}
	return s
}

func rowShape(x []int) []int { return x[len(x)-1:] }

// then makes the second of two calls.
func then(v *ops.Tensor, err error, next func(v *ops.Tensor) (*ops.Tensor, error)) (between, y *ops.Tensor, _ error) {
	if err != nil {
		return nil, nil, err
	}
	y, err = next(v)
	return v, y, err
}

// separately makes a call with an activation or, where own is set, without it and
// then the activation's own, and releases what is between.
func separately(own bool, act spec.Activation, call func(act spec.Activation) (*ops.Tensor, error)) ([]*ops.Tensor, error) {
	if !own {
		y, err := call(act)
		return []*ops.Tensor{y}, err
	}
	v, err := call(spec.Activation{})
	between, y, err := then(v, err, func(v *ops.Tensor) (*ops.Tensor, error) { return ops.Pointwise(v, act) })
	between.Release()
	return []*ops.Tensor{y}, err
}

var fusedChains = map[string]fusedChain{
	"add_relu": {
		b: sameShape,
		call: func(x, b *ops.Tensor) (*ops.Tensor, *ops.Tensor, error) {
			v, err := ops.Add(x, b)
			return then(v, err, ops.ReLU)
		},
		value:  func(x, b float64) float64 { return max(0, x+b) },
		budget: spec.Budget{ULP: 1},
	},
	"gelu_mul": { // the second operand goes on
		b: sameShape,
		call: func(x, b *ops.Tensor) (*ops.Tensor, *ops.Tensor, error) {
			v, err := ops.GELU(x)
			return then(v, err, func(v *ops.Tensor) (*ops.Tensor, error) { return ops.Mul(b, v) })
		},
		value: func(x, b float64) float64 { return cpuref.Pointwise64(spec.GELU.Default(), x) * b },
		// Of a product's ULP one of a factor may be two.
		budget: spec.Budget{ULP: 2*spec.GELU.Default().Budget().ULP + 1},
	},
	"scale_relu6": {
		b: channelShape,
		call: func(x, b *ops.Tensor) (*ops.Tensor, *ops.Tensor, error) {
			v, err := ops.Mul(x, b)
			return then(v, err, ops.ReLU6)
		},
		value:  func(x, b float64) float64 { return min(max(0, x*b), 6) },
		budget: spec.Budget{ULP: 1},
	},
	"sub_abs": {
		b: rowShape,
		call: func(x, b *ops.Tensor) (*ops.Tensor, *ops.Tensor, error) {
			v, err := ops.Sub(b, x)
			return then(v, err, ops.Abs)
		},
		value:  func(x, b float64) float64 { return max(b-x, x-b) },
		budget: spec.Budget{ULP: 1},
	},
}

var fusedRow = Row{
	Name:    "fused",
	New:     func() Case { return &FusedCase{} },
	Random:  randomFused,
	Awkward: awkwardFused,
	Kernels: []string{"apart"},
}

// Inputs are x and b.
func (c *FusedCase) Inputs() []Input {
	return []Input{{Shape: c.X}, {Shape: fusedChains[c.Chain].b(c.X)}}
}

// Call makes both calls and releases what is between.
func (c *FusedCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	chain, ok := fusedChains[c.Chain]
	if !ok {
		return nil, fmt.Errorf("no chain %q", c.Chain)
	}
	between, y, err := chain.call(in[0], in[1])
	between.Release()
	return []*ops.Tensor{y}, err
}

// Oracle computes both functions in float64, without a rounding between.
func (c *FusedCase) Oracle(in [][]float64) []Want {
	chain := fusedChains[c.Chain]
	g := must(spec.NewBinary(spec.Add, c.X, chain.b(c.X)))
	y := make([]float64, len(in[0]))
	for i, x := range in[0] {
		_, at := g.Offsets(i)
		y[i] = chain.value(x, in[1][at])
	}
	return []Want{{Shape: c.X, Value: y, Budget: chain.budget}}
}

// Work counts an operation of each function for each element, and inputs and
// result once: what is between need not be moved.
func (c *FusedCase) Work() (flops, bytes float64) {
	return 2 * float64(count(c.X)), bytesOf(c.X, fusedChains[c.Chain].b(c.X), c.X)
}

func awkwardFused() []Case {
	var all []Case
	for _, chain := range []string{"add_relu", "gelu_mul", "scale_relu6", "sub_abs"} {
		for _, x := range [][]int{{1}, {7}, {2, 3}, {2, 5, 4}, {3, 4, 5, 7}, {1, 3, 32, 32}, {2, 2, 3, 4, 5}, {1, 70000}} {
			all = append(all, &FusedCase{x, chain})
		}
	}
	return all
}

func randomFused(r *rand.Rand) Case {
	c := &FusedCase{Chain: pick(r, "add_relu", "gelu_mul", "scale_relu6", "sub_abs")}
	for range 1 + r.IntN(4) {
		c.X = append(c.X, pick(r, sizes...))
	}
	return c
}
