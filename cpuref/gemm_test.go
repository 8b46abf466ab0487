package cpuref

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/spec"
)

func TestGemm(t *testing.T) {
	a := []float64{1, 2, 3, 4, 5, 6} // [2 3]
	at := []float64{1, 4, 2, 5, 3, 6}
	b := []float64{7, 8, 9, 10, 11, 12} // [3 2]
	bt := []float64{7, 9, 11, 8, 10, 12}
	want := []float64{58, 64, 139, 154}
	for _, c := range []struct {
		a, b   []float64
		sa, sb []int
		ta, tb bool
	}{
		{a, b, []int{2, 3}, []int{3, 2}, false, false},
		{at, b, []int{3, 2}, []int{3, 2}, true, false},
		{a, bt, []int{2, 3}, []int{2, 3}, false, true},
		{at, bt, []int{3, 2}, []int{2, 3}, true, true},
	} {
		g, err := spec.NewMatMul(c.sa, c.sb, spec.MatMulParams{TransA: c.ta, TransB: c.tb})
		require.NoError(t, err)
		y := make([]float64, 4)
		Gemm(y, c.a, c.b, nil, g)
		assert.Equal(t, want, y, "%+v", c)
	}
}

func TestGemmAddend(t *testing.T) {
	half, two := float32(0.5), float32(2)
	for _, c := range []struct {
		shape   []int
		c, want []float64
	}{
		{[]int{}, []float64{1}, []float64{31, 34, 71.5, 79}},
		{[]int{2}, []float64{1, 2}, []float64{31, 36, 71.5, 81}},
		{[]int{2, 1}, []float64{1, 2}, []float64{31, 34, 73.5, 81}},
		{[]int{2, 2}, []float64{1, 2, 3, 4}, []float64{31, 36, 75.5, 85}},
	} {
		g, err := spec.NewGemm([]int{2, 3}, []int{3, 2}, c.shape, spec.GemmParams{Alpha: &half, Beta: &two})
		require.NoError(t, err)
		y := make([]float64, 4)
		Gemm(y, []float64{1, 2, 3, 4, 5, 6}, []float64{7, 8, 9, 10, 11, 12}, c.c, g)
		assert.Equal(t, c.want, y, "%v", c.shape)
	}
}

func TestGemmBroadcast(t *testing.T) {
	g, err := spec.NewMatMul([]int{2, 1, 1, 2}, []int{3, 2, 1}, spec.MatMulParams{})
	require.NoError(t, err)
	y := make([]float64, 6)
	Gemm(y, []float64{1, 2, 3, 4}, []float64{1, 0, 0, 1, 1, 1}, nil, g)
	assert.Equal(t, []float64{1, 2, 3, 3, 4, 7}, y)
}
