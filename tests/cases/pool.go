package cases

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// PoolCase is one pooling: global, adaptive where Adaptive has numbers, or with
// a window.
type PoolCase struct {
	Kind     string // max, avg or lp
	X        []int
	Global   bool            `json:",omitempty"`
	Adaptive []int           `json:",omitempty"` // output sizes
	Indices  bool            `json:",omitempty"` // of a max pooling
	Norm     float32         `json:",omitempty"` // of an Lp pooling
	Values   string          `json:",omitempty"` // how x is drawn: see poolValues
	Params   spec.PoolParams `json:",omitzero"`
	Ranged
}

func poolRow(kind spec.PoolKind, kernels ...string) Row {
	name := kind.String()
	return Row{
		Name:    name + "pool",
		New:     func() Case { return &PoolCase{Kind: name} },
		Random:  func(r *rand.Rand) Case { return randomPool(r, kind) },
		Awkward: func() []Case { return awkwardPool(kind) },
		Kernels: kernels,
	}
}

var (
	maxPoolRow = poolRow(spec.PoolMax, "plane", "tile", "group", "naive")
	avgPoolRow = poolRow(spec.PoolAvg, "plane", "tile", "group", "naive")
	lpPoolRow  = poolRow(spec.PoolLp, "plane", "group", "naive")
)

// poolValues are the distributions of x. Every one has a use: "ties" repeats few
// values, so that indices show which of the equal ones is meant; "special" has
// NaN and infinities; "positive" keeps PyTorch's odd norms from cancelling, "nan" has a few NaN among such;
// "wide" has magnitudes whose squares leave float32's range.
var poolValues = map[string]Draw{
	"":         Normal,
	"ties":     func(r *rand.Rand) float32 { return float32(r.IntN(4) - 2) },
	"positive": Uniform(0, 3),
	"negative": Uniform(-3, -1),
	"special": func(r *rand.Rand) float32 {
		switch r.IntN(24) {
		case 0:
			return float32(math.NaN())
		case 1:
			return float32(math.Inf(1))
		case 2, 3, 4, 5:
			return float32(math.Inf(-1))
		}
		return Normal(r)
	},
	"nan": func(r *rand.Rand) float32 {
		if r.IntN(24) == 0 {
			return float32(math.NaN())
		}
		return 3 * r.Float32()
	},
	"wide": func(r *rand.Rand) float32 {
		return float32(r.NormFloat64() * math.Pow(10, 64*r.Float64()-33))
	},
}

func (c *PoolCase) kind() spec.PoolKind {
	switch c.Kind {
	case "max":
		return spec.PoolMax
	case "avg":
		return spec.PoolAvg
	case "lp":
		return spec.PoolLp
	}
	return spec.PoolKind(255)
}

func (c *PoolCase) resolve() (spec.Pool, error) {
	switch {
	case c.Global:
		return spec.NewGlobalPool(c.kind(), c.X, c.Norm)
	case len(c.Adaptive) > 0:
		return spec.NewAdaptivePool(c.kind(), c.X, c.Adaptive)
	}
	return spec.NewPool(c.kind(), c.X, c.Norm, c.Params)
}

func (c *PoolCase) geometry() spec.Pool {
	g, err := c.resolve()
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

// Inputs is x.
func (c *PoolCase) Inputs() []Input {
	in := Input{Shape: c.X, Draw: poolValues[c.Values], Range: free}
	switch c.Values {
	case "positive", "negative":
		in.Range = free | signed
	case "wide":
		in.Range = fixed
	}
	return []Input{in}
}

// Call pools.
func (c *PoolCase) Call(in []*ops.Tensor) (out []*ops.Tensor, err error) {
	x := in[0]
	var y, idx *ops.Tensor
	switch {
	case c.Kind == "max" && c.Global:
		y, err = ops.GlobalMaxPool(x)
	case c.Kind == "avg" && c.Global:
		y, err = ops.GlobalAvgPool(x)
	case c.Kind == "lp" && c.Global:
		y, err = ops.GlobalLpPool(x, c.Norm)
	case c.Kind == "max" && len(c.Adaptive) > 0 && c.Indices:
		y, idx, err = ops.AdaptiveMaxPoolIndices(x, c.Adaptive...)
	case c.Kind == "max" && len(c.Adaptive) > 0:
		y, err = ops.AdaptiveMaxPool(x, c.Adaptive...)
	case c.Kind == "avg" && len(c.Adaptive) > 0:
		y, err = ops.AdaptiveAvgPool(x, c.Adaptive...)
	case c.Kind == "max" && c.Indices:
		y, idx, err = ops.MaxPoolIndices(x, c.Params)
	case c.Kind == "max":
		y, err = ops.MaxPool(x, c.Params)
	case c.Kind == "avg":
		y, err = ops.AvgPool(x, c.Params)
	case c.Kind == "lp" && len(c.Adaptive) == 0:
		y, err = ops.LpPool(x, c.Params, c.Norm)
	default:
		err = fmt.Errorf("no pooling of kind %q with %+v", c.Kind, *c)
	}
	if idx != nil {
		return []*ops.Tensor{y, idx}, err
	}
	return []*ops.Tensor{y}, err
}

// Oracle pools in float64.
func (c *PoolCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	n := spec.Count(g.OutShape())
	y, idx := make([]float64, n), make([]int32, n)
	cpuref.Pool(y, idx, in[0], g)
	want := []Want{{Shape: g.OutShape(), Value: y, Budget: g.Budget()}}
	if want[0].Budget.Scaled != 0 {
		want[0].Magnitude = make([]float64, n)
		cpuref.Pool(want[0].Magnitude, nil, abs(in[0]), g)
	}
	if c.Indices {
		at := make([]float64, n)
		for i, v := range idx {
			at[i] = float64(v)
		}
		want = append(want, Want{Shape: g.OutShape(), Value: at, Indices: true})
	}
	return want
}

// Work counts one operation for each element of each window.
func (c *PoolCase) Work() (flops, bytes float64) {
	g := c.geometry()
	out := g.OutShape()
	if c.Indices {
		return g.Flops(), bytesOf(c.X, out, out)
	}
	return g.Flops(), bytesOf(c.X, out)
}

func awkwardPool(kind spec.PoolKind) []Case {
	k := func(v ...int) []int { return v }
	windows := []PoolCase{
		{X: k(1, 1, 1), Params: ops.PoolParams{Kernel: k(1)}},
		{X: k(2, 3, 33), Params: ops.PoolParams{Kernel: k(7), Stride: k(3), Padding: k(3)}},
		{X: k(1, 25, 19, 23), Params: ops.PoolParams{Kernel: k(3), Stride: k(5), Padding: k(1)}}, // stride beyond kernel
		{X: k(1, 2, 133, 141), Params: ops.PoolParams{Kernel: k(11), Stride: k(1), Padding: k(5)}},
		{X: k(1, 2, 133, 141), Params: ops.PoolParams{Kernel: k(3), Stride: k(2), Dilation: k(2, 4), Padding: k(1)}},
		{X: k(2, 5, 112, 112), Params: ops.PoolParams{Kernel: k(3), Stride: k(2), Padding: k(1)}},
		{X: k(2, 5, 56, 56), Params: ops.PoolParams{Kernel: k(2)}},
		{X: k(1, 3, 13, 13), Params: ops.PoolParams{Kernel: k(3), Stride: k(2), Ceil: true}},
		{X: k(1, 3, 2, 2), Params: ops.PoolParams{Kernel: k(3), Stride: k(3), Padding: k(1), Ceil: true}},                                            // a last window in the padding
		{X: k(2, 3, 2, 5, 3), Params: ops.PoolParams{Kernel: k(4, 3, 2), Stride: k(4, 3, 2), Padding: k(0, 1, 0), Dilation: k(1, 4, 3), Ceil: true}}, // windows beyond the whole input
		{X: k(1, 3, 28, 28), Params: ops.PoolParams{Kernel: k(3), Stride: k(1), Padding: k(2)}},                                                      // more than half the kernel
		{X: k(1, 2, 3, 3), Params: ops.PoolParams{Kernel: k(2), Stride: k(1), Dilation: k(5), Padding: k(4)}},                                        // empty windows
		{X: k(1, 2, 5, 5), Params: ops.PoolParams{Kernel: k(3), Stride: k(2), Padding: k(1, 0, 0, 1), OutSize: k(3, 3)}},
		{X: k(1, 3, 15, 16), Params: ops.PoolParams{Kernel: k(4, 3), Stride: k(2, 3), AutoPad: spec.SameLower}},
		{X: k(2, 4, 5, 9, 7), Params: ops.PoolParams{Kernel: k(2, 3, 1), Stride: k(1, 2, 3), Padding: k(1, 0, 0, 0, 2, 0), Ceil: true}},
		{X: k(1, 2, 9, 32, 32), Params: ops.PoolParams{Kernel: k(3), Stride: k(2), Dilation: k(2), Ceil: true}},
		{X: k(1, 2, 300, 301), Params: ops.PoolParams{Kernel: k(280), Stride: k(20)}}, // more elements than a software adapter loops over
		{X: k(1, 3, 1, 260), Params: ops.PoolParams{Kernel: k(1, 256), Stride: k(1, 2)}},
		{X: k(2, 3, 7, 7), Global: true},
		{X: k(1, 2, 1), Global: true},
		{X: k(2, 3, 112, 113), Global: true},
		{X: k(1, 5, 5000), Global: true},
		{X: k(1, 3, 3, 17, 19), Global: true},
		{X: k(3, 300, 4, 4), Global: true},
		{X: k(1, 2, 300, 200), Global: true}, // few planes, cut into segments
		{X: k(1, 1, 181, 183), Global: true},
	}
	if kind != spec.PoolLp {
		windows = append(windows,
			PoolCase{X: k(2, 3, 13, 12), Adaptive: k(9, 9)},
			PoolCase{X: k(2, 3, 224, 7), Adaptive: k(7, -1)},
			PoolCase{X: k(1, 4, 5), Adaptive: k(13)},
			PoolCase{X: k(1, 2, 5, 8, 8), Adaptive: k(1, 5, 10)},
			PoolCase{X: k(1, 2, 12, 12), Adaptive: k(4, 3)},
			PoolCase{X: k(2, 3, 14, 28), Adaptive: k(7)},
			PoolCase{X: k(1, 2, 6, 4, 10), Adaptive: k(3, 2, 5)},
			PoolCase{X: k(2, 3, 30, 31), Adaptive: k(1)},
			PoolCase{X: k(2, 3, 72, 71), Adaptive: k(1)},
			PoolCase{X: k(1, 1, 10007), Adaptive: k(9973)},
		)
	}
	var all []Case
	for i := range windows {
		c := windows[i]
		c.Kind = kind.String()
		switch kind {
		case spec.PoolMax:
			plain, ties, special := c, c, c
			ties.Indices, ties.Values = !c.Global, "ties"
			special.Indices, special.Values = !c.Global, "special"
			all = append(all, &plain, &ties, &special)
		case spec.PoolAvg:
			plain, other := c, c
			other.Params.ExcludePad, other.Values = true, "special"
			all = append(all, &plain, &other)
		case spec.PoolLp:
			plain, other := c, c
			plain.Norm, plain.Params.PlainNorm = 2, true
			other.Norm, other.Values = []float32{2, 1, 3, 2.5}[i%4], "positive"
			all = append(all, &plain, &other)
		}
	}
	return all
}

func randomPool(r *rand.Rand, kind spec.PoolKind) Case {
	rank := 1 + r.IntN(3)
	c := &PoolCase{Kind: kind.String(), X: []int{pick(r, 1, 1, 2, 3), pick(r, 1, 2, 3, 5, 8, 25)}}
	c.drawValues(r, kind)
	form := r.IntN(6)
	if form < 2 && kind == spec.PoolLp {
		form = 0
	}
	for range rank {
		limit := len(sizes) - 4*(rank-1) // keep volumes small
		n := sizes[r.IntN(limit)]
		if form < 2 {
			c.X = append(c.X, n)
			c.Adaptive = append(c.Adaptive, pick(r, 1, 2, 3, 5, 7, 9, n, -1))
			continue
		}
		p := &c.Params
		k, d := pick(r, 1, 2, 2, 3, 3, 3, 4, 5, 7), pick(r, 1, 1, 1, 1, 2, 3)
		span := (k-1)*d + 1
		p.Kernel = append(p.Kernel, k)
		p.Stride = append(p.Stride, pick(r, 1, 2, 2, 3, k, 5))
		p.Dilation = append(p.Dilation, d)
		p.Padding = append(p.Padding, r.IntN(pick(r, 1, k/2+1, span)))
		if r.IntN(3) == 0 {
			n = n / 4 * 4 // rows of whole vec4s
		}
		c.X = append(c.X, max(span, n))
	}
	switch {
	case form == 0:
		c.Global, c.Adaptive, c.Indices = true, nil, false
		return c
	case form == 1:
		return c
	}
	p := &c.Params
	switch r.IntN(6) {
	case 0:
		p.AutoPad, p.Padding = pick(r, spec.SameUpper, spec.SameLower), nil
	case 1: // every side its own padding
		for i := range rank {
			p.Padding = append(p.Padding, r.IntN((p.Kernel[i]-1)*p.Dilation[i]+1))
		}
	case 2:
		p.Stride = nil
	}
	p.Ceil = r.IntN(3) == 0
	p.ExcludePad = kind == spec.PoolAvg && r.IntN(2) == 0
	if kind == spec.PoolAvg && r.IntN(5) == 0 {
		p.Divisor = pick(r, 1, 2, 3, 7, -5, 1000)
	}
	if r.IntN(6) == 0 { // any of the sizes that are allowed
		up := c.geometry()
		for i := range rank {
			p.OutSize = append(p.OutSize, up.Out[3-rank+i])
		}
		p.Ceil = !p.Ceil
	}
	return c
}

// drawValues chooses the distribution of x, and what hangs together with it.
func (c *PoolCase) drawValues(r *rand.Rand, kind spec.PoolKind) {
	switch kind {
	case spec.PoolMax:
		c.Indices = r.IntN(2) == 0
		c.Values = pick(r, "", "ties", "special", "wide")
	case spec.PoolAvg:
		c.Values = pick(r, "", "", "positive", "special")
	case spec.PoolLp:
		c.Norm = pick[float32](r, 1, 2, 2, 2, 3, 4, 2.5, 0.5, 7, 12.75, 100)
		c.Params.PlainNorm = r.IntN(2) == 0
		c.Values = "positive"
		if c.Params.PlainNorm {
			c.Values = pick(r, "", "positive", "negative", "wide", "special")
		} else if c.Norm == 1 || c.Norm == 2 || c.Norm == 4 {
			c.Values = pick(r, "", "positive", "negative", "special")
		}
	}
}
