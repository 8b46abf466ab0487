package tests

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// TestVarianceFarFromZero puts the mean at 10^4 deviations. There the formula
// E[x^2] - E[x]^2 in float32 has no digit right, and a mean that is one float32
// is off by up to 6e-4 of a deviation; every kernel of every normalization keeps
// its budget (the cases of tests/cases have such inputs), and here the figures.
func TestVarianceFarFromZero(t *testing.T) {
	const rows, n, mean = 8, 4096, 1e4
	r := rand.New(rand.NewPCG(seed(t), 2))
	x := make([]float32, rows*n)
	for i := range x {
		x[i] = float32(mean + r.NormFloat64())
	}
	exactMean, exactVar, naiveVar := make([]float64, rows), make([]float64, rows), make([]float32, rows)
	for i := range rows {
		var sum, squares float32
		for _, v := range x[i*n:][:n] {
			exactMean[i] += float64(v) / n
			sum += v
			squares += v * v
		}
		for _, v := range x[i*n:][:n] {
			exactVar[i] += (float64(v) - exactMean[i]) * (float64(v) - exactMean[i]) / n
		}
		naiveVar[i] = squares/n - (sum/n)*(sum/n)
	}
	worst := 0.0
	for i := range rows {
		worst = math.Max(worst, math.Abs(float64(naiveVar[i])-exactVar[i])/exactVar[i])
	}
	assert.Greater(t, worst, 0.5, "the naive formula is expected to fail")

	onEach(t, func(t *testing.T, e *ops.Engine) {
		for _, kernel := range []string{"", "naive", "split", "tree", "rows", "group", "plain"} {
			e.Force("layernorm", kernel)
			xt, err := e.Tensor(x, rows, n)
			require.NoError(t, err)
			y, m, inv, err := ops.LayerNormStats(xt, nil, nil, ops.LayerNormParams{Eps: -1})
			if kernel != "" && err != nil {
				require.ErrorIs(t, err, ops.ErrUnsupported)
				xt.Release()
				continue
			}
			require.NoError(t, err)
			ys, err := y.Data()
			require.NoError(t, err)
			ms, err := m.Data()
			require.NoError(t, err)
			invs, err := inv.Data()
			require.NoError(t, err)
			for i := range rows {
				assert.InDelta(t, exactMean[i], ms[i], 1e-3, "kernel %q: mean, whose spacing is 1e-3", kernel)
				assert.InEpsilon(t, 1/math.Sqrt(exactVar[i]), float64(invs[i]), 1e-6, "kernel %q: inverse deviation", kernel)
				for j := range n {
					want := (float64(x[i*n+j]) - exactMean[i]) / math.Sqrt(exactVar[i])
					if !assert.InDelta(t, want, ys[i*n+j], 3e-6, "kernel %q: element %d of row %d", kernel, j, i) {
						return
					}
				}
			}
			for _, u := range []*ops.Tensor{xt, y, m, inv} {
				u.Release()
			}
		}
	})
}

// TestDropoutIsFair checks the share of what is dropped, that the mask is the
// same on every backend and kernel, and that another seed gives another mask.
func TestDropoutIsFair(t *testing.T) {
	const n = 1 << 18
	x := make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	var first []float32
	onEach(t, func(t *testing.T, e *ops.Engine) {
		for _, p := range []float64{0.1, 0.5, 0.9} {
			xt, err := e.Tensor(x, n)
			require.NoError(t, err)
			y, mask, err := ops.DropoutMask(xt, p, 42)
			require.NoError(t, err)
			ys, err := y.Data()
			require.NoError(t, err)
			ms, err := mask.Data()
			require.NoError(t, err)
			dropped := 0
			for i := range ys {
				if ms[i] != 0 && ms[i] != 1 {
					t.Fatalf("p %v: mask %d is %v", p, i, ms[i])
				}
				if ms[i] == 0 {
					dropped++
				}
				if want := ms[i] * float32(1/(1-p)); ys[i] != want {
					t.Fatalf("p %v: element %d is %v, want %v", p, i, ys[i], want)
				}
			}
			// Five standard deviations of a binomial distribution.
			assert.InDelta(t, p*n, dropped, 5*math.Sqrt(n*p*(1-p)), "p %v", p)
			if p == 0.5 {
				if first == nil {
					first = ms
				}
				assert.Equal(t, first, ms, "the mask differs between backends")
				other, err := ops.Dropout(xt, p, 43)
				require.NoError(t, err)
				os, err := other.Data()
				require.NoError(t, err)
				assert.NotEqual(t, ys, os)
			}
		}
	})
}

// TestSoftmaxAccuracy holds softmax and log softmax to figures where the usual
// formulas lose theirs: far from the maximum, and close to 0.
func TestSoftmaxAccuracy(t *testing.T) {
	x := []float32{10.1, -70.2, 3, -5}
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(float64(v) - float64(x[0]))
	}
	onEach(t, func(t *testing.T, e *ops.Engine) {
		xt, err := e.Tensor(x, 1, 4)
		require.NoError(t, err)
		for _, kernel := range []string{"", "naive", "rows", "group", "split"} {
			if !e.Device().GPU && kernel != "" {
				continue
			}
			e.Force("softmax", kernel)
			y, err := ops.Softmax(xt, 1)
			require.NoError(t, err)
			ys, err := y.Data()
			require.NoError(t, err)
			l, err := ops.LogSoftmax(xt, 1)
			require.NoError(t, err)
			ls, err := l.Data()
			require.NoError(t, err)
			for i := range x {
				d := float64(x[i]) - float64(x[0])
				assert.InEpsilon(t, math.Exp(d)/sum, float64(ys[i]), 1e-6, "kernel %q: softmax of element %d", kernel, i)
				assert.InEpsilon(t, d-math.Log1p(sum-1), float64(ls[i]), 1e-6, "kernel %q: log softmax of element %d", kernel, i)
			}
		}
	})
}

// TestSmallGroupsNearTheMean holds layer normalization of small groups to WebNN's
// 14 ULP at every element, those next to the mean included, where a mean that is
// off by half of a float32's unit would already miss it. (The kernel split is for
// large groups, in which roundings cancel; it is never chosen for small ones.)
func TestSmallGroupsNearTheMean(t *testing.T) {
	const rows = 3000
	s := seed(t)
	onEach(t, func(t *testing.T, e *ops.Engine) {
		for _, n := range []int{3, 4, 12, 24, 100, 256} {
			r := rand.New(rand.NewPCG(s, uint64(n)))
			x := make([]float32, rows*n)
			for i := range x {
				x[i] = float32(r.Float64()*200 - 100)
			}
			for _, kernel := range []string{"", "naive", "tree", "rows", "group", "plain"} {
				e.Force("layernorm", kernel)
				xt, err := e.Tensor(x, rows, n)
				require.NoError(t, err)
				y, err := ops.LayerNorm(xt, nil, nil, ops.LayerNormParams{})
				xt.Release()
				if kernel != "" && err != nil {
					require.ErrorIs(t, err, ops.ErrUnsupported)
					continue
				}
				require.NoError(t, err)
				ys, err := y.Data()
				require.NoError(t, err)
				y.Release()
				for i := range rows {
					row := x[i*n:][:n]
					mean, variance := 0.0, 0.0
					for _, v := range row {
						mean += float64(v)
					}
					mean /= float64(n)
					for _, v := range row {
						variance += (float64(v) - mean) * (float64(v) - mean)
					}
					inv := 1 / math.Sqrt(variance/float64(n)+float64(float32(1e-5)))
					for j, v := range row {
						if d := spec.ULPDistance(ys[i*n+j], (float64(v)-mean)*inv); d > 14 {
							t.Fatalf("n %d kernel %q: element %d of row %d is off by %.0f ULP", n, kernel, j, i, d)
						}
					}
				}
			}
		}
	})
}
