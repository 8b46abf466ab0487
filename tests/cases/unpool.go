package cases

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// UnpoolCase is one max unpooling. Its indices are drawn over the whole output
// plane and a little beyond, so that some repeat and some are out of range, or,
// where they are Pooled, as max pooling gives them: each within its own window.
type UnpoolCase struct {
	X      []int
	Params ops.UnpoolParams
	Pooled bool `json:",omitempty"`
	Ranged
}

var unpoolRow = Row{
	Name:    "unpool",
	New:     func() Case { return &UnpoolCase{} },
	Random:  randomUnpool,
	Awkward: awkwardUnpool,
	Kernels: []string{"naive"},
}

func (c *UnpoolCase) geometry() spec.Unpool {
	g, err := spec.NewUnpool(c.X, c.X, c.Params)
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

// Inputs are the values and the indices.
func (c *UnpoolCase) Inputs() []Input {
	idx := Input{Shape: c.X, Draw: Uniform(-1, 2), Indices: true, Whole: true}
	if g, err := spec.NewUnpool(c.X, c.X, c.Params); err == nil {
		idx.Draw = Uniform(-1, float32(g.OutSize())+1)
		if c.Pooled {
			idx.Draw = pooledIndices(g)
		}
	}
	return []Input{{Shape: c.X}, idx}
}

// pooledIndices draws one index after the other, each within its window, or -1 where
// all of that is padding.
func pooledIndices(g spec.Unpool) Draw {
	next := 0
	return func(r *rand.Rand) float32 {
		i := next % g.InSize()
		next++
		place, stride := 0, 1
		for axis := 2; axis >= 0; axis-- {
			begin := i%g.In[axis]*g.Stride[axis] - g.PadBegin[axis]
			end := min(begin+g.Kernel[axis], g.Out[axis])
			if begin = max(begin, 0); begin >= end {
				return -1
			}
			place += (begin + r.IntN(end-begin)) * stride
			stride *= g.Out[axis]
			i /= g.In[axis]
		}
		return float32(place)
	}
}

// Call unpools.
func (c *UnpoolCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.MaxUnpool(in[0], in[1], c.Params)
	return []*ops.Tensor{y}, err
}

// Oracle unpools in float64.
func (c *UnpoolCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	y := make([]float64, spec.Count(g.OutShape()))
	cpuref.Unpool(y, in[0], wholeNumbers(in[1]), g)
	return []Want{{Shape: g.OutShape(), Value: y, Budget: g.Budget()}}
}

// Work counts the bytes alone.
func (c *UnpoolCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), bytesOf(c.X, c.X, g.OutShape())
}

func awkwardUnpool() []Case {
	return []Case{
		&UnpoolCase{X: []int{1, 1, 1}, Params: ops.UnpoolParams{Kernel: []int{1}}},
		&UnpoolCase{X: []int{2, 3, 5, 7}, Params: ops.UnpoolParams{Kernel: []int{2}}},
		&UnpoolCase{X: []int{1, 25, 6, 6}, Params: ops.UnpoolParams{Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}, OutSize: []int{12, 11}}},
		&UnpoolCase{X: []int{1, 2, 3, 4, 5}, Params: ops.UnpoolParams{Kernel: []int{2, 1, 3}, Stride: []int{1, 2, 3}}},
		&UnpoolCase{X: []int{1, 2, 300}, Params: ops.UnpoolParams{Kernel: []int{3}, Stride: []int{2}, Padding: []int{1, 0}}},
		&UnpoolCase{X: []int{1, 1, 40, 40}, Params: ops.UnpoolParams{Kernel: []int{1}}}, // many indices twice
		&UnpoolCase{X: []int{2, 9, 5, 7}, Params: ops.UnpoolParams{Kernel: []int{2}}, Pooled: true},
		&UnpoolCase{X: []int{3, 5, 6, 5}, Params: ops.UnpoolParams{Kernel: []int{2, 3}, Stride: []int{3, 4}, Padding: []int{1}}, Pooled: true},
		&UnpoolCase{X: []int{9, 1, 4, 3, 5}, Params: ops.UnpoolParams{Kernel: []int{2}, OutSize: []int{9, 5, 11}}, Pooled: true},
	}
}

func randomUnpool(r *rand.Rand) Case {
	rank := 1 + r.IntN(3)
	c := &UnpoolCase{X: []int{pick(r, 1, 2, 3), pick(r, 1, 2, 5, 8)}, Pooled: r.IntN(2) == 0}
	for range rank {
		k, s := pick(r, 1, 2, 3, 4), pick(r, 1, 2, 3)
		pad := r.IntN((k + 1) / 2)
		in := 1 + sizes[r.IntN(len(sizes)-4*(rank-1))]
		c.X = append(c.X, in)
		c.Params.Kernel = append(c.Params.Kernel, k)
		c.Params.Stride = append(c.Params.Stride, s)
		c.Params.Padding = append(c.Params.Padding, pad)
		size := (in-1)*s - 2*pad + k
		c.Params.OutSize = append(c.Params.OutSize, max(1, size-s+1+r.IntN(2*s-1)))
	}
	if r.IntN(2) == 0 {
		c.Params.OutSize = nil
	}
	return c
}
