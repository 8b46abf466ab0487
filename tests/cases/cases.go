package cases

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// Case is one call of one function.
type Case interface {
	// Inputs says what the call takes, in order.
	Inputs() []Input
	// Call makes the call.
	Call(in []*ops.Tensor) ([]*ops.Tensor, error)
	// Oracle computes what must come out, in float64.
	Oracle(in [][]float64) []Want
	// Work returns the operations that the function's definition takes, and the
	// least bytes to move: each input read once, each output written once.
	Work() (flops, bytes float64)
}

// Backward is the Case of a gradient that takes what the forward call has left
// besides inputs. Call is Save and then Gradient; a timing counts Gradient alone.
type Backward interface {
	Case
	// Save makes the forward call and returns what the gradient takes of it.
	Save(in []*ops.Tensor) ([]*ops.Tensor, error)
	// Gradient makes the gradient's own call.
	Gradient(in, saved []*ops.Tensor) ([]*ops.Tensor, error)
}

// callBackward makes both calls of a Backward.
func callBackward(c Backward, in []*ops.Tensor) ([]*ops.Tensor, error) {
	saved, err := c.Save(in)
	if err != nil {
		return nil, fmt.Errorf("forward: %w", err)
	}
	defer release(saved)
	return c.Gradient(in, saved)
}

// Input describes one input tensor. A nil Shape is an absent option.
type Input struct {
	Shape   []int
	Draw    Draw    // how its values are drawn; nil means Normal
	Indices bool    // the tensor holds int32 indices; what is drawn is rounded down
	Range   freedom // what Row.Draw may make of its values: see ranges
	Whole   bool    // values depend on their place, so that DrawsQuick repeats none
}

// Want is one expected output.
type Want struct {
	Shape []int
	Value []float64
	// Magnitude is the sum of |a*b| behind each element, for budgets that are
	// scaled by it; nil where the budget does not use it.
	Magnitude []float64
	Budget    spec.Budget
	Indices   bool // the output holds int32 indices, which must be equal
}

// Draw draws the value of one element.
type Draw func(r *rand.Rand) float32

// Normal draws from the standard normal distribution.
func Normal(r *rand.Rand) float32 { return float32(r.NormFloat64()) }

// Uniform draws evenly from lo to hi.
func Uniform(lo, hi float32) Draw {
	return func(r *rand.Rand) float32 { return lo + (hi-lo)*r.Float32() }
}

// Lenient is a case of a function some kernels of which have an error budget of
// their own.
type Lenient interface {
	Case
	// WantOf is want with the budget of a kernel of Row.Alike.
	WantOf(kernel string, in [][]float64, want []Want) []Want
}

// Row is one function's entry in the table.
type Row struct {
	Name string
	// New returns a pointer to an empty case, for JSON to fill.
	New func() Case
	// Awkward returns fixed cases that once were, or easily are, wrong.
	Awkward func() []Case
	// Random draws a small case of valid shapes and parameters.
	Random func(r *rand.Rand) Case
	// Kernels names the variants that can be forced on a device.
	Kernels []string
	// Alike are those of them that keep the budget only where values are of like
	// size. Forced, they have one of their own beside it, which holds for all
	// values: the cases are Lenient. The engine's own choice has to keep the
	// function's budget everywhere.
	Alike []string
}

// Variants returns what a check runs: the engine's own choice (the empty name),
// each kernel of the shaders, and the plain loops of pure Go. Those that the
// backend at hand lacks are skipped by Check.
func (r Row) Variants() []string {
	return append(append([]string{""}, r.Kernels...), "plain")
}

// Rows returns the table, one row for each function.
func Rows() []Row {
	return []Row{
		activationRow,
		activationGradRow,
		binaryRow,
		fusedRow,
		concatRow,
		convRow,
		convTransposeRow,
		convGradRow,
		convTransposeGradRow,
		padGradRow,
		sliceGradRow,
		binaryGradRow,
		upsampleGradRow,
		maxPoolGradRow,
		avgPoolGradRow,
		lpPoolGradRow,
		unpoolGradRow,
		gemmRow,
		gemmGradRow,
		matMulRow,
		linearRow,
		padRow,
		reduceRow,
		reduceGradRow,
		sliceRow,
		transposeRow,
		upsampleRow,
		maxPoolRow,
		avgPoolRow,
		lpPoolRow,
		unpoolRow,
		batchNormRow,
		batchNormTrainRow,
		layerNormRow,
		instanceNormRow,
		groupNormRow,
		rmsNormRow,
		meanVarianceRow,
		momentsRow,
		batchNormGradRow,
		batchNormTrainGradRow,
		layerNormGradRow,
		instanceNormGradRow,
		groupNormGradRow,
		rmsNormGradRow,
		meanVarianceGradRow,
		lossRow,
		lossGradRow,
		crossEntropyRow,
		crossEntropyGradRow,
		sgdRow,
		adamRow,
		lrnRow,
		lrnGradRow,
		lpNormalizeRow,
		lpNormalizeGradRow,
		softmaxRow,
		softmaxGradRow,
		dropoutRow,
	}
}

// Find returns the row of a name.
func Find(name string) (Row, error) {
	var names []string
	for _, r := range Rows() {
		if r.Name == name {
			return r, nil
		}
		names = append(names, r.Name)
	}
	return Row{}, fmt.Errorf("no function %q; there are %s", name, strings.Join(names, ", "))
}

// Line returns the line that repeats a case.
func Line(row string, c Case) string {
	raw, err := json.Marshal(c)
	if err != nil {
		return fmt.Sprintf("%s %+v (%v)", row, c, err)
	}
	return row + " " + string(raw)
}

// Parse reads a line that Line wrote, or a person. A case that the function
// cannot serve is an error.
func Parse(line string) (Row, Case, error) {
	name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	row, err := Find(name)
	if err != nil {
		return Row{}, nil, err
	}
	c := row.New()
	d := json.NewDecoder(strings.NewReader(rest))
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return Row{}, nil, fmt.Errorf("case of %s: %w", name, err)
	}
	if err := try(row, c); err != nil {
		return Row{}, nil, fmt.Errorf("case of %s: %w", name, err)
	}
	return row, c, nil
}

// try makes a case as Check does, but for the call. Generated cases are valid,
// so that their methods may panic where one that was typed is not.
func try(row Row, c Case) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it does not hold together: %v", p)
		}
	}()
	for _, in := range c.Inputs() {
		if _, err := spec.Elements(in.Shape); err != nil {
			return err
		}
	}
	if flops, bytes := c.Work(); flops > 1e12 || bytes > 1<<33 {
		return fmt.Errorf("it takes %.3g operations and %.3g bytes; the oracle is not that fast", flops, bytes)
	}
	Prepare(row, c)
	return nil
}

// pick returns one of the choices.
func pick[T any](r *rand.Rand, choices ...T) T { return choices[r.IntN(len(choices))] }

// sizes are the lengths of axes that random cases draw from: one, small primes,
// and one over the usual tiles.
var sizes = []int{1, 1, 2, 3, 4, 5, 7, 8, 11, 13, 16, 17, 31, 33, 65}

// bytesOf returns the bytes of float32 tensors of these shapes.
func bytesOf(shapes ...[]int) float64 {
	n := 0
	for _, s := range shapes {
		if s != nil {
			n += 4 * spec.Count(s)
		}
	}
	return float64(n)
}

// abs returns |v|, for the oracle's magnitude: the same sum over |a| and |b|.
func abs(v []float64) []float64 {
	if v == nil {
		return nil
	}
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = max(x, -x)
	}
	return out
}

// Differentiable is a case of a gradient: its inputs begin with the gradient dy
// of a function's output.
type Differentiable interface {
	Case
	// Loss is sum(dy * f(inputs)) by the function's own oracle, in float64.
	Loss(in [][]float64) float64
	// Wrt names the input that each output is the gradient with respect to.
	Wrt() []int
}

// dot returns the sum of products, the loss of a function's output with dy.
func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
