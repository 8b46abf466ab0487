package cases

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// PadCase is one padding.
type PadCase struct {
	X      []int
	Params ops.PadParams
	Ranged
}

var padRow = Row{
	Name:    "pad",
	New:     func() Case { return &PadCase{} },
	Random:  randomPad,
	Awkward: awkwardPad,
	Kernels: []string{"vec4", "rows", "naive"},
}

func (c *PadCase) geometry() spec.Pad { return must(spec.NewPad(c.X, c.Params)) }

// Inputs is x.
func (c *PadCase) Inputs() []Input { return []Input{{Shape: c.X}} }

// Call pads.
func (c *PadCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.Pad(in[0], c.Params)
	return []*ops.Tensor{y}, err
}

// Oracle pads.
func (c *PadCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	y := make([]float64, count(g.OutShape()))
	cpuref.Pad(y, in[0], g)
	return []Want{{Shape: g.OutShape(), Value: y}}
}

// Work counts the bytes.
func (c *PadCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return 0, bytesOf(c.X, g.OutShape())
}

func awkwardPad() []Case {
	return []Case{
		&PadCase{X: []int{}},
		&PadCase{X: []int{1}, Params: ops.PadParams{Begin: []int{3}, Value: 2.5}},
		&PadCase{X: []int{2, 3, 13, 11}, Params: ops.PadParams{Begin: []int{2, 1}, End: []int{0, 3}, Mode: spec.PadReflect}},
		&PadCase{X: []int{2, 3, 13, 11}, Params: ops.PadParams{Begin: []int{20, 1}, End: []int{0, 30}, Mode: spec.PadReplicate}},
		&PadCase{X: []int{2, 3, 13, 11}, Params: ops.PadParams{Begin: []int{13, 1}, End: []int{0, 11}, Mode: spec.PadCircular}},
		&PadCase{X: []int{2, 3, 13, 11}, Params: ops.PadParams{Begin: []int{-3, 1}, End: []int{2, -4}, Mode: spec.PadReflect}},
		&PadCase{X: []int{2, 3, 13, 11}, Params: ops.PadParams{Begin: []int{-13, -5}, End: []int{2, 1}, Value: -1}},
		&PadCase{X: []int{2, 1, 2, 1, 2, 1, 2, 1}, Params: ops.PadParams{Begin: []int{1, 0, 1, 0, 1, 0, 1, 1}, End: []int{0, 2, 0, 1, 0, 2, 0, 1}}},
		&PadCase{X: []int{2, 3, 70}, Params: ops.PadParams{Begin: []int{1}, End: []int{2}, Mode: spec.PadCircular}},
		&PadCase{X: []int{3, 190}, Params: ops.PadParams{Begin: []int{5}, End: []int{1}, Value: 3}},
		&PadCase{X: []int{3, 192}, Params: ops.PadParams{Begin: []int{150}, End: []int{140}, Mode: spec.PadReflect}},
		&PadCase{X: []int{3, 192}, Params: ops.PadParams{Begin: []int{-5}, End: []int{7}, Mode: spec.PadCircular}},
		&PadCase{X: []int{2, 12, 16}, Params: ops.PadParams{Begin: []int{-2, 7}, End: []int{3, -3}, Mode: spec.PadReplicate}},
		&PadCase{X: []int{2, 5, 3, 16}, Params: ops.PadParams{Begin: []int{1, 0, 8}, End: []int{2, 0, 4}, Value: 2}}, // whole vec4s
		&PadCase{X: []int{1, 16, 24, 32}, Params: ops.PadParams{Begin: []int{1, 4}, End: []int{1, 4}}},
	}
}

func randomPad(r *rand.Rand) Case {
	c := &PadCase{X: smallShape(r, 0)}
	c.Params.Mode = pick(r, spec.PadZeros, spec.PadZeros, spec.PadReflect, spec.PadReplicate, spec.PadCircular)
	if c.Params.Mode == spec.PadZeros {
		c.Params.Value = pick[float32](r, 0, 0, -1.5)
	}
	axes := r.IntN(len(c.X) + 1)
	for _, s := range c.X[len(c.X)-axes:] {
		most := 4
		switch c.Params.Mode {
		case spec.PadReflect:
			most = s - 1
		case spec.PadCircular:
			most = s
		}
		begin, end := min(r.IntN(5), most), min(r.IntN(5), most)
		if r.IntN(3) == 0 { // leave the axis alone, so that neighbours are one
			begin, end = 0, 0
		}
		if r.IntN(6) == 0 && s > 1 {
			begin = -r.IntN(s)
		}
		c.Params.Begin, c.Params.End = append(c.Params.Begin, begin), append(c.Params.End, end)
	}
	return c
}
