package tests

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kansu-dev/kansu/spec"
	"github.com/kansu-dev/kansu/tests/cases"
)

// TestFiniteDifferences compares the oracle's own gradient of every function
// that has one with central differences of the function's oracle, in float64,
// over the same cases as the check of the devices.
func TestFiniteDifferences(t *testing.T) {
	s := seed(t)
	for _, row := range cases.Rows() {
		if _, ok := row.New().(cases.Differentiable); !ok {
			continue
		}
		t.Run(row.Name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(s, 2))
			for range *randomFlag {
				c := row.Random(r).(cases.Differentiable)
				in, want := cases.Prepare(row, c)
				wide := make([][]float64, len(in))
				replaced := false
				for i, v := range in {
					for _, x := range v {
						d := float64(x)
						if math.IsNaN(d) || math.IsInf(d, 0) { // one of them would be all that the loss shows
							d, replaced = r.NormFloat64(), true
						}
						wide[i] = append(wide[i], d)
					}
				}
				if replaced {
					want = c.Oracle(wide)
				}
				for out, at := range c.Wrt() {
					checkSlope(t, r, row, c, wide, at, want[out].Value)
				}
			}
		})
	}
}

// checkSlope compares some elements of a gradient with central differences.
func checkSlope(t *testing.T, r *rand.Rand, row cases.Row, c cases.Differentiable, in [][]float64, at int, grad []float64) {
	t.Helper()
	size := 1.0 // of the gradient's elements, for those that cancel
	for _, g := range grad {
		if !math.IsNaN(g) && !math.IsInf(g, 0) {
			size = max(size, math.Abs(g))
		}
	}
	for range 5 {
		i := r.IntN(len(grad))
		x, moved := in[at][i], in[at][i]
		_, pointwise := c.(*cases.ActivationGradCase)
		if x == 0 { // where several functions have a kink, at which a convention rules
			moved = 1e-3
		} else if pointwise { // special values are those at which functions jump or bend
			if math.Abs(x) > 1e3 && unitScale(c) { // where steps that float64 resolves are no small part of a period
				moved = math.Mod(x, 999.7) // of no integer 0
			}
			moved *= 1 + 1e-3*(0.5+r.Float64()/2)*float64(1-2*r.IntN(2))
		}
		dy := in[0]
		if pointwise { // the others' values, which do not change, would hide small ones
			in[0] = make([]float64, len(dy))
			in[0][i] = dy[i]
		}
		if moved != x {
			x, in[at][i] = moved, moved
			there := c.Oracle(in)
			for out, input := range c.Wrt() {
				if input != at {
					continue
				}
				if grad[i] = there[out].Value[i]; !pointwise { // where x moved every element
					copy(grad, there[out].Value)
				}
			}
		}
		if math.IsNaN(grad[i]) || math.IsInf(grad[i], 0) || math.IsNaN(x) || math.IsInf(x, 0) {
			in[0] = dy
			continue // no slope to measure at a value that is not a number
		}
		best := math.Inf(1)
		var slope float64
		// Several step sizes: one may step over a kink, over many periods of a
		// cosine, or lose its digits; beside a pole only a small part of the
		// distance from it will do.
		near := max(1e-3, math.Abs(x))
		for _, h := range []float64{1e-5 * near, 1e-7 * near, 1e-9 * near, 1e-3, 0.01 * math.Abs(x), 1e-4 * math.Abs(x)} {
			above, below := x+h, x-h
			if !(above > below) {
				continue
			}
			in[at][i] = above
			up := c.Loss(in)
			in[at][i] = below
			down := c.Loss(in)
			in[at][i] = x
			h = (above - below) / 2 // as it was taken, after rounding
			d := (up - down) / (2 * h)
			noise := 1e-15 * (math.Abs(up) + math.Abs(down)) / h
			if e := math.Abs(d-grad[i]) - noise; e < best {
				best, slope = e, d
			}
		}
		in[0] = dy
		if !(best <= 1e-4*max(math.Abs(grad[i]), 1e-2*size)) {
			t.Errorf("gradient of input %d, element %d at %g: %g, by differences %g\n  case: %s", at, i, x, grad[i], slope, cases.Line(row.Name, c))
		}
	}
}

// unitScale reports whether a case's function has periods or steps of about 1,
// whatever the size of its argument.
func unitScale(c cases.Case) bool {
	a, ok := c.(*cases.ActivationGradCase)
	if !ok {
		return false
	}
	f, err := spec.ParsePointwise(a.Func)
	return err == nil && slices.Contains([]spec.Pointwise{spec.Sin, spec.Cos, spec.Tan, spec.Floor, spec.Ceil, spec.Round}, f)
}
