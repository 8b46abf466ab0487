package cases

import (
	"fmt"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// ReduceCase is one reduction over axes.
type ReduceCase struct {
	Func     string // sum, mean, max, min or sum_square
	X        []int
	Params   ops.ReduceParams
	Special  bool `json:",omitempty"` // NaN and infinities among the values
	Positive bool `json:",omitempty"` // sums that do not cancel, so that a lost term shows
	Ranged
}

var reduceRow = Row{
	Name:    "reduce",
	New:     func() Case { return &ReduceCase{} },
	Random:  randomReduce,
	Awkward: awkwardReduce,
	Kernels: []string{"group", "columns", "rows", "naive"},
}

var reduceCalls = map[string]func(*ops.Tensor, ops.ReduceParams) (*ops.Tensor, error){
	"sum": ops.Sum, "mean": ops.Mean, "max": ops.Amax, "min": ops.Amin, "sum_square": ops.SumSquare,
}

func (c *ReduceCase) geometry() spec.Reduce {
	for _, f := range spec.ReduceFuncs() {
		if f.String() == c.Func {
			return must(spec.NewReduce(f, c.X, c.Params))
		}
	}
	panic("no reduction " + c.Func) // Call reports it first
}

// Inputs is x.
func (c *ReduceCase) Inputs() []Input {
	if c.Positive {
		return []Input{{Shape: c.X, Draw: Uniform(0, 1), Range: free}}
	}
	return []Input{{Shape: c.X, Draw: special(c.Special), Range: free}}
}

// Call reduces.
func (c *ReduceCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	f := reduceCalls[c.Func]
	if f == nil {
		return nil, fmt.Errorf("no reduction %q", c.Func)
	}
	y, err := f(in[0], c.Params)
	return []*ops.Tensor{y}, err
}

// Oracle reduces in float64.
func (c *ReduceCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	y, mag := make([]float64, g.Outputs()), make([]float64, g.Outputs())
	cpuref.Reduce(y, in[0], g)
	cpuref.Reduce(mag, abs(in[0]), g)
	return []Want{{Shape: g.OutShape(), Value: y, Magnitude: mag, Budget: g.Budget()}}
}

// Work counts one operation for each element.
func (c *ReduceCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return float64(count(c.X)), bytesOf(c.X, g.OutShape())
}

func awkwardReduce() []Case {
	return []Case{
		&ReduceCase{Func: "sum", X: []int{}},
		&ReduceCase{Func: "mean", X: []int{70001}, Positive: true}, // more rounds than llvmpipe makes of a loop
		&ReduceCase{Func: "sum", X: []int{70001, 2}, Params: ops.ReduceParams{Axes: []int{0}}, Positive: true},
		&ReduceCase{Func: "max", X: []int{3, 20011}, Params: ops.ReduceParams{Axes: []int{1}}},
		&ReduceCase{Func: "sum", X: []int{7, 300}, Params: ops.ReduceParams{Axes: []int{0}}},
		&ReduceCase{Func: "mean", X: []int{2, 64, 13, 13}, Params: ops.ReduceParams{Axes: []int{-1, -2}, Keep: true}},
		&ReduceCase{Func: "sum", X: []int{3, 5, 4, 8}, Params: ops.ReduceParams{Axes: []int{1}}},
		&ReduceCase{Func: "mean", X: []int{2, 3, 5, 12}, Params: ops.ReduceParams{Axes: []int{0, 2}}},
		&ReduceCase{Func: "sum", X: []int{2, 3, 40, 28}, Params: ops.ReduceParams{Axes: []int{0, 2, 3}}, Positive: true}, // several rows of an output
		&ReduceCase{Func: "mean", X: []int{40036}, Positive: true},                                                       // a row in several pieces
		&ReduceCase{Func: "min", X: []int{3, 20012}, Params: ops.ReduceParams{Axes: []int{1}}, Special: true},
		&ReduceCase{Func: "max", X: []int{40, 36}, Params: ops.ReduceParams{Axes: []int{1}}, Special: true},
		&ReduceCase{Func: "sum", X: []int{2, 4, 2, 4, 2, 4, 2, 8}, Params: ops.ReduceParams{Axes: []int{1, 3, 5, 7}}},
		&ReduceCase{Func: "max", X: []int{40, 36}, Params: ops.ReduceParams{Axes: []int{0}}, Special: true},
		&ReduceCase{Func: "max", X: []int{5, 6, 7}, Params: ops.ReduceParams{Axes: []int{1}}},
		&ReduceCase{Func: "sum_square", X: []int{}},
		&ReduceCase{Func: "sum_square", X: []int{300007}}, // several pieces, of which squares are but added
		&ReduceCase{Func: "sum_square", X: []int{40036}},
		&ReduceCase{Func: "sum_square", X: []int{2, 3, 40, 28}, Params: ops.ReduceParams{Axes: []int{0, 2, 3}}},
		&ReduceCase{Func: "sum_square", X: []int{1, 5, 1, 7}, Params: ops.ReduceParams{Axes: []int{0, 2}}}, // one term
		&ReduceCase{Func: "sum_square", X: []int{1027, 13}, Params: ops.ReduceParams{Axes: []int{0}}},
		&ReduceCase{Func: "sum_square", X: []int{40, 36}, Params: ops.ReduceParams{Axes: []int{0}}, Special: true},
		&ReduceCase{Func: "min", X: []int{5, 6, 7}, Params: ops.ReduceParams{Axes: []int{0, 2}}, Special: true},
		&ReduceCase{Func: "sum", X: []int{2, 3, 2, 3, 2, 3, 2, 3}, Params: ops.ReduceParams{Axes: []int{0, 2, 4, 6}}},
		&ReduceCase{Func: "sum", X: []int{2, 3, 2, 3, 2, 3, 2, 3}, Params: ops.ReduceParams{Axes: []int{1, 3, 5, 7}}},
	}
}

func randomReduce(r *rand.Rand) Case {
	c := &ReduceCase{Func: pick(r, spec.ReduceFuncs()...).String(), X: smallShape(r, 0), Special: r.IntN(8) == 0}
	c.Params.Keep = r.IntN(2) == 0
	for i := range c.X {
		if r.IntN(2) == 0 {
			c.Params.Axes = append(c.Params.Axes, i-pick(r, 0, len(c.X)))
		}
	}
	return c
}
