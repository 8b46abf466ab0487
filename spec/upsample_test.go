package spec

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUpsamplePositions(t *testing.T) {
	for _, c := range []struct {
		in, out int
		p       UpsampleParams
		at      []int
		beyond  []float64
	}{
		{3, 6, UpsampleParams{Scale: []float64{2}}, []int{0, 0, 1, 1, 2, 2}, nil},
		{3, 4, UpsampleParams{Size: []int{4}}, []int{0, 0, 1, 2}, nil},
		{10, 11, UpsampleParams{Scale: []float64{1.1}}, []int{0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, nil},
		{10, 3, UpsampleParams{Scale: []float64{0.3}}, []int{0, 3, 6}, nil},
		{5, 3, UpsampleParams{Size: []int{3}, Mode: NearestExact}, []int{0, 2, 4}, nil},
		{3, 6, UpsampleParams{Size: []int{6}, Mode: Linear}, []int{0, 0, 0, 1, 1, 2}, []float64{0, 0.25, 0.75, 0.25, 0.75, 0}},
		{2, 4, UpsampleParams{Size: []int{4}, Mode: Linear, AlignCorners: true}, []int{0, 0, 0, 1}, []float64{0, 1. / 3, 2. / 3, 0}},
		{4, 1, UpsampleParams{Size: []int{1}, Mode: Linear}, []int{1}, []float64{0.5}},
		{4, 1, UpsampleParams{Size: []int{1}, Mode: Linear, AlignCorners: true}, []int{0}, []float64{0}},
	} {
		g, err := NewUpsample([]int{1, 1, c.in}, c.p)
		require.NoError(t, err, "%+v", c)
		require.Equal(t, []int{1, 1, c.out}, g.OutShape(), "%+v", c)
		for o := range c.out {
			at, beyond := g.Position(2, o)
			assert.Equal(t, c.at[o], at, "%+v at %d", c, o)
			if c.beyond != nil {
				assert.InDelta(t, c.beyond[o], beyond, 1e-15, "%+v at %d", c, o)
			}
		}
	}
}

func TestRatio(t *testing.T) {
	for _, c := range []struct {
		v    float64
		p, q int
	}{{2, 2, 1}, {0.5, 1, 2}, {1.1, 11, 10}, {0.1, 1, 10}, {1. / 3, 1, 3}, {22.05 / 16, 441, 320}, {1e9, 1 << 24, 1}, {1e-9, 0, 1}} {
		p, q := ratio(c.v)
		assert.Equal(t, [2]int{c.p, c.q}, [2]int{p, q}, "%v", c.v)
	}
	p, q := ratio(math.Pi)
	assert.InEpsilon(t, math.Pi, float64(p)/float64(q), 1e-12)
}

func TestUpsampleErrors(t *testing.T) {
	x := []int{1, 2, 3, 4}
	for _, c := range []struct {
		x    []int
		p    UpsampleParams
		kind error
		want string
	}{
		{[]int{3, 4}, UpsampleParams{Size: []int{4}}, ErrShape, "[3 4]"},
		{x, UpsampleParams{}, ErrParam, "neither"},
		{x, UpsampleParams{Size: []int{4}, Scale: []float64{2}}, ErrParam, "both"},
		{x, UpsampleParams{Size: []int{4, 4, 4}}, ErrParam, "3 numbers"},
		{x, UpsampleParams{Size: []int{0}}, ErrParam, "size 0"},
		{x, UpsampleParams{Size: []int{4, -4}}, ErrParam, "size -4 of axis 3"},
		{x, UpsampleParams{Scale: []float64{-1}}, ErrParam, "scale -1"},
		{x, UpsampleParams{Scale: []float64{math.NaN()}}, ErrParam, "NaN"},
		{x, UpsampleParams{Scale: []float64{math.Inf(1)}}, ErrParam, "Inf"},
		{x, UpsampleParams{Scale: []float64{0.3}}, ErrShape, "leaves nothing of axis 2"},
		{x, UpsampleParams{Scale: []float64{1e-12}}, ErrShape, "leaves nothing"},
		{x, UpsampleParams{Scale: []float64{1e12}}, ErrTooLarge, "scale"},
		{x, UpsampleParams{Size: []int{1 << 25}}, ErrTooLarge, "33554432"},
		{x, UpsampleParams{Size: []int{1 << 16}}, ErrTooLarge, "elements"},
		{x, UpsampleParams{Size: []int{4}, AlignCorners: true}, ErrParam, "AlignCorners"},
		{x, UpsampleParams{Size: []int{4}, Mode: 7}, ErrParam, "UpsampleMode(7)"},
	} {
		_, err := NewUpsample(c.x, c.p)
		require.ErrorIs(t, err, c.kind, c.want)
		assert.ErrorContains(t, err, c.want)
	}
}
