package cases

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// BinaryCase is one function of two tensors.
type BinaryCase struct {
	Func   string // add, sub, mul, div, min, max, pow or prelu
	A, B   []int
	Values string `json:",omitempty"` // how both are drawn: see binaryValues
	Ranged
}

var binaryRow = Row{
	Name:    "binary",
	New:     func() Case { return &BinaryCase{} },
	Random:  randomBinary,
	Awkward: awkwardBinary,
	Kernels: []string{"vec4", "runs", "naive"},
}

var binaryCalls = map[string]func(a, b *ops.Tensor) (*ops.Tensor, error){
	"add": ops.Add, "sub": ops.Sub, "mul": ops.Mul, "div": ops.Div, "min": ops.Min, "max": ops.Max,
	"pow": ops.Pow, "prelu": ops.PReLU,
}

// binaryValues are the distributions of a and b: "special" are the values that
// IEEE 754 has rules for, in all pairs; "wide" covers the exponents, so that
// results overflow and vanish; "near1" to high powers finds a logarithm that
// loses its last bits, and "whole" has signs that come from odd exponents. Powers
// of "limit", of "limit1" beside 1, and of "signs" below 0 are the largest and the
// smallest numbers there are, and those that are just none.
var binaryValues = map[string][2]Draw{
	"":        {Normal, Normal},
	"special": {specialNumber, specialNumber},
	"wide":    {wideNumber, wideNumber},
	"tame":    {Uniform(0.2, 3), Uniform(-2, 3)},
	"near1":   {func(r *rand.Rand) float32 { return 1 + Normal(r)*float32(math.Exp2(float64(-r.IntN(24)))) }, wideNumber},
	"whole":   {func(r *rand.Rand) float32 { return Normal(r) * 3 }, func(r *rand.Rand) float32 { return float32(r.IntN(81) - 40) }},
	"limit":   {Uniform(1.5, 3), func(r *rand.Rand) float32 { return float32(pick(r, -1, 1)) * Uniform(60, 220)(r) }},
	"limit1":  {func(r *rand.Rand) float32 { return 1 + float32(pick(r, -1, 1))*Uniform(0x1p-13, 0x1p-11)(r) }, Uniform(-0x1p19, 0x1p19)},
	"signs":   {func(r *rand.Rand) float32 { return -Uniform(0.8, 1.25)(r) }, func(r *rand.Rand) float32 { return float32(r.IntN(1401) - 700) }},
	"powers":  {func(r *rand.Rand) float32 { return max(wideNumber(r), 0) }, func(r *rand.Rand) float32 { return Normal(r) * 2 }},
}

func specialNumber(r *rand.Rand) float32 {
	return float32(pick(r, 0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 2, -2, 3, -3, 1e9, -1e9, 0x1p24, 0x1p24+2, -0x1p30,
		math.MaxFloat32, -math.MaxFloat32, 0x1p-126, -0x1p-126, math.Inf(1), math.Inf(-1), math.NaN(), 1+0x1p-23, 1-0x1p-24))
}

// wideNumber draws any normal float32, signs and exponents evenly.
func wideNumber(r *rand.Rand) float32 {
	return math.Float32frombits(r.Uint32()&0x807fffff | uint32(1+r.IntN(254))<<23)
}

func (c *BinaryCase) geometry() spec.Binary {
	for _, f := range spec.Binaries() {
		switch {
		case f.String() != c.Func:
		case f == spec.PReLU:
			return must(spec.NewPReLU(c.A, c.B))
		default:
			return must(spec.NewBinary(f, c.A, c.B))
		}
	}
	panic("no function " + c.Func) // Call reports it first
}

// Inputs are a and b.
func (c *BinaryCase) Inputs() []Input {
	draws := binaryValues[c.Values]
	return []Input{{Shape: c.A, Draw: draws[0]}, {Shape: c.B, Draw: draws[1]}}
}

// Call computes the function.
func (c *BinaryCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	f := binaryCalls[c.Func]
	if f == nil {
		return nil, fmt.Errorf("no function %q of two tensors", c.Func)
	}
	y, err := f(in[0], in[1])
	return []*ops.Tensor{y}, err
}

// Oracle computes it in float64.
func (c *BinaryCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	y := make([]float64, count(g.OutShape()))
	cpuref.Binary(y, in[0], in[1], g)
	return []Want{{Shape: g.OutShape(), Value: y, Budget: g.Func.Budget()}}
}

// Work counts one operation for each output.
func (c *BinaryCase) Work() (flops, bytes float64) {
	g := c.geometry()
	out := g.OutShape()
	return float64(count(out)), bytesOf(c.A, c.B, out)
}

func awkwardBinary() []Case {
	all := []Case{
		&BinaryCase{Func: "add", A: []int{}, B: []int{}},
		&BinaryCase{Func: "sub", A: []int{3, 4, 5}, B: []int{5}},
		&BinaryCase{Func: "sub", A: []int{5}, B: []int{3, 4, 5}},
		&BinaryCase{Func: "sub", A: []int{1}, B: []int{2, 2, 2, 3}},
		&BinaryCase{Func: "mul", A: []int{2, 8, 7, 7}, B: []int{8, 1, 1}},
		&BinaryCase{Func: "mul", A: []int{2, 8, 6, 6}, B: []int{8, 1, 1}},
		&BinaryCase{Func: "div", A: []int{2, 1, 16}, B: []int{1, 9, 1}},
		&BinaryCase{Func: "sub", A: []int{2, 1, 3, 1, 2, 1, 3, 1}, B: []int{1, 2, 1, 3, 1, 2, 1, 5}},
		&BinaryCase{Func: "sub", A: []int{2, 3, 2, 3, 2, 3, 2, 4}, B: []int{2, 1, 2, 1, 2, 1, 2, 1}},
		&BinaryCase{Func: "prelu", A: []int{2, 3, 5, 7}, B: []int{3}},
		&BinaryCase{Func: "prelu", A: []int{2, 3, 5, 8}, B: []int{1}},
		&BinaryCase{Func: "prelu", A: []int{2, 3, 5, 8}, B: []int{1, 8}},
		&BinaryCase{Func: "prelu", A: []int{24}, B: []int{24}},
		&BinaryCase{Func: "pow", A: []int{4001}, B: []int{4001}, Values: "near1"},
		&BinaryCase{Func: "pow", A: []int{4001}, B: []int{4001}, Values: "wide"},
		&BinaryCase{Func: "pow", A: []int{4001}, B: []int{4001}, Values: "whole"},
		&BinaryCase{Func: "pow", A: []int{4001}, B: []int{4001}, Values: "powers"},
		&BinaryCase{Func: "pow", A: []int{4001}, B: []int{4001}, Values: "limit"},
		&BinaryCase{Func: "pow", A: []int{4001}, B: []int{4001}, Values: "limit1"},
		&BinaryCase{Func: "pow", A: []int{4001}, B: []int{4001}, Values: "signs"},
		&BinaryCase{Func: "div", A: []int{4001}, B: []int{4001}, Values: "wide"},
		&BinaryCase{Func: "mul", A: []int{4001}, B: []int{4001}, Values: "wide"},
	}
	for _, f := range spec.Binaries() {
		all = append(all, &BinaryCase{Func: f.String(), A: []int{2000}, B: []int{2000}, Values: "special"})
	}
	return all
}

func randomBinary(r *rand.Rand) Case {
	c := &BinaryCase{Func: pick(r, spec.Binaries()...).String()}
	out := []int{}
	limit := 4096
	for range r.IntN(spec.MaxRank + 1) {
		s := min(pick(r, sizes...), limit)
		limit /= s
		out = append(out, s)
	}
	if r.IntN(3) == 0 && len(out) > 0 { // what the vectorised kernel wants
		out[len(out)-1] = 4 * (1 + r.IntN(20))
	}
	c.A, c.B = operandBatch(r, out), operandBatch(r, out)
	if c.Func == "prelu" {
		c.A = out
		if len(c.B) == 1 && len(out) > 1 {
			c.B = []int{out[1]}
		}
	}
	if r.IntN(3) == 0 {
		c.Values = pick(r, slices.Sorted(maps.Keys(binaryValues))...)
	}
	return c
}
