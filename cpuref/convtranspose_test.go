package cpuref

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/spec"
)

// TestConvTransposeIsAdjoint checks that <conv(y), x> = <y, convtranspose(x)>,
// which defines the transposed convolution, for random shapes.
func TestConvTransposeIsAdjoint(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	normal := func(shape ...int) []float64 {
		v := make([]float64, spec.Count(shape))
		for i := range v {
			v[i] = r.NormFloat64()
		}
		return v
	}
	for range 100 {
		rank, groups := 1+r.IntN(3), 1+r.IntN(3)
		cg, kg := 1+r.IntN(3), 1+r.IntN(3)
		y := []int{1 + r.IntN(2), groups * kg}
		w := []int{groups * cg, kg}
		var p spec.ConvParams
		for range rank {
			k := 1 + r.IntN(4)
			w = append(w, k)
			y = append(y, 7+r.IntN(6))
			p.Stride = append(p.Stride, 1+r.IntN(3))
			p.Dilation = append(p.Dilation, 1+r.IntN(2))
			p.Padding = append(p.Padding, r.IntN(k))
		}
		p.Groups = groups
		conv, err := spec.NewConv(y, w, nil, p)
		require.NoError(t, err)
		x := conv.OutShape()
		trans, err := spec.NewConvTranspose(x, w, nil, spec.ConvTransposeParams{
			Stride: p.Stride, Dilation: p.Dilation, Padding: p.Padding, Groups: groups, OutputSize: y[2:]})
		require.NoError(t, err)
		require.Equal(t, y, trans.OutShape())

		xv, yv, wv := normal(x...), normal(y...), normal(w...)
		cy, tx := make([]float64, len(xv)), make([]float64, len(yv))
		Conv(cy, yv, wv, nil, conv)
		ConvTranspose(tx, xv, wv, nil, trans)
		left, right := 0.0, 0.0
		for i := range cy {
			left += cy[i] * xv[i]
		}
		for i := range tx {
			right += tx[i] * yv[i]
		}
		assert.InDelta(t, left, right, 1e-9)
	}
}
