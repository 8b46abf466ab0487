package cases

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// Result is the outcome of one checked case.
type Result struct {
	Worst   float64     // largest error in units of the budget; above 1 fails
	Budget  spec.Budget // of the output that has it
	Skipped bool        // the forced kernel cannot serve this case
	Err     error       // what was wrong, with the element; nil where all is well
}

// Draws returns the values of a case's inputs for a seed. Absent ones are nil.
func Draws(c Case, seed uint64) [][]float32 { return draws(c, seed, math.MaxInt) }

// DrawsQuick is Draws for timing: of a long input so many values are drawn as no
// predictor of branches learns by heart, and then repeated.
func DrawsQuick(c Case, seed uint64) [][]float32 { return draws(c, seed, 1<<20) }

func draws(c Case, seed uint64, most int) [][]float32 {
	var in [][]float32
	for i, spec := range c.Inputs() {
		if spec.Shape == nil {
			in = append(in, nil)
			continue
		}
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		draw := spec.Draw
		if draw == nil {
			draw = Normal
		}
		v := make([]float32, count(spec.Shape))
		n := min(most, len(v))
		if spec.Whole {
			n = len(v)
		}
		for j := range n {
			v[j] = draw(r)
		}
		for ; n < len(v); n *= 2 {
			copy(v[n:], v[:n])
		}
		in = append(in, v)
	}
	applyRanges(c, in, seed)
	return in
}

func count(shape []int) int { return spec.Count(shape) }

// Seed returns a case's own seed: a hash of its line, so that the line alone
// repeats the case with the same values.
func Seed(row string, c Case) uint64 {
	h := fnv.New64a()
	h.Write([]byte(Line(row, c)))
	return h.Sum64()
}

// Upload makes tensors of drawn values; absent ones are nil.
func Upload(e *ops.Engine, c Case, in [][]float32) ([]*ops.Tensor, error) {
	ts := make([]*ops.Tensor, len(in))
	for i, spec := range c.Inputs() {
		if spec.Shape == nil {
			continue
		}
		t, err := upload(e, spec, in[i])
		if err != nil {
			return nil, err
		}
		ts[i] = t
	}
	return ts, nil
}

// Check runs a case on an engine, with a forced kernel or "" for the engine's
// own choice, and compares every output with the oracle.
func Check(e *ops.Engine, row Row, c Case, kernel string) Result {
	in, want := Prepare(row, c)
	return CheckAgainst(e, row, c, kernel, in, want)
}

// Prepare draws a case's inputs and asks the oracle for the answer.
func Prepare(row Row, c Case) (in [][]float32, want []Want) {
	in = Draws(c, Seed(row.Name, c))
	return in, c.Oracle(allWide(in))
}

// CheckAgainst is Check with inputs and the oracle's answer at hand, so that
// several kernels can be compared with one answer.
func CheckAgainst(e *ops.Engine, row Row, c Case, kernel string, in [][]float32, want []Want) Result {
	if kernel != "" {
		e.Force(row.Name, kernel)
		defer e.Force(row.Name, "")
	}
	ts, err := Upload(e, c, in)
	if err != nil {
		return Result{Err: err}
	}
	defer release(ts)
	got, err := c.Call(ts)
	if kernel != "" && errors.Is(err, ops.ErrUnsupported) {
		return Result{Skipped: true}
	}
	if err != nil {
		return Result{Err: err}
	}
	defer release(got)
	if len(got) != len(want) {
		return Result{Err: fmt.Errorf("%d outputs, the oracle has %d", len(got), len(want))}
	}
	var res Result
	if c, ok := c.(Lenient); ok && slices.Contains(row.Alike, kernel) {
		res.compare(got, c.WantOf(kernel, allWide(in), want))
		if hasRanges(c) {
			return res
		}
	}
	res.compare(got, want)
	return res
}

// compare adds the comparison of outputs with what they should be.
func (r *Result) compare(got []*ops.Tensor, want []Want) {
	for i := range got {
		worst, err := compare(got[i], want[i])
		if worst > r.Worst || r.Worst == 0 && r.Budget == (spec.Budget{}) {
			r.Worst, r.Budget = worst, want[i].Budget
		}
		if err != nil && r.Err == nil {
			r.Err = fmt.Errorf("output %d: %w", i, err)
		}
	}
}

func allWide(in [][]float32) [][]float64 {
	wide := make([][]float64, len(in))
	for i, v := range in {
		if v != nil {
			wide[i] = widen(v)
		}
	}
	return wide
}

// upload makes the tensor of one input.
func upload(e *ops.Engine, s Input, v []float32) (*ops.Tensor, error) {
	if !s.Indices {
		return e.Tensor(v, s.Shape...)
	}
	return e.Indices(wholeNumbers(widen(v)), s.Shape...)
}

// wholeNumbers are the indices that drawn values stand for.
func wholeNumbers(v []float64) []int32 {
	whole := make([]int32, len(v))
	for i := range v {
		whole[i] = int32(math.Floor(v[i]))
	}
	return whole
}

func release(ts []*ops.Tensor) {
	for _, t := range ts {
		t.Release()
	}
}

func widen(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

func compare(got *ops.Tensor, want Want) (worst float64, err error) {
	if !spec.EqualShapes(got.Shape(), want.Shape) {
		return 0, fmt.Errorf("shape %v, want %v", got.Shape(), want.Shape)
	}
	if want.Indices {
		v, err := got.Int32s()
		if err != nil {
			return 0, err
		}
		for i := range v {
			if float64(v[i]) != want.Value[i] {
				return 2, fmt.Errorf("index %d of shape %v is %d, want %v", i, want.Shape, v[i], want.Value[i])
			}
		}
		return 0, nil
	}
	v, err := got.Data()
	if err != nil {
		return 0, err
	}
	at := -1
	for i := range v {
		mag := 0.0
		if want.Magnitude != nil {
			mag = want.Magnitude[i]
		}
		e := want.Budget.Err(v[i], want.Value[i], mag)
		if math.IsNaN(e) { // a magnitude that is not a number allows nothing
			e = math.Inf(1)
		}
		if e > worst {
			worst, at = e, i
		}
	}
	if worst > 1 {
		return worst, fmt.Errorf("element %d of shape %v is %g, want %g: %.3g times the budget", at, want.Shape, v[at], want.Value[at], worst)
	}
	return worst, nil
}
