package cases

import (
	"math"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// SliceCase is one slice.
type SliceCase struct{ X, Begin, End, Step []int }

var sliceRow = Row{
	Name:    "slice",
	New:     func() Case { return &SliceCase{} },
	Random:  randomSlice,
	Awkward: awkwardSlice,
	Kernels: gatherVariants,
}

func (c *SliceCase) geometry() spec.Gather { return must(spec.NewSlice(c.X, c.Begin, c.End, c.Step)) }

// Inputs is x.
func (c *SliceCase) Inputs() []Input { return []Input{{Shape: c.X}} }

// Call slices.
func (c *SliceCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.Slice(in[0], c.Begin, c.End, c.Step)
	return []*ops.Tensor{y}, err
}

// Oracle slices.
func (c *SliceCase) Oracle(in [][]float64) []Want { return wantGather(c.geometry(), in) }

// Work counts the bytes of what is taken.
func (c *SliceCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return 0, 2 * bytesOf(g.OutShape())
}

func awkwardSlice() []Case {
	return []Case{
		&SliceCase{X: []int{7}},
		&SliceCase{X: []int{7}, Begin: []int{-1}, End: []int{math.MinInt}, Step: []int{-1}},
		&SliceCase{X: []int{7}, Begin: []int{2}, End: []int{math.MaxInt}, Step: []int{3}},
		&SliceCase{X: []int{4, 6, 8}, Begin: []int{1, 2, 4}, End: []int{3, 5, 8}},
		&SliceCase{X: []int{4, 6, 8}, Begin: []int{1}, End: []int{2}},
		&SliceCase{X: []int{3, 16, 16}, Begin: []int{0, 4, 4}, End: []int{3, 12, 12}},
		&SliceCase{X: []int{2, 3, 2, 3, 2, 3, 2, 3}, Begin: []int{1, 2, 1, 2, 1, 2, 1, 2}, Step: []int{-1, -2, -1, -1, -1, -2, -1, -1}},
	}
}

func randomSlice(r *rand.Rand) Case {
	for { // until something is left of every axis
		c := &SliceCase{X: smallShape(r, 0)}
		for _, s := range c.X {
			begin, end, step := r.IntN(s), s, pick(r, 1, 1, 1, 2, 3)
			if r.IntN(2) == 0 {
				end = begin + 1 + r.IntN(s-begin)
			}
			if r.IntN(4) == 0 {
				begin, end, step = end-1, begin-1-s, -step
			}
			if r.IntN(4) == 0 && begin < s {
				begin -= s
			}
			c.Begin, c.End, c.Step = append(c.Begin, begin), append(c.End, end), append(c.Step, step)
		}
		if _, err := spec.NewSlice(c.X, c.Begin, c.End, c.Step); err == nil {
			return c
		}
	}
}
