package tests

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
)

// TestPointwiseGradSweep compares the derivative of every pointwise function with
// its oracle over the inputs of TestPointwiseSweep, with its flags, on each
// backend.
func TestPointwiseGradSweep(t *testing.T) {
	s := seed(t)
	onEach(t, func(t *testing.T, e *ops.Engine) {
		for _, f := range sweepActivations() {
			t.Run(f.String(), func(t *testing.T) {
				budget := f.GradBudget()
				worst, at, bad, count := 0.0, float32(0), 0, 0
				for x := range sweepInputs(rand.New(rand.NewPCG(s, uint64(f.Func))), f) {
					ones := make([]float32, len(x))
					for i := range ones {
						ones[i] = 1
					}
					dy, err := e.Tensor(ones, len(x))
					require.NoError(t, err)
					in, err := e.Tensor(x, len(x))
					require.NoError(t, err)
					dx, err := ops.PointwiseGrad(dy, in, f)
					require.NoError(t, err)
					got, err := dx.Data()
					require.NoError(t, err)
					dy.Release()
					in.Release()
					dx.Release()
					for i, g := range got {
						v := float64(x[i])
						want := cpuref.PointwiseDerivative64(f, v)
						size := math.Abs(want)
						if size > 1e37 && !math.IsInf(size, 0) {
							continue // a factor of it may overflow
						}
						if !(size >= 1) || math.IsInf(size, 0) {
							size = 1
						}
						r := budget.Err(g, want, size)
						if r > 1 && math.Abs(v) < 0x1p-126 { // a device may take it for zero
							r = min(r, budget.Err(g, cpuref.PointwiseDerivative64(f, math.Copysign(0, v)), size))
						}
						if r > worst {
							worst, at = r, x[i]
						}
						if !(r <= 1) {
							bad++
						}
						count++
					}
				}
				t.Logf("worst %.3f of the budget (%v), at %v, over %d inputs", worst, budget, at, count)
				if bad > 0 {
					want := cpuref.PointwiseDerivative64(f, float64(at))
					t.Errorf("%v: %d of %d inputs are over the budget of %v; the worst: x = %v (bits %#08x) should give %v", f, bad, count, budget, at, math.Float32bits(at), want)
				}
			})
		}
	})
}
