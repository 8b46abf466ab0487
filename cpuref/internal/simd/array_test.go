package simd

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

var sizes = []int{0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65, 100, 1023, maxCall + 37}

// special puts NaN and infinities among random numbers.
func special(s []float32, every int) []float32 {
	for i := range s {
		switch i % every {
		case 3:
			s[i] = float32(math.NaN())
		case 5:
			s[i] = float32(math.Inf(1))
		case 6:
			s[i] = float32(math.Inf(-1))
		}
	}
	return s
}

func TestBinaryAndTernary(t *testing.T) {
	binaries := map[Binary]func(x, y float64) float64{
		BinAdd: func(x, y float64) float64 { return x + y },
		BinSub: func(x, y float64) float64 { return x - y },
		BinMul: func(x, y float64) float64 { return x * y },
		BinDiv: func(x, y float64) float64 { return x / y },
		BinMax: math.Max, BinMin: math.Min,
		BinPrelu: func(x, y float64) float64 {
			if x >= 0 {
				return x
			}
			return x * y
		},
		BinAxpy:      func(x, y float64) float64 { return 1.5*x + y },
		BinCenterMul: func(x, y float64) float64 { return ((x-1.5)*-0.75 + 0.1) * y },
		BinPow:       math.Pow,
		BinExpSub:    func(x, y float64) float64 { return math.Exp(x - y) },
	}
	ternaries := map[Ternary]func(x, y, z float64) float64{
		TerCenterMulAdd: func(x, y, z float64) float64 { return ((x-1.5)*-0.75+0.1)*y + z },
		TerMulAdd:       func(x, y, z float64) float64 { return x*y + z },
		TerCountEqual: func(x, y, z float64) float64 {
			if x == y {
				return z + 1
			}
			return z
		},
	}
	// The infinities of Max and Min are not those of math.Max, which prefers
	// them to NaN.
	nanFirst := func(want float64, in ...float32) float64 {
		for _, v := range in {
			if v != v {
				return math.NaN()
			}
		}
		return want
	}
	// These take a divisor in range: a*y + b with y from 0 to 1.
	testOver := func(t *testing.T, r *rand.Rand, n int) {
		x, y, z := random(r, n), random(r, n), random(r, n)
		for i := range z {
			z[i] = max(z[i], -z[i])
		}
		one, two := newGuarded(n), newGuarded(n)
		BinLrn.Apply(one.s, x, z, 1.5, 0.01, 0, false)
		TerMulOver.Apply(two.s, x, y, z, 1.5, 0.01, -2)
		one.check(t, n)
		two.check(t, n)
		for i := range n {
			d := 1.5*float64(z[i]) + float64(float32(0.01))
			close(t, float64(x[i])*math.Pow(d, -0.75), one.s[i], 5e-7, "lrn", n, i)
			close(t, -2*float64(x[i])*float64(y[i])/d, two.s[i], 5e-7, "over", n, i)
		}
	}
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, n := range sizes {
			testOver(t, r, n)
			x, y, z := special(random(r, n), 41), special(random(r, n), 37), random(r, n)
			for i := 0; i < n; i += 5 {
				x[i] = y[i]
			}
			for _, stream := range []bool{false, true} {
				for f, want := range binaries {
					dst := newGuarded(n)
					f.Apply(dst.s, x, y, 1.5, -0.75, 0.1, stream)
					dst.check(t, f, n)
					for i, v := range dst.s {
						w := want(float64(x[i]), float64(y[i]))
						if f == BinMax || f == BinMin {
							w = nanFirst(w, x[i], y[i])
						}
						close(t, w, v, 3e-7, f, n, i)
					}
				}
			}
			for f, want := range ternaries {
				dst := newGuarded(n)
				f.Apply(dst.s, x, y, z, 1.5, -0.75, 0.1)
				dst.check(t, f, n)
				for i, v := range dst.s {
					close(t, want(float64(x[i]), float64(y[i]), float64(z[i])), v, 5e-7, f, n, i)
				}
			}
			if n > 0 { // in place
				in := append([]float32{}, x...)
				BinAdd.Apply(in, in, y, 0, 0, 0, false)
				dst := make([]float32, n)
				BinAdd.Apply(dst, x, y, 0, 0, 0, false)
				for i := range in {
					require.True(t, same(in[i], dst[i]))
				}
			}
		}
	})
}

// close compares with a relative tolerance, NaN and infinities exactly.
func close(t *testing.T, want float64, got float32, tol float64, what ...any) {
	t.Helper()
	w := float32(want)
	if same(w, got) || math.Abs(float64(got)-want) <= tol*math.Max(1, math.Abs(want)) {
		return
	}
	require.Fail(t, "wrong value", "%v, not %v: %v", got, w, what)
}

func TestReductions(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, n := range sizes {
			x, y := random(r, n), random(r, n)
			s, q, d, e := 0.0, 0.0, 0.0, 0.0
			m := math.Inf(-1)
			for i, v := range x {
				s += float64(v)
				q += (float64(v) - 0.3) * (float64(v) - 0.3)
				d += float64(v) * float64(y[i])
				e += math.Exp(float64(v) - 0.25)
				m = max(m, float64(v))
			}
			tol := 1e-12 * float64(n+1)
			require.InDelta(t, s, Sum(x), tol, n)
			require.InDelta(t, q, SumSquares(x, 0.3), tol, n)
			require.InDelta(t, d, Dot(x, y), tol, n)
			require.Equal(t, float32(m), Max(x), n)
			signs, above := make([]float32, n), 0
			for i, v := range x {
				if signs[i] = -1; v > 0 {
					signs[i], above = 1, above+1
				}
			}
			require.Equal(t, above, CountEqual(signs, 1), n)
			require.Zero(t, CountEqual(signs, float32(math.NaN())))
			require.InEpsilon(t, e+1, SumExp(x, 0.25)+1, 2e-7, n)
			dst := newGuarded(n)
			require.InEpsilon(t, e+1, ExpSum(dst.s, x, 0.25)+1, 2e-7, n)
			dst.check(t, n)
			for i, v := range dst.s {
				close(t, math.Exp(float64(x[i])-0.25), v, 2e-7, n, i)
			}
			for i := range min(n, 70) {
				was := x[i]
				x[i] = float32(math.NaN())
				got := Max(x)
				require.True(t, got != got, "NaN at %d of %d", i, n)
				x[i] = float32(math.Inf(1))
				require.Equal(t, x[i], Max(x))
				x[i] = was
			}
		}
		require.Equal(t, float32(math.Inf(-1)), Max(nil))
	})
}

func TestWindows(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, n := range []int{1, 15, 16, 17, 40} {
			for stride := 1; stride <= 2; stride++ {
				for _, taps := range []int{1, 2, 3, 7} {
					for step := 1; step <= 3; step++ {
						whole := (n + 15) / 16 * 16
						src := random(r, whole*stride+(taps-1)*step+1)
						special(src[:n/2], 11)
						dst := newGuarded(whole)
						WindowMax(&dst.s[0], &src[0], n, taps, step, stride)
						dst.check(t, n, taps)
						sums := newGuarded(whole)
						WindowSum(&sums.s[0], &src[0], n, taps, step, stride)
						sums.check(t, n, taps)
						for i := range n {
							m, s := src[i*stride], float64(src[i*stride])
							for k := 1; k < taps; k++ {
								m = max(m, src[i*stride+k*step])
								s += float64(src[i*stride+k*step])
							}
							require.True(t, same(m, dst.s[i]), "max n %d taps %d step %d stride %d at %d: %v, not %v", n, taps, step, stride, i, dst.s[i], m)
							close(t, s, sums.s[i], 1e-6, "sum", n, taps, step, stride, i)
						}
					}
				}
			}
		}
	})
}

func TestRepeatPairs(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, n := range []int{0, 1, 7, 8, 15, 16, 17, 33, 100} {
			src, dst := random(r, n), newGuarded(2*n)
			RepeatPairs(dst.s, src, 0.25)
			dst.check(t, n)
			for i, v := range dst.s {
				require.Equal(t, 0.25*src[i/2], v, "n %d at %d", n, i)
			}
		}
	})
}
