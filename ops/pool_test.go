package ops_test

import (
	"testing"

	"github.com/kansu-dev/kansu/internal/enginetest"
	"github.com/kansu-dev/kansu/ops"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMaxPoolRoundTrip pools with indices and puts the maxima back.
func TestMaxPoolRoundTrip(t *testing.T) { enginetest.Each(t, roundTrip) }

func roundTrip(t *testing.T, e *ops.Engine) {
	x, err := e.Tensor([]float32{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3}, 1, 1, 4, 4)
	require.NoError(t, err)
	y, idx, err := ops.MaxPoolIndices(x, ops.PoolParams{Kernel: []int{2}})
	require.NoError(t, err)
	assert.Equal(t, ops.Int32, idx.DType())
	places, err := idx.Int32s()
	require.NoError(t, err)
	assert.Equal(t, []int32{5, 7, 12, 14}, places)
	z, err := ops.MaxUnpool(y, idx, ops.UnpoolParams{Kernel: []int{2}})
	require.NoError(t, err)
	v, err := z.Data()
	require.NoError(t, err)
	assert.Equal(t, []float32{0, 0, 0, 0, 0, 9, 0, 6, 0, 0, 0, 0, 9, 0, 9, 0}, v)
}

// TestPoolMisuse checks that mistakes come back as errors of the right kind.
func TestPoolMisuse(t *testing.T) { enginetest.Each(t, poolMisuse) }

func poolMisuse(t *testing.T, e *ops.Engine) {
	other, err := ops.Open(ops.WithAdapter("cpu"))
	require.NoError(t, err)
	defer other.Close()
	tensor := func(e *ops.Engine) *ops.Tensor {
		x, err := e.Tensor(make([]float32, 16), 1, 1, 4, 4)
		require.NoError(t, err)
		return x
	}
	indices := func(e *ops.Engine) *ops.Tensor {
		x, err := e.Indices(make([]int32, 16), 1, 1, 4, 4)
		require.NoError(t, err)
		return x
	}
	gone := indices(e)
	gone.Release()
	released := tensor(e)
	released.Release()
	x, two := tensor(e), ops.PoolParams{Kernel: []int{2}}
	for _, c := range []struct {
		name string
		call func() (*ops.Tensor, error)
		want error
	}{
		{"no input", func() (*ops.Tensor, error) { return ops.MaxPool(nil, two) }, ops.ErrNil},
		{"released", func() (*ops.Tensor, error) { return ops.AvgPool(released, two) }, ops.ErrReleased},
		{"indices as values", func() (*ops.Tensor, error) { return ops.MaxPool(indices(e), two) }, ops.ErrType},
		{"padding", func() (*ops.Tensor, error) {
			return ops.MaxPool(x, ops.PoolParams{Kernel: []int{2}, Padding: []int{2}})
		}, ops.ErrParam},
		{"norm", func() (*ops.Tensor, error) { return ops.LpPool(x, two, 0) }, ops.ErrParam},
		{"global norm", func() (*ops.Tensor, error) { return ops.GlobalLpPool(x, -1) }, ops.ErrParam},
		{"no size", func() (*ops.Tensor, error) { return ops.AdaptiveAvgPool(x) }, ops.ErrParam},
		{"unpool without indices", func() (*ops.Tensor, error) { return ops.MaxUnpool(x, nil, ops.UnpoolParams{Kernel: []int{2}}) }, ops.ErrNil},
		{"unpool with values", func() (*ops.Tensor, error) { return ops.MaxUnpool(x, x, ops.UnpoolParams{Kernel: []int{2}}) }, ops.ErrType},
		{"unpool of two engines", func() (*ops.Tensor, error) {
			return ops.MaxUnpool(x, indices(other), ops.UnpoolParams{Kernel: []int{2}})
		}, ops.ErrEngine},
		{"unpool, released", func() (*ops.Tensor, error) { return ops.MaxUnpool(x, gone, ops.UnpoolParams{Kernel: []int{2}}) }, ops.ErrReleased},
		{"indices of a nil input", func() (*ops.Tensor, error) { y, _, err := ops.MaxPoolIndices(nil, two); return y, err }, ops.ErrNil},
		{"adaptive indices", func() (*ops.Tensor, error) { y, _, err := ops.AdaptiveMaxPoolIndices(x, 0); return y, err }, ops.ErrParam},
	} {
		t.Run(c.name, func(t *testing.T) {
			y, err := c.call()
			require.ErrorIs(t, err, c.want)
			assert.Nil(t, y)
		})
	}
}
