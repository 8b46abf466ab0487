package simd

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTrigNextToZeros compares with float64 beside every multiple of Pi/2 up to
// 2^17, where hardly a digit of the argument is left.
func TestTrigNextToZeros(t *testing.T) {
	var x []float32
	for k := 1; float64(k)*math.Pi/2 < 1<<17-1; k++ {
		c := float32(float64(k) * math.Pi / 2)
		for _, v := range []float32{math.Nextafter32(c, 0), c, math.Nextafter32(c, math.MaxFloat32)} {
			x = append(x, v, -v)
		}
	}
	y := make([]float32, len(x))
	onEach(t, func(t *testing.T) {
		for i, f := range []struct {
			kernel Partial
			exact  func(float64) float64
		}{{Sin, math.Sin}, {Cos, math.Cos}, {Tan, math.Tan}} {
			done := f.kernel.Apply(y, x)
			if done < 0 && Active() == Portable {
				return // plain Go has no kernels here: the sweep of all functions checks what it computes instead
			}
			require.Equal(t, len(x), done)
			for j, v := range x {
				want := f.exact(float64(v))
				ulp := math.Ldexp(1, max(math.Ilogb(want), -126)-23)
				require.LessOrEqual(t, math.Abs(float64(y[j])-want), 4*ulp, "function %d of %v", i, v)
			}
		}
	})
}
