package spec

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNormLayout(t *testing.T) {
	bn, err := NewBatchNormTrain([]int{2, 3, 4, 5}, nil, nil, nil, nil, BatchNormTrainParams{})
	require.NoError(t, err)
	assert.Equal(t, []NormDim{{Size: 2}, {Size: 3, Group: 1, Affine: 1}, {Size: 20}}, bn.Dims)
	assert.Equal(t, []int{3, 40, 3}, []int{bn.Groups, bn.Count, bn.Affine})
	n, c, s, ok := bn.Planes()
	assert.Equal(t, []any{2, 3, 20, true}, []any{n, c, s, ok})
	_, _, _, ok = bn.Columns()
	assert.False(t, ok)

	last, err := NewBatchNormTrain([]int{2, 4, 5, 3}, nil, nil, nil, nil, BatchNormTrainParams{Axis: -1})
	require.NoError(t, err)
	o, rows, inner, ok := last.Columns()
	assert.Equal(t, []any{1, 40, 3, true}, []any{o, rows, inner, ok})

	gn, err := NewGroupNorm([]int{2, 6, 5}, []int{6}, []int{6}, GroupNormParams{Groups: 2})
	require.NoError(t, err)
	assert.Equal(t, []int{4, 15, 6}, []int{gn.Groups, gn.Count, gn.Affine})
	assert.Equal(t, []NormDim{{Size: 2, Group: 2}, {Size: 2, Group: 1, Affine: 3}, {Size: 3, Affine: 1}, {Size: 5}}, gn.Dims)

	in, err := NewInstanceNorm([]int{2, 6, 5}, nil, nil, InstanceNormParams{})
	require.NoError(t, err)
	assert.Equal(t, []int{12, 5}, []int{in.Groups, in.Count})

	// The affine axes may come in any order.
	ln, err := NewLayerNorm([]int{2, 3, 4}, []int{4, 2}, nil, LayerNormParams{Axes: []int{-1, 0}})
	require.NoError(t, err)
	assert.Equal(t, []NormDim{{Size: 2, Affine: 1}, {Size: 3, Group: 1}, {Size: 4, Affine: 2}}, ln.Dims)
	assert.Equal(t, []int{1, 3, 1}, ln.StatShape())
	_, _, _, ok = ln.Planes()
	assert.True(t, ok)
}

// TestNormRuns compares Runs with the definition of groups and affine elements.
func TestNormRuns(t *testing.T) {
	shape := []int{2, 3, 1, 4, 5}
	for _, axes := range [][]int{{0}, {4}, {1, 3}, {4, 0}, {0, 1, 2, 3, 4}, {2}, {0, 2, 4}} {
		g, err := NewLayerNorm(shape, nil, nil, LayerNormParams{Axes: axes})
		require.NoError(t, err)
		seen := 0
		g.Runs(func(first, n, group, groupStep, affine, affineStep int) {
			assert.Equal(t, seen, first)
			for i := range n {
				wantGroup, wantAffine := 0, 0
				at, rest := make([]int, len(shape)), first+i
				for d := len(shape) - 1; d >= 0; d-- {
					at[d], rest = rest%shape[d], rest/shape[d]
				}
				for d := range shape {
					kept := true
					for _, a := range axes {
						kept = kept && a != d
					}
					if kept {
						wantGroup = wantGroup*shape[d] + at[d]
					}
				}
				for _, a := range axes {
					wantAffine = wantAffine*shape[a] + at[a]
				}
				assert.Equal(t, wantGroup, group+i*groupStep, "axes %v element %d", axes, first+i)
				assert.Equal(t, wantAffine, affine+i*affineStep, "axes %v element %d", axes, first+i)
			}
			seen += n
		})
		assert.Equal(t, Count(shape), seen)
	}
}

func TestNormParameters(t *testing.T) {
	bn, err := NewBatchNormTrain([]int{4, 3}, nil, nil, []int{3}, []int{3}, BatchNormTrainParams{})
	require.NoError(t, err)
	assert.Equal(t, float32(1e-5), bn.Eps)
	assert.Equal(t, float32(0.1), bn.Momentum)
	assert.InDelta(t, 4.0/3, bn.Unbiased(), 1e-15)

	bn, err = NewBatchNormTrain([]int{4, 3}, nil, nil, []int{3}, []int{3}, BatchNormTrainParams{Eps: -1, Count: 4})
	require.NoError(t, err)
	assert.Zero(t, bn.Eps)
	assert.Equal(t, float32(0.25), bn.Momentum)

	lrn, err := NewLRN([]int{1, 8}, LRNParams{Size: 4})
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2}, []int{lrn.Before, lrn.After})
	assert.Equal(t, []float32{1e-4, 0.75, 1}, []float32{lrn.Alpha, lrn.Beta, lrn.K})

	d, err := NewDropout([]int{3}, 0.25, 1, false)
	require.NoError(t, err)
	assert.Equal(t, uint32(1<<30), d.Threshold)
	assert.Equal(t, float32(1/0.75), d.Scale)
	d, err = NewDropout([]int{3}, 1, 1, false)
	require.NoError(t, err)
	assert.False(t, d.Keeps(math.MaxUint32))
}

func TestNormErrors(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	x := []int{2, 3, 4}
	c := []int{3}
	bn := func(x, mean, variance, scale, shift []int, p BatchNormParams) error {
		_, err := NewBatchNorm(x, mean, variance, scale, shift, p)
		return err
	}
	train := func(x, rm, rv []int, p BatchNormTrainParams) error {
		_, err := NewBatchNormTrain(x, nil, nil, rm, rv, p)
		return err
	}
	ln := func(x, scale []int, p LayerNormParams) error {
		_, err := NewLayerNorm(x, scale, nil, p)
		return err
	}
	for _, c := range []struct {
		err  error
		kind error
		says string
	}{
		{bn([]int{3}, c, c, nil, nil, BatchNormParams{}), ErrShape, "[3]"},
		{bn(x, []int{4}, c, nil, nil, BatchNormParams{}), ErrShape, "mean is [4]"},
		{bn(x, c, []int{3, 1}, nil, nil, BatchNormParams{}), ErrShape, "variance is [3 1]"},
		{bn(x, c, c, []int{1}, nil, BatchNormParams{}), ErrShape, "scale is [1]"},
		{bn(x, c, c, c, []int{4}, BatchNormParams{}), ErrShape, "shift is [4]"},
		{bn(x, c, c, nil, nil, BatchNormParams{Eps: nan}), ErrParam, "eps is NaN"},
		{bn(x, c, c, nil, nil, BatchNormParams{Axis: 3}), ErrParam, "axis 3"},
		{bn(x, c, c, nil, nil, BatchNormParams{Act: Activation{Func: LeakyReLU, A: nan}}), ErrParam, "NaN"},
		{bn([]int{2, 0, 4}, c, c, nil, nil, BatchNormParams{}), ErrShape, "axis 1 has size 0"},
		{train(x, c, nil, BatchNormTrainParams{}), ErrParam, "only one"},
		{train(x, []int{2}, []int{2}, BatchNormTrainParams{}), ErrShape, "running mean is [2]"},
		{train(x, c, c, BatchNormTrainParams{Momentum: 2}), ErrParam, "momentum is 2"},
		{train(x, c, c, BatchNormTrainParams{Momentum: inf}), ErrParam, "momentum is +Inf"},
		{train(x, c, c, BatchNormTrainParams{Momentum: 0.5, Count: 2}), ErrParam, "count is 2"},
		{train(x, c, c, BatchNormTrainParams{Count: -1}), ErrParam, "count is -1"},
		{train([]int{1, 3}, c, c, BatchNormTrainParams{}), ErrShape, "more than one value"},
		{ln([]int{}, nil, LayerNormParams{}), ErrShape, "scalar"},
		{ln(x, []int{3}, LayerNormParams{}), ErrShape, "scale is [3]: it must be [4]"},
		{ln(x, nil, LayerNormParams{Axes: []int{1, -2}}), ErrParam, "axis 1 twice"},
		{ln(x, nil, LayerNormParams{Axes: []int{5}}), ErrParam, "axis 5"},
		{ln(x, nil, LayerNormParams{Shape: []int{3}}), ErrShape, "[3]"},
		{ln(x, nil, LayerNormParams{Axes: []int{1}, Shape: []int{4}}), ErrParam, "both"},
		{second(NewInstanceNorm([]int{3}, nil, nil, InstanceNormParams{})), ErrShape, "[3]"},
		{second(NewInstanceNorm(x, nil, nil, InstanceNormParams{Axis: -3})), ErrParam, "batch axis"},
		{second(NewGroupNorm(x, nil, nil, GroupNormParams{Groups: 2})), ErrParam, "groups is 2"},
		{second(NewGroupNorm(x, nil, nil, GroupNormParams{Groups: -1})), ErrParam, "groups is -1"},
		{second(NewLRN(x, LRNParams{})), ErrParam, "size is 0"},
		{second(NewLRN(x, LRNParams{Size: 3, Beta: nan})), ErrParam, "beta is NaN"},
		{second(NewLpNormalize(x, 1, LpNormalizeParams{P: -1})), ErrParam, "p is -1"},
		{second(NewLpNormalize(x, 3, LpNormalizeParams{})), ErrParam, "axis 3"},
		{second(NewSoftmax(x, -4, Softmax)), ErrParam, "axis -4"},
		{second(NewSoftmax([]int{}, 0, Softmax)), ErrParam, "axis 0"},
		{second(NewSoftmax(x, 0, SoftmaxKind(9))), ErrParam, "9"},
		{second(NewDropout(x, 1.5, 0, false)), ErrParam, "p is 1.5"},
		{second(NewDropout(x, math.NaN(), 0, false)), ErrParam, "p is NaN"},
		{second(NewMoments(x, []int{0, 0})), ErrParam, "twice"},
		{second(NewMeanVariance(x, MeanVarianceParams{Axes: []int{-9}})), ErrParam, "axis -9"},
		{second(NewRMSNorm([]int{1 << 20, 1 << 20}, nil, nil, LayerNormParams{})), ErrTooLarge, "elements"},
	} {
		if assert.ErrorIs(t, c.err, c.kind, "%s", c.says) {
			assert.ErrorContains(t, c.err, c.says)
		}
	}
}

func second[T any](_ T, err error) error { return err }
