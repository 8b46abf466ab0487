package simd

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSumGrads(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, n := range sizes {
			dy, x, w := random(r, n), random(r, n), random(r, n)
			for _, weight := range [][]float32{nil, w} {
				if n == 0 && weight != nil {
					continue
				}
				var want GradSums
				for i, v := range x {
					d, z := float64(dy[i]), float64(v)-0.3
					if weight != nil {
						d *= float64(weight[i])
					}
					want.D, want.Product, want.Off, want.Squares = want.D+d, want.Product+d*z, want.Off+z, want.Squares+z*z
				}
				got := SumGrads(dy, x, weight, 0.3)
				tol := 1e-7 * math.Sqrt(float64(n+1)) // a product of floats is rounded
				require.InDelta(t, want.D, got.D, tol, n)
				require.InDelta(t, want.Product, got.Product, tol, n)
				require.InDelta(t, want.Off, got.Off, 1e-12*float64(n+1), n)
				require.InDelta(t, want.Squares, got.Squares, 1e-12*float64(n+1), n)
			}
		}
	})
}

func TestSumGradsNear(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, n := range append([]int{32, 64, 96, 128, 160, 250, 3*maxCall + 224}, sizes...) {
			dy, x, w := random(r, n), random(r, n), random(r, n)
			for _, weight := range [][]float32{nil, w} {
				if n == 0 && weight != nil {
					continue
				}
				for _, k := range []float32{0, 0.3, -3} {
					var want, size GradSums
					for i, v := range x {
						d, z := float64(dy[i]), float64(v)-float64(k)
						if weight != nil {
							d *= float64(weight[i])
						}
						want.Add(GradSums{d, d * z, z, z * z})
						size.Add(GradSums{math.Abs(d), math.Abs(d * z), math.Abs(z), z * z})
					}
					got := SumGradsNear(dy, x, weight, k, n%3*4096)
					const u = 0x1p-24 // at most 5 roundings of each sum, 1 of d, 1 or 2 of the deviation
					require.InDelta(t, want.D, got.D, 6*u*size.D, n)
					require.InDelta(t, want.Product, got.Product, 8*u*size.Product, n)
					require.InDelta(t, want.Off, got.Off, 6*u*size.Off, n)
					require.InDelta(t, want.Squares, got.Squares, 8*u*size.Squares, n)
				}
			}
		}
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			dy, x := random(r, 300), random(r, 300)
			for i := range x {
				wasX, wasD := x[i], dy[i]
				x[i] = float32(v)
				s := SumGradsNear(dy, x, nil, 0.5, 0)
				require.False(t, math.Abs(s.Product) <= math.MaxFloat32 && s.Squares <= math.MaxFloat32, "%v at %d", v, i)
				x[i], dy[i] = wasX, float32(v)
				s = SumGradsNear(dy, x, nil, 0.5, 0)
				require.False(t, math.Abs(s.D) <= math.MaxFloat32, "%v at %d", v, i)
				dy[i] = wasD
			}
		}
	})
}

func TestScaleSums(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, n := range append([]int{32, 64, 96, 128, 160, 250, 3*maxCall + 224}, sizes...) {
			dy, x := random(r, n), random(r, n)
			for _, stream := range []bool{false, true} {
				var want, size GradSums
				for i, v := range x {
					d, z := float64(dy[i]), float64(v)-0.5
					want.Add(GradSums{D: d, Product: d * z})
					size.Add(GradSums{D: math.Abs(d), Product: math.Abs(d * z)})
				}
				dx := newGuarded(n)
				got := ScaleSums(dx.s, dy, x, 0.5, 1.25, stream)
				dx.check(t, n, stream)
				const u = 0x1p-24 // see TestSumGradsNear
				require.InDelta(t, want.D, got.D, 6*u*size.D, n)
				require.InDelta(t, want.Product, got.Product, 8*u*size.Product, n)
				for i, v := range dx.s {
					require.Equal(t, 1.25*dy[i], v, "%d of %d", i, n)
				}
				require.Equal(t, got, ScaleSums(dy, dy, x, 0.5, 1.25, stream), "in place")
				require.Equal(t, dx.s, dy)
				copy(dy, random(r, n))
			}
		}
	})
}

func TestNormLine(t *testing.T) {
	l := NormLine{A: 1.5, B: -0.75, C: 0.1, K: 1.25, Inv: 0.5, Rest: -0.01}
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, n := range sizes {
			dy, x, w := special(random(r, n), 41), special(random(r, n), 37), random(r, n)
			line := func(i int, d float64) float64 { return 1.25*d + ((float64(x[i])-1.5)*-0.75 + float64(l.C)) }
			for _, stream := range []bool{false, true} {
				l.Ahead = 4096 - l.Ahead
				dx := newGuarded(n)
				l.Apply(dx.s, dy, x, stream)
				dx.check(t, n)
				for i, v := range dx.s {
					close(t, line(i, float64(dy[i])), v, 4e-7, n, i)
				}
			}
			for _, stream := range []bool{false, true} {
				dx, product, sum := newGuarded(n), newGuarded(n), newGuarded(n)
				p0, s0 := random(r, n), random(r, n)
				copy(product.s, p0)
				copy(sum.s, s0)
				l.ApplyAffine(dx.s, dy, x, w, product.s, sum.s, stream)
				for _, g := range []guarded{dx, product, sum} {
					g.check(t, n)
				}
				for i, v := range dx.s {
					d := float64(dy[i])
					close(t, line(i, d*float64(w[i])), v, 4e-7, n, i)
					close(t, float64(p0[i])+d*((float64(x[i])-1.5)*0.5+float64(l.Rest)), product.s[i], 4e-7, n, i)
					close(t, float64(s0[i])+d, sum.s[i], 2e-7, n, i)
				}
			}
		}
	})
}

func TestWidenAdd(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, n := range sizes {
			x := random(r, n)
			g := newGuarded(n)
			copy(g.s, x)
			acc := make([]float64, n+2)
			for i := range acc {
				acc[i] = float64(i)
			}
			WidenAdd(acc[1:n+1], g.s)
			g.check(t, n)
			require.Zero(t, acc[0])
			require.Equal(t, float64(n+1), acc[n+1])
			for i := range x {
				require.Zero(t, g.s[i])
				require.Equal(t, float64(i+1)+float64(x[i]), acc[i+1])
			}
		}
	})
}
