package cases

import (
	"math/rand/v2"
	"slices"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// ConcatCase is one concatenation.
type ConcatCase struct {
	Axis int
	X    [][]int
}

var concatRow = Row{
	Name:    "concat",
	New:     func() Case { return &ConcatCase{} },
	Random:  randomConcat,
	Awkward: awkwardConcat,
	Kernels: []string{"vec4", "scalar"},
}

func (c *ConcatCase) geometry() spec.Concat { return must(spec.NewConcat(c.Axis, c.X...)) }

// Inputs are the tensors to join.
func (c *ConcatCase) Inputs() []Input {
	var in []Input
	for _, x := range c.X {
		in = append(in, Input{Shape: x})
	}
	return in
}

// Call joins.
func (c *ConcatCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.Concat(c.Axis, in...)
	return []*ops.Tensor{y}, err
}

// Oracle joins.
func (c *ConcatCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	y := make([]float64, count(g.OutShape()))
	cpuref.Concat(y, in, g)
	return []Want{{Shape: g.OutShape(), Value: y}}
}

// Work counts the bytes.
func (c *ConcatCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return 0, 2 * bytesOf(g.OutShape())
}

func awkwardConcat() []Case {
	nine := &ConcatCase{Axis: 1}
	for i := range 9 {
		nine.X = append(nine.X, []int{3, 1 + i, 5})
	}
	return []Case{
		nine,
		&ConcatCase{Axis: 0, X: [][]int{{1}}},
		&ConcatCase{Axis: 1, X: [][]int{{1, 64, 13, 13}, {1, 64, 13, 13}}},
		&ConcatCase{Axis: -1, X: [][]int{{2, 3, 4}, {2, 3, 8}}},
		&ConcatCase{Axis: 2, X: [][]int{{2, 3, 1, 2, 2, 1, 2, 3}, {2, 3, 2, 2, 2, 1, 2, 3}}},
		&ConcatCase{Axis: 0, X: [][]int{{100000}, {7}}},
	}
}

func randomConcat(r *rand.Rand) Case {
	shape := smallShape(r, 1)
	c := &ConcatCase{Axis: r.IntN(2*len(shape)) - len(shape)}
	at := (c.Axis + len(shape)) % len(shape)
	for range 1 + r.IntN(6) {
		x := slices.Clone(shape)
		x[at] = pick(r, sizes[:12]...)
		c.X = append(c.X, x)
	}
	return c
}

// smallShape draws a shape of at least low and at most MaxRank axes, and of at
// most some thousand elements.
func smallShape(r *rand.Rand, low int) []int {
	shape := []int{}
	limit := 4096
	for range low + r.IntN(spec.MaxRank-low+1) {
		s := min(pick(r, sizes...), limit)
		limit /= s
		shape = append(shape, s)
	}
	r.Shuffle(len(shape), func(i, j int) { shape[i], shape[j] = shape[j], shape[i] })
	return shape
}
