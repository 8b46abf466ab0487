package spec

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReshape(t *testing.T) {
	for _, c := range []struct{ old, shape, want []int }{
		{[]int{2, 3, 4}, []int{6, 4}, []int{6, 4}},
		{[]int{2, 3, 4}, []int{-1}, []int{24}},
		{[]int{2, 3, 4}, []int{2, -1, 2}, []int{2, 6, 2}},
		{[]int{1}, []int{}, []int{}},
		{[]int{}, []int{1, -1}, []int{1, 1}},
	} {
		got, err := Reshape(c.old, c.shape)
		require.NoError(t, err, "%v", c)
		assert.Equal(t, c.want, got)
	}
	for _, c := range []struct {
		shape []int
		kind  error
		want  string
	}{
		{[]int{5, 5}, ErrShape, "25 elements"},
		{[]int{-1, -1}, ErrShape, "more than one -1"},
		{[]int{7, -1}, ErrShape, "7 does not divide"},
		{[]int{0, -1}, ErrShape, "size 0"},
		{[]int{-2, 12}, ErrShape, "size -2"},
		{[]int{1 << 20, 1 << 20}, ErrTooLarge, "2147483647"},
		{[]int{1, 1, 1, 1, 1, 1, 1, 1, 24}, ErrShape, "9 axes"},
	} {
		_, err := Reshape([]int{2, 3, 4}, c.shape)
		require.ErrorIs(t, err, c.kind, "%v", c)
		assert.ErrorContains(t, err, c.want)
	}
}

func TestFlatten(t *testing.T) {
	for _, c := range []struct {
		x          []int
		start, end int
		want       []int
	}{
		{[]int{2, 3, 4}, 1, -1, []int{2, 12}},
		{[]int{2, 3, 4}, 0, 1, []int{6, 4}},
		{[]int{2, 3, 4}, -2, -2, []int{2, 3, 4}},
		{[]int{}, 0, -1, []int{1}},
	} {
		got, err := Flatten(c.x, c.start, c.end)
		require.NoError(t, err, "%v", c)
		assert.Equal(t, c.want, got)
	}
	for _, c := range [][2]int{{2, 1}, {3, 3}, {0, 3}, {-4, 1}} {
		_, err := Flatten([]int{2, 3, 4}, c[0], c[1])
		assert.ErrorIs(t, err, ErrParam, "%v", c)
	}
}

func TestBroadcast(t *testing.T) {
	got, err := Broadcast([]int{5, 1, 4}, []int{3, 1})
	require.NoError(t, err)
	assert.Equal(t, []int{5, 3, 4}, got)
	got, err = Broadcast(nil, nil)
	require.NoError(t, err)
	assert.Empty(t, got)
	_, err = Broadcast([]int{2, 3}, []int{2, 4})
	require.ErrorIs(t, err, ErrShape)
	assert.ErrorContains(t, err, "3 and 4 at axis 1 from the end")
	_, err = Broadcast([]int{1 << 16, 1}, []int{1 << 16})
	assert.ErrorIs(t, err, ErrTooLarge)
}
