package cases

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// LRNCase is one local response normalization.
type LRNCase struct {
	X      []int
	Spread Spread
	Params ops.LRNParams
	Ranged
}

var lrnRow = Row{
	Name:    "lrn",
	New:     func() Case { return &LRNCase{} },
	Random:  randomLRN,
	Awkward: awkwardLRN,
	Kernels: []string{"vec4", "naive"},
}

func (c *LRNCase) geometry() spec.LRN {
	g, err := spec.NewLRN(c.X, c.Params)
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

// Inputs is x.
func (c *LRNCase) Inputs() []Input {
	return []Input{{Shape: c.X, Draw: c.Spread.draw(), Range: c.Spread.freedom(c.Params.K)}}
}

// Call normalizes.
func (c *LRNCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.LRN(in[0], c.Params)
	return []*ops.Tensor{y}, err
}

// Oracle normalizes in float64.
func (c *LRNCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	y, before := make([]float64, len(in[0])), make([]float64, len(in[0]))
	cpuref.LRN(y, in[0], g)
	plain := g
	plain.Act = spec.Activation{}
	cpuref.LRN(before, in[0], plain)
	return []Want{{Shape: g.OutShape(), Value: y, Magnitude: before, Budget: g.Budget()}}
}

// Work counts one read and one write.
func (c *LRNCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), 2 * bytesOf(c.X)
}

func awkwardLRN() []Case {
	return []Case{
		&LRNCase{X: []int{1, 1}, Params: ops.LRNParams{Size: 1}},
		&LRNCase{X: []int{2, 7, 5, 3}, Params: ops.LRNParams{Size: 5, Alpha: 1}},
		&LRNCase{X: []int{2, 7, 4, 3}, Params: ops.LRNParams{Size: 4, Alpha: 1, Beta: 0.5, K: 2}},
		&LRNCase{X: []int{2, 7, 4, 3}, Params: ops.LRNParams{Size: 4, Alpha: 1, EvenBefore: true}},
		&LRNCase{X: []int{1, 3, 8}, Spread: Spread{Std: 1e5}, Params: ops.LRNParams{Size: 11, Alpha: 2, K: -1}},
		&LRNCase{X: []int{1, 96, 27, 27}, Params: ops.LRNParams{Size: 5, Alpha: 1e-4, K: 1}},
		&LRNCase{X: []int{2, 9, 9, 6}, Params: ops.LRNParams{Size: 3, Alpha: 0.3, Beta: 1, Axis: -1}},
		&LRNCase{X: []int{2, 9, 9}, Params: ops.LRNParams{Size: 3, Alpha: 0.3, Beta: -0.5}},
		&LRNCase{X: []int{2, 9, 20}, Spread: Spread{NaN: true}, Params: ops.LRNParams{Size: 2, Alpha: -1, K: 3}},
	}
}

func randomLRN(r *rand.Rand) Case {
	c := &LRNCase{X: randomImage(r, pick(r, sizes...)), Spread: randomSpread(r)}
	c.Params = ops.LRNParams{
		Size: pick(r, 1, 2, 3, 4, 5, 5, 8, 15), Alpha: pick[float32](r, 0, 1e-2, 1, 3), Beta: pick[float32](r, 0, 0, 0.5, 1, 1.3),
		K: pick[float32](r, 0, 2, 0.5), EvenBefore: r.IntN(3) == 0,
	}
	if r.IntN(4) == 0 {
		c.Params.Axis = -1
	}
	if r.IntN(4) == 0 {
		c.Params.Act = pick(r, smoothActivations...)
	}
	return c
}
