package cases

import (
	"math"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// GemmCase is one call of Gemm. A nil C is none; an empty one is a scalar.
type GemmCase struct {
	A, B, C []int
	Params  ops.GemmParams
	Special bool // NaN and infinities among the values
	Ranged
}

var gemmRow = Row{
	Name:    "gemm",
	New:     func() Case { return &GemmCase{} },
	Random:  randomGemm,
	Awkward: awkwardGemm,
	Kernels: gemmVariants,
}

// gemmVariants are the kernels that Gemm, MatMul and Linear can be forced to.
var gemmVariants = shaders.GemmVariants()

func (c *GemmCase) geometry() spec.Gemm { return must(spec.NewGemm(c.A, c.B, c.C, c.Params)) }

// Inputs are a, b and c.
func (c *GemmCase) Inputs() []Input {
	return []Input{{Shape: c.A, Draw: special(c.Special), Range: free}, {Shape: c.B, Draw: special(c.Special), Range: free}, {Shape: c.C}}
}

// Call multiplies.
func (c *GemmCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.Gemm(in[0], in[1], in[2], c.Params)
	return []*ops.Tensor{y}, err
}

// Oracle multiplies in float64.
func (c *GemmCase) Oracle(in [][]float64) []Want { return wantProduct(c.geometry(), in) }

// Work counts the product.
func (c *GemmCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), bytesOf(c.A, c.B, c.C, g.OutShape())
}

// wantProduct is the oracle of Gemm, MatMul and Linear.
func wantProduct(g spec.Gemm, in [][]float64) []Want {
	n := spec.Count(g.OutShape())
	y, mag := make([]float64, n), make([]float64, n)
	cpuref.Gemm(y, in[0], in[1], in[2], g)
	sums := g
	sums.Act = spec.Activation{}
	sums.Alpha, sums.Beta = max(g.Alpha, -g.Alpha), max(g.Beta, -g.Beta)
	cpuref.Gemm(mag, abs(in[0]), abs(in[1]), abs(in[2]), sums)
	return []Want{{Shape: g.OutShape(), Value: y, Magnitude: mag, Budget: g.Budget()}}
}

// must returns a geometry: generators draw valid cases, and Call reports a
// mistyped one first.
func must[G any](g G, err error) G {
	if err != nil {
		panic(err)
	}
	return g
}

// special returns a draw with a NaN or an infinity in a hundred, or Normal.
func special(on bool) Draw {
	if !on {
		return Normal
	}
	return func(r *rand.Rand) float32 {
		if r.IntN(100) == 0 {
			return float32(pick(r, math.NaN(), math.Inf(1), math.Inf(-1)))
		}
		return Normal(r)
	}
}

func awkwardGemm() []Case {
	half, minus, zero := float32(0.5), float32(-2.5), float32(0)
	return []Case{
		&GemmCase{A: []int{1, 1}, B: []int{1, 1}, C: []int{}},
		&GemmCase{A: []int{3, 5}, B: []int{5, 7}, C: []int{3, 1}, Params: ops.GemmParams{Alpha: &half, Beta: &minus}},
		&GemmCase{A: []int{64, 32}, B: []int{128, 64}, C: []int{32, 128}, Params: ops.GemmParams{TransA: true, TransB: true, Alpha: &minus}},
		&GemmCase{A: []int{130, 70}, B: []int{70, 66}, C: []int{66}, Params: ops.GemmParams{Alpha: &zero}},
		&GemmCase{A: []int{1, 19}, B: []int{1, 68}, Params: ops.GemmParams{TransA: true, Alpha: &minus}}, // a column and a row
		&GemmCase{A: []int{1, 2048}, B: []int{2048, 1024}},                                               // down long columns
		&GemmCase{A: []int{33, 17}, B: []int{17, 65}, C: []int{1}, Special: true},
		&GemmCase{A: []int{9, 260}, B: []int{260, 12}, C: []int{9, 12}, Params: ops.GemmParams{Beta: &half, Act: spec.Activation{Func: spec.ReLU}}},
	}
}

// productActivations are the activations that random products fuse; what each
// computes is the business of the row activation.
var productActivations = []spec.Activation{{Func: spec.ReLU}, {Func: spec.SiLU}, {Func: spec.LeakyReLU, A: 0.1}}

// productSizes are the lengths that matrices draw from: one, primes, the tiles'
// multiples and one over them.
var productSizes = []int{1, 1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 29, 31, 32, 33, 40, 63, 64, 65, 96, 127, 128, 129, 130}

// depths are the lengths of the summed axis.
var depths = []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100, 127, 128, 257, 512, 1031}

// matrixSizes draws M, N and K, of which now and then one is a vector's.
func matrixSizes(r *rand.Rand) (m, n, k int) {
	m, n, k = pick(r, productSizes...), pick(r, productSizes...), pick(r, depths...)
	switch r.IntN(8) {
	case 0:
		m = 1
	case 1:
		n = 1
	case 2: // all multiples of four, as the vectorised kernels want
		m, n, k = (m+3)&^3, (n+3)&^3, (k+3)&^3
	}
	return m, n, k
}

func matrix(rows, cols int, transposed bool) []int {
	if transposed {
		rows, cols = cols, rows
	}
	return []int{rows, cols}
}

func randomGemm(r *rand.Rand) Case {
	m, n, k := matrixSizes(r)
	c := &GemmCase{Special: r.IntN(10) == 0}
	c.Params.TransA, c.Params.TransB = r.IntN(2) == 0, r.IntN(2) == 0
	c.A, c.B = matrix(m, k, c.Params.TransA), matrix(k, n, c.Params.TransB)
	c.C = pick(r, nil, []int{}, []int{1}, []int{n}, []int{1, n}, []int{m, 1}, []int{m, n})
	if r.IntN(2) == 0 {
		alpha := Uniform(-3, 3)(r)
		c.Params.Alpha = &alpha
	}
	if r.IntN(2) == 0 {
		beta := Uniform(-3, 3)(r)
		c.Params.Beta = &beta
	}
	if r.IntN(6) == 0 { // few, for each makes kernels of its own
		c.Params.Act = pick(r, productActivations...)
	}
	return c
}
