package fast

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
)

// requireNear compares with the oracle's values, given magnitudes.
func requireNear(t *testing.T, what string, budget spec.Budget, got []float32, want, mag []float64) {
	t.Helper()
	for i, v := range got {
		require.LessOrEqual(t, budget.Err(v, want[i], mag[i]), 1.0, "%s: element %d is %v, want %v", what, i, v, want[i])
	}
}

func TestUpsampleGrad(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for range 100 {
			mode := []spec.UpsampleMode{spec.Nearest, spec.Linear}[r.IntN(2)]
			g, err := spec.NewUpsample([]int{2, 3, 1 + r.IntN(20), 1 + r.IntN(20)}, spec.UpsampleParams{Mode: mode, Size: []int{1 + r.IntN(50), 1 + r.IntN(50)}})
			require.NoError(t, err)
			passes, shapes := g.Passes()
			for i, p := range passes {
				dy := random(r, p.Outer*p.Out*p.Inner)
				dst := newGuarded(spec.Count(shapes[i]))
				got := repeatable(t, "upsample", func() []float32 {
					UpsampleGrad(dst.s, dy, p)
					return append([]float32{}, dst.s...)
				})
				dst.check(t, "upsample")
				want, mag := make([]float64, len(got)), make([]float64, len(got))
				cpuref.UpsampleGrad(want, mapped(dy, asIs), p)
				cpuref.UpsampleGrad(mag, mapped(dy, math.Abs), p)
				requireNear(t, "upsample", spec.UpsampleGradBudget(g), got, want, mag)
			}
		}
	})
}

func TestPadGrad(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for range 100 {
			x := []int{2, 3, 8 + r.IntN(20), 8 + r.IntN(20)}
			params := spec.PadParams{
				Mode:  []spec.PadMode{spec.PadReflect, spec.PadReplicate, spec.PadCircular}[r.IntN(3)],
				Begin: []int{r.IntN(7), r.IntN(7)}, End: []int{r.IntN(7), r.IntN(7)},
			}
			pad, err := spec.NewPad(x, params)
			require.NoError(t, err)
			passes, shapes, err := spec.NewPadGrads(x, pad.OutShape(), params)
			require.NoError(t, err)
			for i, p := range passes {
				dy := random(r, p.Outer*p.Out*p.Inner)
				dst := newGuarded(spec.Count(shapes[i]))
				got := repeatable(t, "pad", func() []float32 {
					PadGrad(dst.s, dy, p)
					return append([]float32{}, dst.s...)
				})
				dst.check(t, "pad")
				want, mag := make([]float64, len(got)), make([]float64, len(got))
				cpuref.PadGrad(want, mapped(dy, asIs), p)
				cpuref.PadGrad(mag, mapped(dy, math.Abs), p)
				requireNear(t, "pad", spec.PadGradBudget(), got, want, mag)
			}
		}
	})
}

// TestBinaryGrad has equal operands, zeros and NaN among its values.
func TestBinaryGrad(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, f := range []spec.BinaryFunc{spec.Div, spec.Min, spec.Max, spec.Pow, spec.PReLU} {
			for _, n := range []int{0, 1, 7, 17, 100, 70001} {
				dy, a, b := random(r, n), random(r, n), random(r, n)
				for i := range a {
					switch r.IntN(8) {
					case 0:
						a[i] = b[i]
					case 1:
						a[i] = 0
					case 2:
						a[i] = float32(math.NaN())
					}
				}
				g := spec.BinaryGrad{Func: f, N: n}
				wantA, wantB := make([]float64, n), make([]float64, n)
				cpuref.BinaryGrad(wantA, wantB, mapped(dy, asIs), mapped(a, asIs), mapped(b, asIs), g)
				da, db := newGuarded(n), newGuarded(n)
				repeatable(t, "binary", func() []float32 {
					BinaryGrad(da.s, db.s, dy, a, b, g)
					return append(append([]float32{}, da.s...), db.s...)
				})
				da.check(t, f.String())
				db.check(t, f.String())
				requireNear(t, f.String(), g.Budget(), da.s, wantA, wantA)
				requireNear(t, f.String(), g.Budget(), db.s, wantB, wantB)
			}
		}
	})
}
