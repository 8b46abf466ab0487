package spec

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTransposeAxes(t *testing.T) {
	for _, c := range []struct {
		x, perm, out []int
		axes         int
		view         bool
	}{
		{[]int{}, nil, []int{}, 0, true},
		{[]int{2, 3}, nil, []int{3, 2}, 2, false},
		{[]int{2, 3, 4}, nil, []int{4, 3, 2}, 3, false},
		{[]int{2, 3, 4, 5}, []int{0, 2, 3, 1}, []int{2, 4, 5, 3}, 3, false},
		{[]int{2, 3, 4}, []int{0, 1, 2}, []int{2, 3, 4}, 1, true},
		{[]int{2, 1, 4}, []int{1, 0, -1}, []int{1, 2, 4}, 1, true},
		{[]int{1, 1}, nil, []int{1, 1}, 0, true},
	} {
		g, err := NewTranspose(c.x, c.perm)
		require.NoError(t, err, "%v", c)
		assert.Equal(t, c.out, g.OutShape(), "%v", c)
		assert.Equal(t, c.axes, g.Axes, "%v", c)
		assert.Equal(t, c.view, g.IsView(), "%v", c)
	}
}

func TestSlicePositions(t *testing.T) {
	for _, c := range []struct {
		size             int
		begin, end, step []int
		want             []int // the elements taken
	}{
		{5, nil, nil, nil, []int{0, 1, 2, 3, 4}},
		{5, []int{1}, []int{3}, nil, []int{1, 2}},
		{5, []int{-2}, nil, nil, []int{3, 4}},
		{5, []int{-100}, []int{100}, []int{3}, []int{0, 3}},
		{5, nil, nil, []int{-1}, []int{4, 3, 2, 1, 0}},
		{5, []int{3}, []int{0}, []int{-2}, []int{3, 1}},
		{5, []int{math.MaxInt}, []int{math.MinInt}, []int{-3}, []int{4, 1}},
		{5, []int{4}, []int{-6}, []int{-4}, []int{4, 0}},
		{5, []int{2}, nil, []int{100}, []int{2}},
	} {
		g, err := NewSlice([]int{c.size}, c.begin, c.end, c.step)
		require.NoError(t, err, "%v", c)
		var got []int
		for i := range Count(g.OutShape()) {
			got = append(got, g.Offset(i))
		}
		assert.Equal(t, c.want, got, "%v", c)
	}
}

func TestGatherErrors(t *testing.T) {
	perm := func(x []int, p ...int) error { _, err := NewTranspose(x, p); return err }
	cut := func(x, begin, end, step []int) error { _, err := NewSlice(x, begin, end, step); return err }
	x := []int{2, 3}
	for _, c := range []struct {
		err  error
		kind error
		want string
	}{
		{perm(x, 0), ErrParam, "has 1 axes"},
		{perm(x, 0, 2), ErrParam, "axis 2"},
		{perm(x, 0, -3), ErrParam, "axis -3"},
		{perm(x, 1, -1), ErrParam, "axis 1 twice"},
		{perm([]int{2, 0}), ErrShape, "size 0"},
		{cut(x, []int{0, 0, 0}, nil, nil), ErrParam, "begin [0 0 0]"},
		{cut(x, nil, []int{1, 1, 1}, nil), ErrParam, "end [1 1 1]"},
		{cut(x, nil, nil, []int{0}), ErrParam, "step 0"},
		{cut(x, nil, nil, []int{math.MinInt}), ErrParam, "step"},
		{cut(x, []int{2}, nil, nil), ErrShape, "nothing from axis 0"},
		{cut(x, nil, []int{1, -3}, nil), ErrShape, "nothing from axis 1"},
		{cut(x, []int{0}, []int{1}, []int{-1}), ErrShape, "nothing"},
	} {
		require.ErrorIs(t, c.err, c.kind, c.want)
		assert.ErrorContains(t, c.err, c.want)
	}
}

func TestConcatErrors(t *testing.T) {
	join := func(axis int, s ...[]int) error { _, err := NewConcat(axis, s...); return err }
	big := []int{1 << 30}
	for _, c := range []struct {
		err  error
		kind error
		want string
	}{
		{join(0), ErrShape, "nothing"},
		{join(0, []int{}), ErrShape, "scalar"},
		{join(1, []int{2}), ErrParam, "axis 1"},
		{join(0, []int{2}, []int{2, 3}), ErrShape, "input 1 is [2 3]"},
		{join(0, []int{2, 3}, []int{2, 4}), ErrShape, "only axis 0 may differ"},
		{join(0, []int{2}, []int{0}), ErrShape, "size 0"},
		{join(0, big, big), ErrTooLarge, "2147483647"},
		{join(0, []int{2, 1 << 28}, []int{6, 1 << 28}, []int{1, 1 << 28}), ErrTooLarge, "[9 268435456]"},
	} {
		require.ErrorIs(t, c.err, c.kind, c.want)
		assert.ErrorContains(t, c.err, c.want)
	}
}

func TestPadShapes(t *testing.T) {
	g, err := NewPad([]int{2, 3, 4, 5}, PadParams{Begin: []int{1, 2}, End: []int{0, -1}, Value: 3})
	require.NoError(t, err)
	assert.Equal(t, []int{2, 3, 5, 6}, g.OutShape())
	assert.Equal(t, 3, g.Axes)
	assert.Equal(t, PadAxis{5, 6, 2}, g.Axis[0])
	assert.Equal(t, PadAxis{6, 6, 0}, g.Axis[2])
	pad := func(x []int, p PadParams) error { _, err := NewPad(x, p); return err }
	for _, c := range []struct {
		err  error
		kind error
		want string
	}{
		{pad([]int{3}, PadParams{Begin: []int{3}, Mode: PadReflect}), ErrParam, "at most 2"},
		{pad([]int{3}, PadParams{End: []int{4}, Mode: PadCircular}), ErrParam, "wraps around"},
		{pad([]int{3}, PadParams{Begin: []int{-4}, End: []int{9}}), ErrParam, "crops more"},
		{pad([]int{3}, PadParams{Begin: []int{-2}, End: []int{-1}}), ErrShape, "leave nothing"},
		{pad([]int{3}, PadParams{Begin: []int{0, 0}}), ErrParam, "[0 0]"},
		{pad([]int{3, 3}, PadParams{Begin: []int{0, 0}, End: []int{1}}), ErrParam, "different numbers"},
		{pad([]int{3}, PadParams{Mode: 9}), ErrParam, "PadMode(9)"},
		{pad([]int{3}, PadParams{Mode: PadReflect, Value: 1}), ErrParam, "value 1"},
		{pad([]int{3}, PadParams{Begin: []int{math.MaxInt}}), ErrTooLarge, "padding"},
		{pad([]int{3}, PadParams{Begin: []int{MaxElements}}), ErrTooLarge, "elements"},
		{pad([]int{0}, PadParams{}), ErrShape, "size 0"},
	} {
		require.ErrorIs(t, c.err, c.kind, c.want)
		assert.ErrorContains(t, c.err, c.want)
	}
}

func TestReduceAxes(t *testing.T) {
	g, err := NewReduce(ReduceSum, []int{2, 3, 4, 5}, ReduceParams{Axes: []int{0, -1}, Keep: true})
	require.NoError(t, err)
	assert.Equal(t, []int{1, 3, 4, 1}, g.OutShape())
	assert.Equal(t, []StepAxis{{12, 5}}, g.Kept[:g.KeptAxes])
	assert.Equal(t, []StepAxis{{5, 1}, {2, 60}}, g.Reduced[:g.ReducedAxes])
	assert.Equal(t, 10, g.Terms())
	assert.Equal(t, 12, g.Outputs())
	_, err = NewReduce(ReduceSum, []int{2, 3}, ReduceParams{Axes: []int{2}})
	require.ErrorIs(t, err, ErrParam)
	_, err = NewReduce(ReduceSum, []int{2, 3}, ReduceParams{Axes: []int{1, -1}})
	require.ErrorIs(t, err, ErrParam)
	assert.ErrorContains(t, err, "axis 1 twice")
	_, err = NewReduce(9, []int{2}, ReduceParams{})
	require.ErrorIs(t, err, ErrParam)
}
