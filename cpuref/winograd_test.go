package cpuref

import (
	"math/rand/v2"
	"testing"

	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// TestWinogradMagnitude: what the method adds up is no less than the direct sum
// of |a*b|, and the large value of a tile counts for all of its outputs.
func TestWinogradMagnitude(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, mode := range []spec.PadMode{spec.PadZeros, spec.PadReflect} {
		g, err := spec.NewConv([]int{2, 4, 9, 7}, []int{6, 2, 3, 3}, []int{6}, spec.ConvParams{Groups: 2, Padding: []int{1}, PadMode: mode})
		require.NoError(t, err)
		x, w, b := make([]float64, 2*4*9*7), make([]float64, 6*2*9), make([]float64, 6)
		for _, v := range [][]float64{x, w, b} {
			for i := range v {
				v[i] = r.Float64()
			}
		}
		n := spec.Count(g.OutShape())
		direct, mag := make([]float64, n), make([]float64, n)
		Conv(direct, x, w, b, g)
		for _, m := range []int{2, 4} {
			WinogradMagnitude(mag, x, w, b, g, m)
			for i := range mag {
				require.GreaterOrEqual(t, mag[i], direct[i])
				require.Less(t, mag[i], 1000*direct[i])
			}
			x[0] = 1e9
			WinogradMagnitude(mag, x, w, b, g, m)
			require.Greater(t, mag[(m-1)*7+m-1], 1e7)
			x[0] = 1
		}
	}
}
