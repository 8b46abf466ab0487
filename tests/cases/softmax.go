package cases

import (
	"math"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// SoftmaxCase is one softmax, log softmax or hardmax.
type SoftmaxCase struct {
	X    []int
	Axis int
	Kind spec.SoftmaxKind
	// Values says how x is drawn: "" normally, "wide" with deviation 40, "peak"
	// with one far above the rest, "ties" of few values, "special" with NaN and
	// infinities, "minus" of little but -Inf, "large" around 10^4.
	Values string
	Ranged
}

var softmaxRow = Row{
	Name:    "softmax",
	New:     func() Case { return &SoftmaxCase{} },
	Random:  randomSoftmax,
	Awkward: awkwardSoftmax,
	Kernels: []string{"naive", "columns", "rows", "group", "split"},
}

func (c *SoftmaxCase) geometry() spec.SoftmaxOf {
	g, err := spec.NewSoftmax(c.X, c.Axis, c.Kind)
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

func (c *SoftmaxCase) draw(r *rand.Rand) float32 {
	v := float32(r.NormFloat64())
	inf := float32(math.Inf(1))
	switch c.Values {
	case "wide":
		return 40 * v
	case "peak":
		if r.IntN(10) == 0 {
			return 15 + v
		}
		return v - 5
	case "ties":
		return float32(r.IntN(3))
	case "special":
		switch r.IntN(60) {
		case 0:
			return float32(math.NaN())
		case 1:
			return inf
		case 2, 3, 4, 5:
			return -inf
		}
	case "minus":
		if r.IntN(6) > 0 {
			return -inf
		}
	case "large":
		return 1e4 + 10*v
	}
	return v
}

// Inputs is x.
func (c *SoftmaxCase) Inputs() []Input { return []Input{{Shape: c.X, Draw: c.draw, Range: free}} }

// Call computes it.
func (c *SoftmaxCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	f := ops.Softmax
	switch c.Kind {
	case spec.LogSoftmax:
		f = ops.LogSoftmax
	case spec.Hardmax:
		f = ops.Hardmax
	}
	y, err := f(in[0], c.Axis)
	return []*ops.Tensor{y}, err
}

// Oracle computes it in float64.
func (c *SoftmaxCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	y := make([]float64, len(in[0]))
	cpuref.Softmax(y, in[0], g)
	return []Want{{Shape: g.OutShape(), Value: y, Budget: g.Budget()}}
}

// Work counts one read and one write.
func (c *SoftmaxCase) Work() (flops, bytes float64) {
	g := c.geometry()
	return g.Flops(), 2 * bytesOf(c.X)
}

func awkwardSoftmax() []Case {
	var all []Case
	for _, kind := range []spec.SoftmaxKind{spec.Softmax, spec.LogSoftmax, spec.Hardmax} {
		all = append(all,
			&SoftmaxCase{X: []int{1}, Kind: kind},
			&SoftmaxCase{X: []int{7, 1}, Axis: 1, Kind: kind, Values: "special"},
			&SoftmaxCase{X: []int{3, 4, 5}, Axis: 1, Kind: kind},
			&SoftmaxCase{X: []int{3, 5, 8}, Axis: 1, Kind: kind, Values: "wide"},
			&SoftmaxCase{X: []int{2, 21, 77}, Axis: 1, Kind: kind, Values: "wide"},
			&SoftmaxCase{X: []int{2, 30, 64}, Axis: 1, Kind: kind, Values: "special"},
			&SoftmaxCase{X: []int{1, 50, 65}, Axis: 1, Kind: kind, Values: "peak"},
			&SoftmaxCase{X: []int{300, 35}, Axis: 0, Kind: kind, Values: "large"},
			&SoftmaxCase{X: []int{2, 1000}, Axis: -1, Kind: kind},
			&SoftmaxCase{X: []int{2, 1001}, Axis: -1, Kind: kind, Values: "peak"},
			&SoftmaxCase{X: []int{1, 25000}, Axis: 1, Kind: kind, Values: "wide"},
			&SoftmaxCase{X: []int{70001, 2}, Axis: 0, Kind: kind, Values: "large"},
			&SoftmaxCase{X: []int{40, 6}, Axis: 1, Kind: kind, Values: "special"},
			&SoftmaxCase{X: []int{40, 8}, Axis: 1, Kind: kind, Values: "minus"},
			&SoftmaxCase{X: []int{9, 12}, Axis: 0, Kind: kind, Values: "ties"},
		)
	}
	return all
}

func randomSoftmax(r *rand.Rand) Case {
	c := &SoftmaxCase{
		Kind:   pick(r, spec.Softmax, spec.Softmax, spec.LogSoftmax, spec.LogSoftmax, spec.Hardmax),
		Values: pick(r, "", "wide", "peak", "ties", "special", "minus", "large"),
	}
	for range 1 + r.IntN(4) {
		c.X = append(c.X, pick(r, sizes[:13]...))
	}
	c.Axis = r.IntN(len(c.X))
	if r.IntN(3) == 0 {
		c.X[c.Axis] = pick(r, 64, 100, 255, 1000, 1024, 3001)
	}
	if spec.Count(c.X) > 1<<18 {
		return &SoftmaxCase{X: c.X[:1], Kind: c.Kind, Values: c.Values}
	}
	if r.IntN(2) == 0 {
		c.Axis -= len(c.X)
	}
	return c
}
