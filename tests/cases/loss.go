package cases

import (
	"math"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// LossCase is one loss without reduction, or its gradient with one.
type LossCase struct {
	Loss   spec.Loss
	X      []int
	Params ops.LossParams
	Normal bool `json:",omitempty"` // x is drawn normally, not now and then 30 times larger
	Ranged
}

// LossGradCase is the gradient of a loss.
type LossGradCase struct{ LossCase }

var lossRow = Row{
	Name:   "loss",
	New:    func() Case { return &LossCase{} },
	Random: func(r *rand.Rand) Case { c := randomLoss(r); c.Params.Reduction = spec.NoReduction; return &c },
	Awkward: func() []Case {
		all := []Case{&LossCase{X: []int{}, Params: ops.LossParams{Reduction: spec.NoReduction}}}
		for _, l := range spec.Losses() {
			for _, r := range []spec.Reduction{spec.ReduceToMean, spec.ReduceToSum} {
				for _, x := range [][]int{{1}, {33, 65}, {4, 5, 8}, {70001}, {1 << 17}} {
					all = append(all, &LossCase{Loss: l, X: x, Params: ops.LossParams{Reduction: r}})
				}
			}
		}
		return all
	},
	Kernels: []string{"vec4"},
}

var lossGradRow = Row{
	Name:    "loss_grad",
	New:     func() Case { return &LossGradCase{} },
	Random:  func(r *rand.Rand) Case { return &LossGradCase{randomLoss(r)} },
	Awkward: func() []Case { return []Case{&LossGradCase{LossCase{X: []int{}}}} },
	Kernels: []string{"vec4"},
}

func randomLoss(r *rand.Rand) LossCase {
	c := LossCase{Loss: pick(r, spec.Losses()...), X: []int{pick(r, sizes...), pick(r, sizes...)}}
	c.Params.Reduction = pick(r, spec.ReduceToMean, spec.ReduceToSum, spec.NoReduction)
	c.Params.Beta = pick(r, float32(0), 0.5, 2)
	return c
}

func (c *LossCase) geometry() spec.Elementwise {
	g, err := spec.NewLoss(c.Loss, c.X, c.X, c.Params)
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

// Inputs are the prediction and the target.
func (c *LossCase) Inputs() []Input {
	target := Input{Shape: c.X}
	if c.Loss == spec.BCEWithLogits {
		target.Draw = Uniform(0, 1)
	}
	return []Input{{Shape: c.X, Draw: wideOr(c.Normal), Range: free}, target}
}

func wideOr(normal bool) Draw {
	if normal {
		return Normal
	}
	return wide
}

// wide draws normal values, now and then 30 times larger.
func wide(r *rand.Rand) float32 {
	v := Normal(r)
	if r.IntN(8) == 0 {
		v *= 30
	}
	return v
}

// Call computes the loss.
func (c *LossCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	f := map[spec.Loss]func(x, t *ops.Tensor, p ops.LossParams) (*ops.Tensor, error){
		spec.MSE: ops.MSELoss, spec.L1: ops.L1Loss, spec.SmoothL1: ops.SmoothL1Loss, spec.BCEWithLogits: ops.BCEWithLogitsLoss,
	}[c.Loss]
	y, err := f(in[0], in[1], c.Params)
	return []*ops.Tensor{y}, err
}

// Oracle computes the loss in float64.
func (c *LossCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	y, mag := make([]float64, g.N), make([]float64, g.N)
	cpuref.Loss(y, in[0], in[1], g)
	for i := range mag {
		a, b := math.Abs(in[0][i]), math.Abs(in[1][i])
		switch g.Loss {
		case spec.MSE:
			mag[i] = (a + b) * math.Abs(in[0][i]-in[1][i])
		case spec.BCEWithLogits:
			mag[i] = a + a*b + 1
		default:
			mag[i] = a + b
		}
	}
	if c.Params.Reduction != spec.NoReduction {
		return []Want{c.reduced(y, mag, g)}
	}
	return []Want{{Shape: c.X, Value: y, Magnitude: mag, Budget: g.Budget()}}
}

// reduced is the sum or the mean of the losses. Its budget is that of a sum over
// what they may be wrong by.
func (c *LossCase) reduced(y, mag []float64, g spec.Elementwise) Want {
	sum, size := 0.0, 0.0
	for i := range y {
		sum += y[i]
		size += math.Abs(y[i]) + mag[i]
	}
	b, scale := g.Budget(), float64(g.Scale())
	terms := spec.SumBudget(len(y))
	return Want{Shape: []int{}, Value: []float64{sum * scale}, Magnitude: []float64{size * scale},
		Budget: spec.Budget{ULP: terms.ULP + 1, Scaled: terms.Scaled + b.Scaled + 2*b.ULP}}
}

// Work counts the bytes: two reads, and one write of what is not reduced.
func (c *LossCase) Work() (flops, bytes float64) {
	flops, bytes = 3*float64(spec.Count(c.X)), bytesOf(c.X, c.X)
	if c.Params.Reduction == spec.NoReduction {
		bytes += bytesOf(c.X)
	}
	return flops, bytes
}

// Work counts the bytes: two reads and one write, and without reduction dy.
func (c *LossGradCase) Work() (flops, bytes float64) {
	return 3 * float64(spec.Count(c.X)), bytesOf(c.X, c.X, c.X, c.dyShape())
}

func (c *LossGradCase) dyShape() []int {
	if c.Params.Reduction == spec.NoReduction {
		return c.X
	}
	return []int{}
}

// Inputs are the prediction, the target and the loss's gradient.
func (c *LossGradCase) Inputs() []Input {
	return append(c.LossCase.Inputs(), Input{Shape: c.dyShape()})
}

// Call computes the gradient.
func (c *LossGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.LossGrad(c.Loss, in[2], in[0], in[1], c.Params)
	return []*ops.Tensor{y}, err
}

// Oracle computes the gradient in float64.
func (c *LossGradCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	y, mag := make([]float64, g.N), make([]float64, g.N)
	cpuref.LossGrad(y, in[2], in[0], in[1], g)
	for i := range mag {
		d := in[2][0]
		if len(in[2]) > 1 {
			d = in[2][i]
		}
		mag[i] = math.Abs(d) * float64(g.Scale()) * (2*math.Abs(in[0][i]) + 2*math.Abs(in[1][i]) + 1)
	}
	return []Want{{Shape: c.X, Value: y, Magnitude: mag, Budget: g.Budget()}}
}

// CrossEntropyCase is one cross-entropy without reduction.
type CrossEntropyCase struct {
	Logits   []int
	Weighted bool
	Params   ops.CrossEntropyParams
	Normal   bool `json:",omitempty"` // as in LossCase
	Ranged
}

// CrossEntropyGradCase is the gradient of a cross-entropy.
type CrossEntropyGradCase struct{ CrossEntropyCase }

var crossEntropyRow = Row{
	Name: "crossentropy",
	New:  func() Case { return &CrossEntropyCase{} },
	Random: func(r *rand.Rand) Case {
		c := randomCrossEntropy(r)
		c.Params.Reduction = spec.NoReduction
		return &c
	},
	Awkward: func() []Case {
		return []Case{&CrossEntropyCase{Logits: []int{1, 1}, Params: ops.CrossEntropyParams{Reduction: spec.NoReduction}}}
	},
	Kernels: []string{"row"},
}

var crossEntropyGradRow = Row{
	Name:    "crossentropy_grad",
	New:     func() Case { return &CrossEntropyGradCase{} },
	Random:  func(r *rand.Rand) Case { return &CrossEntropyGradCase{randomCrossEntropy(r)} },
	Awkward: func() []Case { return []Case{&CrossEntropyGradCase{CrossEntropyCase{Logits: []int{1, 1}}}} },
	Kernels: []string{"row"},
}

func randomCrossEntropy(r *rand.Rand) CrossEntropyCase {
	c := CrossEntropyCase{Logits: []int{pick(r, sizes...), 1 + pick(r, sizes...)}, Weighted: r.IntN(2) == 0}
	for range r.IntN(3) {
		c.Logits = append(c.Logits, pick(r, 1, 2, 3, 5))
	}
	if r.IntN(6) == 0 { // many neighbours
		c.Logits = []int{pick(r, 1, 2), c.Logits[1], pick(r, 33, 70)}
	}
	c.Params.LabelSmoothing = pick(r, float32(0), 0, 0.1, 1)
	c.Params.Reduction = pick(r, spec.ReduceToMean, spec.ReduceToSum, spec.NoReduction)
	if r.IntN(3) == 0 {
		ignore := int32(0)
		c.Params.IgnoreIndex = &ignore
	}
	return c
}

func (c *CrossEntropyCase) labels() []int { return append([]int{c.Logits[0]}, c.Logits[2:]...) }

func (c *CrossEntropyCase) weight() []int {
	if c.Weighted {
		return []int{c.Logits[1]}
	}
	return nil
}

func (c *CrossEntropyCase) geometry() spec.CrossEntropy {
	g, err := spec.NewCrossEntropy(c.Logits, c.labels(), c.weight(), c.Params)
	if err != nil {
		panic(err) // generators draw valid cases; Call reports a mistyped one first
	}
	return g
}

// Inputs are the logits, the labels and the class weights.
func (c *CrossEntropyCase) Inputs() []Input {
	return []Input{{Shape: c.Logits, Draw: wideOr(c.Normal), Range: free}, {Shape: c.labels(), Indices: true, Draw: Uniform(0, float32(c.Logits[1]))},
		{Shape: c.weight(), Draw: Uniform(0.5, 2)}}
}

// Call computes the loss.
func (c *CrossEntropyCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.CrossEntropy(in[0], in[1], in[2], c.Params)
	return []*ops.Tensor{y}, err
}

// Oracle computes the loss in float64.
func (c *CrossEntropyCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	n := g.Samples()
	y, w, mag := make([]float64, n), make([]float64, n), make([]float64, n)
	cpuref.CrossEntropy(y, w, in[0], wholeNumbers(in[1]), in[2], g)
	most := maxAbs(in[0])
	for i := range mag {
		mag[i] = 2 * (math.Log(float64(g.C)) + 2*most)
	}
	return []Want{{Shape: g.OutShape(), Value: y, Magnitude: mag, Budget: g.Budget()}}
}

// Work counts the bytes: the logits and labels once, the losses once.
func (c *CrossEntropyCase) Work() (flops, bytes float64) {
	return 4 * float64(spec.Count(c.Logits)), bytesOf(c.Logits, c.labels(), c.labels())
}

func (c *CrossEntropyGradCase) dyShape() []int {
	if c.Params.Reduction == spec.NoReduction {
		return c.labels()
	}
	return []int{}
}

// Inputs are those of the loss, and its gradient.
func (c *CrossEntropyGradCase) Inputs() []Input {
	return append(c.CrossEntropyCase.Inputs(), Input{Shape: c.dyShape()})
}

// Call computes the gradient.
func (c *CrossEntropyGradCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	y, err := ops.CrossEntropyGrad(in[3], in[0], in[1], in[2], c.Params)
	return []*ops.Tensor{y}, err
}

// Work counts the bytes: logits and labels read, the gradient written.
func (c *CrossEntropyGradCase) Work() (flops, bytes float64) {
	return 6 * float64(spec.Count(c.Logits)), bytesOf(c.Logits, c.labels(), c.Logits, c.dyShape())
}

// Oracle computes the gradient in float64.
func (c *CrossEntropyGradCase) Oracle(in [][]float64) []Want {
	g := c.geometry()
	n := g.Samples()
	dy := append([]float64(nil), in[3]...)
	if g.Reduction == spec.ReduceToMean {
		y, w, total := make([]float64, n), make([]float64, n), 0.0
		cpuref.CrossEntropy(y, w, in[0], wholeNumbers(in[1]), in[2], g)
		for _, v := range w {
			total += v
		}
		dy[0] /= total
	}
	dx, mag := make([]float64, len(in[0])), make([]float64, len(in[0]))
	cpuref.CrossEntropyGrad(dx, dy, in[0], wholeNumbers(in[1]), in[2], g)
	for i := range mag {
		d := dy[0]
		if len(dy) > 1 {
			d = dy[i/g.Inner/g.C*g.Inner+i%g.Inner]
		}
		mag[i] = 4 * math.Abs(d)
		if d == 0 || math.IsNaN(d) || math.IsInf(d, 0) { // every sample ignored: 0/0
			mag[i] = 0
		}
	}
	return []Want{{Shape: c.Logits, Value: dx, Magnitude: mag, Budget: spec.Budget{ULP: 8, Scaled: 16}}}
}

func maxAbs(v []float64) float64 {
	m := 0.0
	for _, x := range v {
		m = max(m, math.Abs(x))
	}
	return m
}
