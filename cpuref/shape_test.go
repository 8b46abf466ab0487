package cpuref

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/spec"
)

// iota64 returns 0, 1, 2, ...
func iota64(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = float64(i)
	}
	return v
}

func TestBinary64(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		f          spec.BinaryFunc
		a, b, want float64
	}{
		{spec.Add, 1, 2, 3}, {spec.Sub, 1, 2, -1}, {spec.Mul, 3, 2, 6}, {spec.Div, 3, 2, 1.5},
		{spec.Div, 1, 0, inf}, {spec.Min, 1, nan, nan}, {spec.Max, nan, 1, nan}, {spec.Max, 1, 2, 2},
		{spec.Pow, 2, 10, 1024}, {spec.Pow, -2, 3, -8}, {spec.Pow, -2, 0.5, nan}, {spec.Pow, nan, 0, 1},
		{spec.Pow, 1, nan, 1}, {spec.Pow, 0, -1, inf}, {spec.Pow, -1, inf, 1}, {spec.Pow, 0.5, inf, 0},
		{spec.PReLU, -2, 0.5, -1}, {spec.PReLU, 2, 0.5, 2}, {spec.PReLU, nan, 0.5, nan}, {spec.PReLU, 0, inf, 0},
		{200, 1, 1, nan},
	} {
		assert.InDelta(t, c.want, Binary64(c.f, c.a, c.b), 0, "%v(%v, %v)", c.f, c.a, c.b)
	}
}

func TestBinaryBroadcast(t *testing.T) {
	g, err := spec.NewBinary(spec.Sub, []int{2, 1, 2}, []int{3, 1})
	require.NoError(t, err)
	y := make([]float64, 12)
	Binary(y, []float64{10, 20, 30, 40}, []float64{1, 2, 3}, g)
	assert.Equal(t, []float64{9, 19, 8, 18, 7, 17, 29, 39, 28, 38, 27, 37}, y)
}

func TestConcat(t *testing.T) {
	g, err := spec.NewConcat(-2, []int{2, 1, 2}, []int{2, 2, 2})
	require.NoError(t, err)
	y := make([]float64, 12)
	Concat(y, [][]float64{{1, 2, 3, 4}, {5, 6, 7, 8, 9, 10, 11, 12}}, g)
	assert.Equal(t, []float64{1, 2, 5, 6, 7, 8, 3, 4, 9, 10, 11, 12}, y)
}

func TestTranspose(t *testing.T) {
	g, err := spec.NewTranspose([]int{2, 3, 2}, []int{2, 0, 1})
	require.NoError(t, err)
	y := make([]float64, 12)
	Gather(y, iota64(12), g)
	assert.Equal(t, []float64{0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11}, y)
}

func TestSlice(t *testing.T) {
	g, err := spec.NewSlice([]int{4, 5}, []int{3, -4}, []int{0, math.MaxInt}, []int{-2, 2})
	require.NoError(t, err)
	y := make([]float64, 4)
	Gather(y, iota64(20), g)
	assert.Equal(t, []float64{16, 18, 6, 8}, y)
}

func TestPad(t *testing.T) {
	for _, c := range []struct {
		p    spec.PadParams
		want []float64
	}{
		{spec.PadParams{Begin: []int{2}, End: []int{1}, Value: 9}, []float64{9, 9, 0, 1, 2, 9}},
		{spec.PadParams{Begin: []int{2}, End: []int{2}, Mode: spec.PadReflect}, []float64{2, 1, 0, 1, 2, 1, 0}},
		{spec.PadParams{Begin: []int{2}, End: []int{4}, Mode: spec.PadReplicate}, []float64{0, 0, 0, 1, 2, 2, 2, 2, 2}},
		{spec.PadParams{Begin: []int{3}, End: []int{2}, Mode: spec.PadCircular}, []float64{0, 1, 2, 0, 1, 2, 0, 1}},
		{spec.PadParams{Begin: []int{-1}, End: []int{1}, Value: 9}, []float64{1, 2, 9}},
		{spec.PadParams{Begin: []int{-2}, End: []int{2}, Mode: spec.PadReflect}, []float64{2, 1, 0}},
		{spec.PadParams{End: []int{-2}}, []float64{0}},
	} {
		g, err := spec.NewPad([]int{3}, c.p)
		require.NoError(t, err)
		y := make([]float64, spec.Count(g.OutShape()))
		Pad(y, iota64(3), g)
		assert.Equal(t, c.want, y, "%+v", c.p)
	}
}

func TestUpsample(t *testing.T) {
	for _, c := range []struct {
		p    spec.UpsampleParams
		want []float64
	}{
		{spec.UpsampleParams{Scale: []float64{2}}, []float64{0, 0, 1, 1, 2, 2}},
		{spec.UpsampleParams{Size: []int{4}}, []float64{0, 0, 1, 2}},
		{spec.UpsampleParams{Size: []int{4}, Mode: spec.NearestExact}, []float64{0, 1, 1, 2}},
		{spec.UpsampleParams{Size: []int{2}}, []float64{0, 1}},
		{spec.UpsampleParams{Size: []int{6}, Mode: spec.Linear}, []float64{0, 0.25, 0.75, 1.25, 1.75, 2}},
		{spec.UpsampleParams{Size: []int{5}, Mode: spec.Linear, AlignCorners: true}, []float64{0, 0.5, 1, 1.5, 2}},
		{spec.UpsampleParams{Size: []int{1}, Mode: spec.Linear, AlignCorners: true}, []float64{0}},
		{spec.UpsampleParams{Size: []int{1}, Mode: spec.Linear}, []float64{1}},
	} {
		g, err := spec.NewUpsample([]int{1, 1, 3}, c.p)
		require.NoError(t, err)
		y := make([]float64, spec.Count(g.OutShape()))
		Upsample(y, iota64(3), g)
		assert.InDeltaSlice(t, c.want, y, 1e-15, "%+v", c.p)
	}
	g, err := spec.NewUpsample([]int{1, 1, 2, 2}, spec.UpsampleParams{Size: []int{3}, Mode: spec.Linear, AlignCorners: true})
	require.NoError(t, err)
	y := make([]float64, 9)
	Upsample(y, iota64(4), g)
	assert.Equal(t, []float64{0, 0.5, 1, 1, 1.5, 2, 2, 2.5, 3}, y)
}

func TestReduce(t *testing.T) {
	x := iota64(12)
	for _, c := range []struct {
		f    spec.ReduceFunc
		p    spec.ReduceParams
		want []float64
	}{
		{spec.ReduceSum, spec.ReduceParams{}, []float64{66}},
		{spec.ReduceMean, spec.ReduceParams{Axes: []int{-1}}, []float64{0.5, 2.5, 4.5, 6.5, 8.5, 10.5}},
		{spec.ReduceMax, spec.ReduceParams{Axes: []int{0, 2}}, []float64{7, 9, 11}},
		{spec.ReduceMin, spec.ReduceParams{Axes: []int{1}}, []float64{0, 1, 6, 7}},
		{spec.ReduceSumSquare, spec.ReduceParams{Axes: []int{1, 2}}, []float64{55, 451}},
	} {
		g, err := spec.NewReduce(c.f, []int{2, 3, 2}, c.p)
		require.NoError(t, err)
		y := make([]float64, g.Outputs())
		Reduce(y, x, g)
		assert.Equal(t, c.want, y, "%v %+v", c.f, c.p)
	}
}
