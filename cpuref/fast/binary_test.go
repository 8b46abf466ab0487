package fast

import (
	"math"
	"testing"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// numberPairs returns pairs of numbers: each special one with each other, powers
// near the bounds of float32, and random ones.
func numberPairs(t *testing.T) (a, b []float32) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	special := []float32{
		0, float32(math.Copysign(0, -1)), 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1.5, -1.5, inf, -inf, nan,
		1e-45, -1e-45, 1e-38, -1e-38, 1e-20, -1e-20, 3e38, -3e38, 1 << 23, 1<<24 + 2, -(1<<24 - 1), 1<<23 + 1,
		0.99999994, 1.0000001, -0.99999994, -1.0000001, 0.75, 0.74999994, 149, -149, 127.5, -126.5, 1e9, -1e9,
	}
	for _, u := range special {
		for _, v := range special {
			a, b = append(a, u), append(b, v)
		}
	}
	r := newRand(t)
	for range 20000 {
		u := float32(math.Exp(20 * r.NormFloat64()))
		v := float32(math.Log(math.Exp(40*r.NormFloat64())) / math.Log(float64(u))) // powers of all sizes
		switch r.IntN(8) {
		case 0:
			u = -u
		case 1:
			u, v = -u, float32(r.IntN(41)-20)
		case 2:
			u, v = 0.5+r.Float32(), 8*r.Float32()-4
		}
		a, b = append(a, u), append(b, v)
	}
	return a, b
}

// closeTo requires a value to be right to a few ULP and an absolute error.
func closeTo(t *testing.T, want float64, got float32, ulps, abs float64, what ...any) {
	t.Helper()
	w := float32(want)
	if math.Float32bits(w) == math.Float32bits(got) || w != w && got != got {
		return
	}
	exact := math.Max(math.Abs(want), 0x1p-126)
	ulp := math.Ldexp(1, math.Ilogb(exact)-23)
	if !(math.Abs(float64(got)-want) <= ulps*ulp+abs) || math.IsInf(float64(w), 0) {
		require.Fail(t, "wrong value", "%v, not %v: %v", got, want, what)
	}
}

func TestPow(t *testing.T) {
	onEach(t, func(t *testing.T) {
		a, b := numberPairs(t)
		g, err := spec.NewBinary(spec.Pow, []int{len(a)}, []int{len(a)})
		require.NoError(t, err)
		y := make([]float32, len(a))
		Binary(y, a, b, g)
		for i := range a {
			closeTo(t, math.Pow(float64(a[i]), float64(b[i])), y[i], 1, 0, a[i], b[i])
		}
		// One exponent for all, 2 among them.
		for _, e := range []float32{2, 3, -0.5, 0} {
			g, err := spec.NewBinary(spec.Pow, []int{len(a)}, []int{1})
			require.NoError(t, err)
			Binary(y, a, []float32{e}, g)
			for i := range a {
				closeTo(t, math.Pow(float64(a[i]), float64(e)), y[i], 1, 0, a[i], e)
			}
		}
	})
}

func TestPowAndDivGrad(t *testing.T) {
	onEach(t, func(t *testing.T) {
		a, b := numberPairs(t)
		r := newRand(t)
		special := []float32{0, 1, -1, float32(math.Inf(1)), float32(math.NaN()), 1e-40, -3e38}
		dy := make([]float32, len(a))
		for i := range dy {
			if dy[i] = float32(math.Exp(10 * r.NormFloat64())); i%3 == 0 {
				dy[i] = special[i/3%len(special)]
			}
		}
		da, db := make([]float32, len(a)), make([]float32, len(a))
		wantA, wantB := make([]float64, len(a)), make([]float64, len(a))
		for _, f := range []spec.BinaryFunc{spec.Pow, spec.Div} {
			g := spec.BinaryGrad{Func: f, N: len(a)}
			BinaryGrad(da, db, dy, a, b, g)
			cpuref.BinaryGrad(wantA, wantB, widened(dy), widened(a), widened(b), g)
			budget := g.Budget()
			for i := range a {
				closeTo(t, wantA[i], da[i], budget.ULP, budget.Abs, f, "da", dy[i], a[i], b[i])
				closeTo(t, wantB[i], db[i], budget.ULP, budget.Abs, f, "db", dy[i], a[i], b[i])
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
