package cases

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// TransposeCase is one permutation of axes; without Perm they are reversed.
type TransposeCase struct{ X, Perm []int }

var transposeRow = Row{
	Name:    "transpose",
	New:     func() Case { return &TransposeCase{} },
	Random:  randomTranspose,
	Awkward: awkwardTranspose,
	Kernels: gatherVariants,
}

// gatherVariants are the kernels that Transpose and Slice can be forced to.
var gatherVariants = shaders.GatherVariants()

func (c *TransposeCase) geometry() spec.Gather { return must(spec.NewTranspose(c.X, c.Perm)) }

// Inputs is x.
func (c *TransposeCase) Inputs() []Input { return []Input{{Shape: c.X}} }

// Call permutes.
func (c *TransposeCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.Transpose(in[0], c.Perm...)
	return []*ops.Tensor{y}, err
}

// Oracle permutes.
func (c *TransposeCase) Oracle(in [][]float64) []Want { return wantGather(c.geometry(), in) }

// Work counts the bytes.
func (c *TransposeCase) Work() (flops, bytes float64) { return 0, 2 * bytesOf(c.X) }

// wantGather is the oracle of Transpose and Slice.
func wantGather(g spec.Gather, in [][]float64) []Want {
	y := make([]float64, count(g.OutShape()))
	cpuref.Gather(y, in[0], g)
	return []Want{{Shape: g.OutShape(), Value: y}}
}

func awkwardTranspose() []Case {
	return []Case{
		&TransposeCase{X: []int{}},
		&TransposeCase{X: []int{5}},
		&TransposeCase{X: []int{1, 7}},
		&TransposeCase{X: []int{33, 65}},
		&TransposeCase{X: []int{64, 96}},
		&TransposeCase{X: []int{2, 25, 133, 41}, Perm: []int{0, 2, 3, 1}},
		&TransposeCase{X: []int{2, 31, 17, 24}, Perm: []int{0, 3, 1, 2}},
		&TransposeCase{X: []int{3, 8, 2, 64}, Perm: []int{2, 0, 1, -1}},
		&TransposeCase{X: []int{2, 3, 2, 3, 2, 3, 2, 3}, Perm: []int{7, 5, 3, 1, 0, 2, 4, 6}},
		&TransposeCase{X: []int{2, 1, 3, 1}, Perm: []int{1, 0, 3, 2}}, // moves nothing
	}
}

func randomTranspose(r *rand.Rand) Case {
	c := &TransposeCase{X: smallShape(r, 0)}
	if r.IntN(8) != 0 {
		c.Perm = r.Perm(len(c.X))
		for i := range c.Perm {
			if r.IntN(4) == 0 {
				c.Perm[i] -= len(c.X)
			}
		}
	}
	return c
}
