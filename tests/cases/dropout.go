package cases

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// DropoutCase is one dropout.
type DropoutCase struct {
	X    []int
	P    float64
	Key  uint64
	Mask bool
}

var dropoutRow = Row{
	Name:    "dropout",
	New:     func() Case { return &DropoutCase{} },
	Random:  randomDropout,
	Awkward: awkwardDropout,
	Kernels: []string{"vec4"},
}

func (c *DropoutCase) geometry() spec.Dropout {
	g, err := spec.NewDropout(c.X, c.P, c.Key, c.Mask)
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

// Inputs is x.
func (c *DropoutCase) Inputs() []Input { return []Input{{Shape: c.X}} }

// Call drops.
func (c *DropoutCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	if c.Mask {
		y, mask, err := ops.DropoutMask(in[0], c.P, c.Key)
		return []*ops.Tensor{y, mask}, err
	}
	y, err := ops.Dropout(in[0], c.P, c.Key)
	return []*ops.Tensor{y}, err
}

// Oracle drops the same elements.
func (c *DropoutCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	y, mask := make([]float64, len(in[0])), make([]float64, len(in[0]))
	cpuref.Dropout(y, mask, in[0], g)
	wants := []Want{{Shape: g.OutShape(), Value: y, Budget: g.Budget()}}
	if c.Mask {
		wants = append(wants, Want{Shape: g.OutShape(), Value: mask})
	}
	return wants
}

// Work counts one read and one write.
func (c *DropoutCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), 2 * bytesOf(c.X)
}

func awkwardDropout() []Case {
	return []Case{
		&DropoutCase{X: []int{1}, P: 0.5},
		&DropoutCase{X: []int{1000}, P: 0, Key: 1, Mask: true},
		&DropoutCase{X: []int{1000}, P: 1, Key: 1, Mask: true},
		&DropoutCase{X: []int{3, 5, 7}, P: 0.1, Key: 1<<64 - 1, Mask: true},
		&DropoutCase{X: []int{70001}, P: 0.3, Key: 0x0123456789abcdef},
		&DropoutCase{X: []int{10}, P: 1 - 0x1p-40, Key: 3, Mask: true},
	}
}

func randomDropout(r *rand.Rand) Case {
	c := &DropoutCase{P: pick(r, 0.1, 0.2, 0.5, 0.9, r.Float64()), Key: r.Uint64(), Mask: r.IntN(2) == 0}
	for range 1 + r.IntN(4) {
		c.X = append(c.X, pick(r, sizes[:12]...))
	}
	return c
}
