package cases

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// MatMulCase is one call of MatMul.
type MatMulCase struct {
	A, B     []int
	Params   ops.MatMulParams
	Special  bool `json:",omitempty"` // NaN and infinities among the values
	Positive bool `json:",omitempty"` // sums that do not cancel, so that a lost term shows
	Ranged
}

var matMulRow = Row{
	Name:    "matmul",
	New:     func() Case { return &MatMulCase{} },
	Random:  randomMatMul,
	Awkward: awkwardMatMul,
	Kernels: gemmVariants,
}

func (c *MatMulCase) geometry() spec.Gemm { return must(spec.NewMatMul(c.A, c.B, c.Params)) }

// Inputs are a and b.
func (c *MatMulCase) Inputs() []Input {
	draw := special(c.Special)
	if c.Positive {
		draw = Uniform(0, 1)
	}
	return []Input{{Shape: c.A, Draw: draw, Range: free}, {Shape: c.B, Draw: draw, Range: free}}
}

// Call multiplies.
func (c *MatMulCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.MatMul(in[0], in[1], c.Params)
	return []*ops.Tensor{y}, err
}

// Oracle multiplies in float64.
func (c *MatMulCase) Oracle(in [][]float64) []Want {
	return wantProduct(c.geometry(), [][]float64{in[0], in[1], nil})
}

// Work counts the product.
func (c *MatMulCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), bytesOf(c.A, c.B, g.OutShape())
}

func awkwardMatMul() []Case {
	return []Case{
		&MatMulCase{A: []int{5}, B: []int{5}},
		&MatMulCase{A: []int{7}, B: []int{2, 7, 3}},
		&MatMulCase{A: []int{1, 2, 4, 3}, B: []int{3}},
		&MatMulCase{A: []int{3, 1, 3, 4}, B: []int{1, 2, 4, 2}},
		&MatMulCase{A: []int{2, 1, 3, 1, 5, 1, 3, 4}, B: []int{2, 7, 1, 2, 1, 3, 4, 2}},
		&MatMulCase{A: []int{128, 64}, B: []int{64, 128}},
		&MatMulCase{A: []int{256, 40}, B: []int{40, 132}},
		&MatMulCase{A: []int{129, 33}, B: []int{33, 131}, Special: true},
		&MatMulCase{A: []int{2, 130, 64}, B: []int{2, 128, 130}, Params: ops.MatMulParams{TransA: true, TransB: true}},
		&MatMulCase{A: []int{2, 2, 8193}, B: []int{2, 8193, 2}},             // deep and narrow
		&MatMulCase{A: []int{2, 70001}, B: []int{70001, 3}, Positive: true}, // more rounds than llvmpipe makes of a loop
		&MatMulCase{A: []int{70001}, B: []int{70001}, Positive: true},
		&MatMulCase{A: []int{1, 2049}, B: []int{2049, 200}, Params: ops.MatMulParams{Act: spec.Activation{Func: spec.Tanh}}},
		&MatMulCase{A: []int{300, 517}, B: []int{517}},
		&MatMulCase{A: []int{64, 2, 1}, B: []int{64, 1, 2}},
	}
}

func randomMatMul(r *rand.Rand) Case {
	m, n, k := matrixSizes(r)
	c := &MatMulCase{Special: r.IntN(10) == 0}
	var batch []int
	if r.IntN(2) == 0 { // keep batches of matrices small
		m, n, k = min(m, 33), min(n, 33), min(k, 64)
		for range r.IntN(4) {
			batch = append(batch, pick(r, 1, 2, 3, 5))
		}
	}
	c.Params.TransA, c.Params.TransB = r.IntN(2) == 0, r.IntN(2) == 0
	c.A = append(operandBatch(r, batch), matrix(m, k, c.Params.TransA)...)
	c.B = append(operandBatch(r, batch), matrix(k, n, c.Params.TransB)...)
	switch r.IntN(10) {
	case 0:
		c.A, c.Params.TransA = []int{k}, false
	case 1:
		c.B, c.Params.TransB = []int{k}, false
	}
	if r.IntN(6) == 0 { // few, for each makes kernels of its own
		c.Params.Act = pick(r, productActivations...)
	}
	return c
}

// operandBatch returns axes that broadcast to batch: some of size 1, some
// missing from the front.
func operandBatch(r *rand.Rand, batch []int) []int {
	out := append([]int{}, batch...) // not nil, which is an absent operand
	for i := range out {
		if r.IntN(4) == 0 {
			out[i] = 1
		}
	}
	if len(out) > 0 && r.IntN(3) == 0 {
		out = out[r.IntN(len(out)+1):]
	}
	return out
}
