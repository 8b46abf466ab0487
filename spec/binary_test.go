package spec

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBinaryAxes(t *testing.T) {
	for _, c := range []struct {
		a, b, out []int
		axes      []PairAxis // innermost first
	}{
		{[]int{}, []int{}, []int{}, nil},
		{[]int{3, 4, 5}, []int{3, 4, 5}, []int{3, 4, 5}, []PairAxis{{60, 1, 1}}},
		{[]int{3, 4, 5}, []int{1}, []int{3, 4, 5}, []PairAxis{{60, 1, 0}}},
		{[]int{3, 4, 5}, []int{5}, []int{3, 4, 5}, []PairAxis{{5, 1, 1}, {12, 5, 0}}},
		{[]int{2, 3, 4, 5}, []int{3, 1, 1}, []int{2, 3, 4, 5}, []PairAxis{{20, 1, 0}, {3, 20, 1}, {2, 60, 0}}},
		{[]int{4, 1}, []int{1, 3}, []int{4, 3}, []PairAxis{{3, 0, 1}, {4, 1, 0}}},
		{[]int{1, 1, 7}, []int{2, 1, 1}, []int{2, 1, 7}, []PairAxis{{7, 1, 0}, {2, 0, 1}}},
	} {
		g, err := NewBinary(Sub, c.a, c.b)
		require.NoError(t, err, "%v", c)
		assert.Equal(t, c.out, g.OutShape(), "%v", c)
		assert.Equal(t, len(c.axes), g.Axes, "%v", c)
		for i, axis := range g.Axis {
			want := PairAxis{Size: 1}
			if i < len(c.axes) {
				want = c.axes[i]
			}
			assert.Equal(t, want, axis, "%v axis %d", c, i)
		}
	}
}

func TestPReLUSlopes(t *testing.T) {
	for _, c := range []struct {
		x, slope []int
		want     string // "" = valid
	}{
		{[]int{2, 3, 4}, []int{3}, ""},
		{[]int{2, 3, 4}, []int{1}, ""},
		{[]int{2, 3, 4}, []int{}, ""},
		{[]int{2, 3, 4}, []int{1, 4}, ""},
		{[]int{2, 3}, []int{3}, ""},
		{[]int{5}, []int{5}, ""},
		{[]int{}, []int{1}, "slope is [1]"},
		{[]int{2, 3, 4}, []int{4}, "3 channels"},
		{[]int{2, 3, 4}, []int{2, 1, 3}, "slope is [2 1 3]"},
		{[]int{2, 1, 4}, []int{2, 3, 1}, "slope is [2 3 1]"},
		{[]int{1, 4}, []int{1, 1, 4}, "slope is [1 1 4]"},
		{[]int{1, 0}, []int{1}, "size 0"},
	} {
		g, err := NewPReLU(c.x, c.slope)
		if c.want == "" {
			require.NoError(t, err, "%v", c)
			assert.Equal(t, c.x, g.OutShape())
			continue
		}
		require.ErrorIs(t, err, ErrShape, "%v", c)
		assert.ErrorContains(t, err, c.want)
	}
	g, err := NewPReLU([]int{2, 3, 4}, []int{3})
	require.NoError(t, err)
	_, at := g.Offsets(12 + 4)
	assert.Equal(t, 1, at)
}

func TestBinaryErrors(t *testing.T) {
	_, err := NewBinary(Add, []int{2, 3}, []int{4})
	require.ErrorIs(t, err, ErrShape)
	assert.ErrorContains(t, err, "3 and 4")
	_, err = NewBinary(Add, []int{1 << 20, 1}, []int{1, 1 << 20})
	require.ErrorIs(t, err, ErrTooLarge)
	_, err = NewBinary(99, []int{1}, []int{1})
	require.ErrorIs(t, err, ErrParam)
	assert.Equal(t, "binary(99)", BinaryFunc(99).String())
	_, err = NewBinary(Add, []int{1, -2}, []int{1})
	require.ErrorIs(t, err, ErrShape)
}
