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
			dy := random(r, spec.Count(g.OutShape()))
			dst := newGuarded(g.N * g.InSize())
			got := repeatable(t, "upsample", func() []float32 {
				UpsampleGrad(dst.s, dy, g)
				return append([]float32{}, dst.s...)
			})
			dst.check(t, "upsample")
			passes, shapes := g.Passes()
			all := func(f func(float64) float64) []float64 {
				now := mapped(dy, f)
				for i, p := range passes {
					next := make([]float64, spec.Count(shapes[i]))
					cpuref.UpsampleGrad(next, now, p)
					now = next
				}
				return now
			}
			requireNear(t, "upsample", spec.UpsampleGradBudget(g), got, all(asIs), all(math.Abs))
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
				Begin: []int{r.IntN(11) - 4, r.IntN(11) - 4}, End: []int{r.IntN(11) - 4, r.IntN(11) - 4},
			}
			pad, err := spec.NewPad(x, params)
			require.NoError(t, err)
			passes, shapes, err := spec.NewPadGrads(x, pad.OutShape(), params)
			require.NoError(t, err)
			dy := random(r, spec.Count(pad.OutShape()))
			dst := newGuarded(spec.Count(x))
			got := repeatable(t, "pad", func() []float32 {
				PadGrad(dst.s, dy, passes)
				return append([]float32{}, dst.s...)
			})
			if len(passes) == 0 {
				continue // nothing was padded
			}
			dst.check(t, "pad")
			all := func(f func(float64) float64) []float64 {
				now := mapped(dy, f)
				for i, p := range passes {
					next := make([]float64, spec.Count(shapes[i]))
					cpuref.PadGrad(next, now, p)
					now = next
				}
				return now
			}
			requireNear(t, "pad", spec.PadGradBudget(), got, all(asIs), all(math.Abs))
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
