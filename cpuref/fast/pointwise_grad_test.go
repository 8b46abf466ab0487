package fast

import (
	"math"
	"testing"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// checkPointwiseGrad compares gradients with the oracle.
func checkPointwiseGrad(t *testing.T, f spec.Activation, dy, x, got []float32) (worst float64) {
	budget := f.GradBudget()
	for i, v := range x {
		d := cpuref.PointwiseDerivative64(f, float64(v))
		if math.Abs(d) > 1e37 && !math.IsInf(d, 0) {
			continue // f'(x) itself may overflow
		}
		want, mag := float64(dy[i])*d, math.Abs(float64(dy[i]))
		if !math.IsInf(d, 0) && d == d {
			mag *= max(1, math.Abs(d))
		}
		e := budget.Err(got[i], want, mag)
		if !(e <= 1) {
			require.Fail(t, "outside of the budget", "%v: dy %v at %v = %#08x is %v, not %v: %.3g of the budget",
				f, dy[i], v, math.Float32bits(v), got[i], float32(want), e)
		}
		worst = max(worst, e)
	}
	return worst
}

// gradValues are a sample of all float32s, what lies near the points where a
// derivative changes its formula, and what networks have.
func gradValues() []float32 {
	x := everyNth(0, 30011)
	for _, v := range []float32{0, 1, 0.5, 3, 6, 12, 14.5, 20, 40, 88.72284, 103.97208, 104, 120, 0x1p17, math.MaxFloat32, 0x1p-126, float32(math.Inf(1))} {
		for d := -40; d <= 40; d++ {
			b := math.Float32bits(v) + uint32(d)
			x = append(x, math.Float32frombits(b), math.Float32frombits(b^1<<31))
		}
	}
	for k := 1; k < 90000; k += 1 + k/50 { // near the zeros of sine and cosine
		v := math.Float32bits(float32(float64(k) * (math.Pi / 2)))
		x = append(x, math.Float32frombits(v-1), math.Float32frombits(v), -math.Float32frombits(v+1))
	}
	for d := -2000; d <= 2000; d++ {
		x = append(x, float32(d)/100)
	}
	return x
}

func TestPointwiseGrad(t *testing.T) {
	x := gradValues()
	dy := make([]float32, len(x))
	for i := range dy {
		dy[i] = float32(i%7-3) / 2
	}
	onEach(t, func(t *testing.T) {
		for _, f := range pointwiseCases() {
			if f.Func == spec.CELU && (f.A < 1e-30 || f.A > 1e30) || f.Func == spec.Softplus && f.A > 100 || f.Func == spec.Swish && f.A > 1e20 {
				continue // x/a or a*x of half a ULP less is another number
			}
			dx := newGuarded(len(x))
			PointwiseGrad(dx.s, dy, x, f)
			dx.check(t, f.String())
			t.Logf("%-28v %.2f of the budget", f, checkPointwiseGrad(t, f, dy, x, dx.s))
		}
	})
}

// TestPointwiseGradSizes: any length and alignment, on any number of threads,
// streamed or not.
func TestPointwiseGradSizes(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		x, dy := random(r, 200), random(r, 200)
		for _, f := range pointwiseCases() {
			want := make([]float32, len(x))
			PointwiseGrad(want, dy, x, f)
			for _, n := range []int{0, 1, 7, 8, 9, 15, 16, 17, 31, 33, 100} {
				off := r.IntN(len(x) - n)
				dx := newGuarded(n)
				PointwiseGrad(dx.s, dy[off:off+n], x[off:off+n], f)
				dx.check(t, f.String())
				require.True(t, equalBits(want[off:off+n], dx.s), "%v n %d", f, n)
				if g, ok := gradOf(f); ok && g.kernel.Apply(dx.s, dy[off:off+n], x[off:off+n], g.a, g.b, g.c, true) {
					require.True(t, equalBits(want[off:off+n], dx.s), "%v n %d streamed", f, n)
				}
			}
		}
		many, grad := random(r, 100001), random(r, 100001)
		for _, f := range []spec.Pointwise{spec.ReLU, spec.Mish, spec.Sin, spec.Cosh, spec.Tan} {
			repeatable(t, f.String(), func() []float32 {
				dx := make([]float32, len(many))
				PointwiseGrad(dx, grad, many, f.Default())
				return dx
			})
		}
	})
}
