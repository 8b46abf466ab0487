package cases

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// UpsampleCase is one resampling.
type UpsampleCase struct {
	X       []int
	Params  ops.UpsampleParams
	Special bool `json:",omitempty"` // NaN and infinities among the values
	Ranged
}

var upsampleRow = Row{
	Name:    "upsample",
	New:     func() Case { return &UpsampleCase{} },
	Random:  randomUpsample,
	Awkward: awkwardUpsample,
	Kernels: []string{"vec4", "naive"},
}

func (c *UpsampleCase) geometry() spec.Upsample { return must(spec.NewUpsample(c.X, c.Params)) }

// Inputs is x.
func (c *UpsampleCase) Inputs() []Input {
	return []Input{{Shape: c.X, Draw: special(c.Special), Range: free}}
}

// Call resamples.
func (c *UpsampleCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.Upsample(in[0], c.Params)
	return []*ops.Tensor{y}, err
}

// Oracle resamples in float64.
func (c *UpsampleCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	n := count(g.OutShape())
	y, mag := make([]float64, n), make([]float64, n)
	cpuref.Upsample(y, in[0], g)
	cpuref.Upsample(mag, abs(in[0]), g)
	return []Want{{Shape: g.OutShape(), Value: y, Magnitude: mag, Budget: g.Budget()}}
}

// Work counts a product and a sum for each corner of a linear interpolation.
func (c *UpsampleCase) Work() (flops, bytes float64) {
	g := c.geometry()
	out := g.OutShape()
	if g.Mode == spec.Linear {
		flops = float64(count(out)) * float64(int(2)<<g.Rank)
	}
	return flops, bytesOf(c.X, out)
}

func awkwardUpsample() []Case {
	two := []float64{2}
	return []Case{
		&UpsampleCase{X: []int{1, 1, 1}, Params: ops.UpsampleParams{Size: []int{7}}},
		&UpsampleCase{X: []int{2, 3, 5, 7}, Params: ops.UpsampleParams{Scale: two}},
		&UpsampleCase{X: []int{2, 3, 5, 7}, Params: ops.UpsampleParams{Scale: two, Mode: spec.Linear}},
		&UpsampleCase{X: []int{2, 3, 5, 7}, Params: ops.UpsampleParams{Scale: two, Mode: spec.Linear, AlignCorners: true}},
		&UpsampleCase{X: []int{1, 2, 3, 4, 5}, Params: ops.UpsampleParams{Size: []int{7, 3, 11}, Mode: spec.Linear}},
		&UpsampleCase{X: []int{1, 2, 3, 4, 5}, Params: ops.UpsampleParams{Size: []int{1, 9, 10}, Mode: spec.Linear, AlignCorners: true}},
		&UpsampleCase{X: []int{1, 1, 100003}, Params: ops.UpsampleParams{Size: []int{99991}, Mode: spec.Linear}},
		&UpsampleCase{X: []int{1, 1, 99991}, Params: ops.UpsampleParams{Size: []int{100003}, Mode: spec.NearestExact}},
		&UpsampleCase{X: []int{1, 2, 9, 10}, Params: ops.UpsampleParams{Scale: []float64{1.1, 0.3}}},
		&UpsampleCase{X: []int{1, 2, 5, 2}, Params: ops.UpsampleParams{Scale: []float64{1.1, 2}, Mode: spec.Linear}}, // an axis keeps its size
		&UpsampleCase{X: []int{1, 2, 30, 20}, Params: ops.UpsampleParams{Size: []int{60, 60}, Mode: spec.Linear}, Special: true},
	}
}

func randomUpsample(r *rand.Rand) Case {
	c := &UpsampleCase{X: []int{pick(r, 1, 2), pick(r, 1, 3, 4)}, Special: r.IntN(8) == 0}
	c.Params.Mode = pick(r, spec.Nearest, spec.NearestExact, spec.Linear, spec.Linear)
	c.Params.AlignCorners = c.Params.Mode == spec.Linear && r.IntN(2) == 0
	rank := 1 + r.IntN(3)
	scaled := r.IntN(2) == 0
	for range rank {
		s := sizes[r.IntN(len(sizes)-3*(rank-1))]
		c.X = append(c.X, s)
		if scaled {
			c.Params.Scale = append(c.Params.Scale, max(1/float64(s), pick(r, 0.5, 1, 1.5, 2, 2, 2.5, 3, 1.1, 0.7, 3.14159)))
		} else {
			c.Params.Size = append(c.Params.Size, sizes[r.IntN(len(sizes)-3*(rank-1))])
		}
	}
	return c
}
