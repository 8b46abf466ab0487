package cpuref

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/spec"
)

var (
	nan = math.NaN()
	inf = math.Inf(1)
)

// TestPoolByHand has windows small enough to work out by hand.
func TestPoolByHand(t *testing.T) {
	five := []float64{1, 2, 3, 4, 5}
	for _, c := range []struct {
		name string
		kind spec.PoolKind
		norm float32
		x    []float64
		p    spec.PoolParams
		want []float64
		idx  []int32
	}{
		{"max", spec.PoolMax, 0, []float64{1, 3, 2, 5, 4}, spec.PoolParams{Kernel: []int{2}}, []float64{3, 5}, []int32{1, 3}},
		{"max: the first of equal ones", spec.PoolMax, 0, []float64{2, 2, 0, 2}, spec.PoolParams{Kernel: []int{4}}, []float64{2}, []int32{0}},
		{"max: the last NaN", spec.PoolMax, 0, []float64{nan, inf, nan, 2}, spec.PoolParams{Kernel: []int{4}}, []float64{nan}, []int32{2}},
		{"max: nothing above -Inf", spec.PoolMax, 0, []float64{-inf, -inf}, spec.PoolParams{Kernel: []int{2}}, []float64{-inf}, []int32{0}},
		{"max: padding is not an element", spec.PoolMax, 0, []float64{-1, -2}, spec.PoolParams{Kernel: []int{2}, Padding: []int{1}}, []float64{-1, -2}, []int32{0, 1}},
		{"max: an empty window", spec.PoolMax, 0, []float64{7}, spec.PoolParams{Kernel: []int{2}, Dilation: []int{2}, Padding: []int{1}}, []float64{-inf}, []int32{-1}},
		{"avg", spec.PoolAvg, 0, five, spec.PoolParams{Kernel: []int{2}}, []float64{1.5, 3.5}, nil},
		{"avg: padding counts", spec.PoolAvg, 0, five, spec.PoolParams{Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}}, []float64{1, 3, 3}, nil},
		{"avg: padding left out", spec.PoolAvg, 0, five, spec.PoolParams{Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}, ExcludePad: true}, []float64{1.5, 3, 4.5}, nil},
		{"avg: the overhang never counts", spec.PoolAvg, 0, five, spec.PoolParams{Kernel: []int{3}, Stride: []int{3}, Ceil: true}, []float64{2, 4.5}, nil},
		{"avg: padding counts before the overhang", spec.PoolAvg, 0, five, spec.PoolParams{Kernel: []int{4}, Stride: []int{3}, Padding: []int{1}, Ceil: true}, []float64{6. / 4, 12. / 4}, nil},
		{"avg: divisor", spec.PoolAvg, 0, five, spec.PoolParams{Kernel: []int{3}, Stride: []int{3}, Ceil: true, Divisor: 2}, []float64{3, 4.5}, nil},
		{"avg: an empty window", spec.PoolAvg, 0, []float64{7}, spec.PoolParams{Kernel: []int{2}, Dilation: []int{2}, Padding: []int{1}, ExcludePad: true}, []float64{0}, nil},
		{"lp: Pythagoras", spec.PoolLp, 2, []float64{3, -4}, spec.PoolParams{Kernel: []int{2}}, []float64{5}, nil},
		{"lp: 1 keeps signs", spec.PoolLp, 1, []float64{3, -4}, spec.PoolParams{Kernel: []int{2}}, []float64{-1}, nil},
		{"lp: 1, plain", spec.PoolLp, 1, []float64{3, -4}, spec.PoolParams{Kernel: []int{2}, PlainNorm: true}, []float64{7}, nil},
		{"lp: 3 of a negative sum", spec.PoolLp, 3, []float64{1, -2}, spec.PoolParams{Kernel: []int{2}}, []float64{nan}, nil},
		{"lp: 3, plain", spec.PoolLp, 3, []float64{1, -2}, spec.PoolParams{Kernel: []int{2}, PlainNorm: true}, []float64{math.Cbrt(9)}, nil},
		{"lp: the overhang is scaled up", spec.PoolLp, 2, []float64{2, 2, 2}, spec.PoolParams{Kernel: []int{2}, Ceil: true}, []float64{math.Sqrt(8), math.Sqrt(8)}, nil},
		{"lp: not so when plain", spec.PoolLp, 2, []float64{2, 2, 2}, spec.PoolParams{Kernel: []int{2}, Ceil: true, PlainNorm: true}, []float64{math.Sqrt(8), 2}, nil},
		{"lp: no overflow", spec.PoolLp, 9, []float64{1e200, 0}, spec.PoolParams{Kernel: []int{2}}, []float64{1e200}, nil},
		{"lp: infinity", spec.PoolLp, 3, []float64{inf, 1}, spec.PoolParams{Kernel: []int{2}}, []float64{inf}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := spec.NewPool(c.kind, []int{1, 1, len(c.x)}, c.norm, c.p)
			require.NoError(t, err)
			y := make([]float64, g.OutSize())
			var idx []int32
			if c.idx != nil {
				idx = make([]int32, len(y))
			}
			Pool(y, idx, c.x, g)
			require.Len(t, y, len(c.want))
			for i, w := range c.want {
				switch {
				case math.IsNaN(w):
					assert.True(t, math.IsNaN(y[i]), "window %d: %v", i, y[i])
				case math.IsInf(w, 0):
					assert.Equal(t, w, y[i])
				default:
					assert.InDelta(t, w, y[i], 1e-14*math.Abs(w), "window %d", i)
				}
			}
			assert.Equal(t, c.idx, idx)
		})
	}
}

// TestUnpoolUndoesPool checks that pooling what unpooling made gives the maxima
// back, with their places.
func TestUnpoolUndoesPool(t *testing.T) {
	x := []float32{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3}
	g, err := spec.NewPool(spec.PoolMax, []int{1, 1, 4, 4}, 0, spec.PoolParams{Kernel: []int{2}})
	require.NoError(t, err)
	y, idx := make([]float32, 4), make([]int32, 4)
	Pool(y, idx, x, g)
	assert.Equal(t, []float32{9, 6, 9, 9}, y)
	assert.Equal(t, []int32{5, 7, 12, 14}, idx)

	u, err := spec.NewUnpool([]int{1, 1, 2, 2}, []int{1, 1, 2, 2}, spec.UnpoolParams{Kernel: []int{2}})
	require.NoError(t, err)
	z := make([]float32, 16)
	z[0] = 42 // memory is not cleared beforehand
	Unpool(z, y, idx, u)
	assert.Equal(t, []float32{0, 0, 0, 0, 0, 9, 0, 6, 0, 0, 0, 0, 9, 0, 9, 0}, z)

	Unpool(z, []float32{1, 2, 3, 4}, []int32{6, 6, 16, -1}, u)
	assert.Equal(t, []float32{0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0}, z, "the last of two stays, those outside are left out")
}
