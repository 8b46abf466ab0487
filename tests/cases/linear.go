package cases

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// LinearCase is one fully connected layer.
type LinearCase struct {
	X, W   []int
	Bias   bool
	Params ops.LinearParams
	Ranged
}

var linearRow = Row{
	Name:    "linear",
	New:     func() Case { return &LinearCase{} },
	Random:  randomLinear,
	Awkward: awkwardLinear,
	Kernels: gemmVariants,
}

func (c *LinearCase) biasShape() []int {
	if c.Bias {
		return c.W[:1]
	}
	return nil
}

func (c *LinearCase) geometry() spec.Gemm {
	return must(spec.NewLinear(c.X, c.W, c.biasShape(), c.Params))
}

// Inputs are x, the weight and the bias.
func (c *LinearCase) Inputs() []Input {
	return []Input{{Shape: c.X}, {Shape: c.W}, {Shape: c.biasShape()}}
}

// Call applies the layer.
func (c *LinearCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.Linear(in[0], in[1], in[2], c.Params)
	return []*ops.Tensor{y}, err
}

// Oracle applies it in float64.
func (c *LinearCase) Oracle(in [][]float64) []Want { return wantProduct(c.geometry(), in) }

// Work counts the product.
func (c *LinearCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), bytesOf(c.X, c.W, c.biasShape(), g.OutShape())
}

func awkwardLinear() []Case {
	return []Case{
		&LinearCase{X: []int{1}, W: []int{1, 1}, Bias: true},
		&LinearCase{X: []int{512}, W: []int{10, 512}, Bias: true},
		&LinearCase{X: []int{1, 1024}, W: []int{1000, 1024}, Bias: true},
		&LinearCase{X: []int{64, 100}, W: []int{250, 100}, Bias: true, Params: ops.LinearParams{Act: spec.Activation{Func: spec.GELU}}},
		&LinearCase{X: []int{2, 3, 5, 7}, W: []int{11, 7}},
		&LinearCase{X: []int{17, 1}, W: []int{13, 1}, Bias: true},
		&LinearCase{X: []int{3, 4099}, W: []int{5, 4099}, Bias: true},
	}
}

func randomLinear(r *rand.Rand) Case {
	m, n, k := matrixSizes(r)
	c := &LinearCase{X: []int{m, k}, W: []int{n, k}, Bias: r.IntN(2) == 0}
	switch r.IntN(4) {
	case 0:
		c.X = []int{k}
	case 1:
		c.X = []int{pick(r, 1, 2, 3), pick(r, 1, 4, 5), k}
	}
	if r.IntN(6) == 0 { // few, for each makes kernels of its own
		c.Params.Act = pick(r, productActivations...)
	}
	return c
}
