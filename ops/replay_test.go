package ops_test

import (
	"math/rand/v2"
	"testing"

	"github.com/kansu-dev/kansu/internal/enginetest"
	"github.com/kansu-dev/kansu/ops"
	"github.com/stretchr/testify/require"
)

func randoms(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

func TestReplayComputesWhatTheCallsCompute(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		r := rand.New(rand.NewPCG(1, 2))
		w, err := e.Tensor(randoms(r, 4*4*9), 4, 4, 3, 3)
		require.NoError(t, err)
		net := func(in []*ops.Tensor) ([]*ops.Tensor, error) {
			h := in[0]
			for range 6 {
				y, err := ops.Conv(h, w, nil, ops.ConvParams{Padding: []int{1}})
				if err != nil {
					return nil, err
				}
				z, err := ops.ReLU(y)
				if err != nil {
					return nil, err
				}
				y.Release()
				if h != in[0] {
					h.Release()
				}
				h = z
			}
			return []*ops.Tensor{h}, nil
		}
		shape := []int{1, 4, 9, 7}
		first, err := e.Tensor(randoms(r, 4*9*7), shape...)
		require.NoError(t, err)
		replay, err := e.Record([]*ops.Tensor{first}, net)
		require.NoError(t, err)
		var live int64
		for i := range 20 {
			x, err := e.Tensor(randoms(r, 4*9*7), shape...)
			require.NoError(t, err)
			want, err := net([]*ops.Tensor{x})
			require.NoError(t, err)
			a, err := want[0].Data()
			require.NoError(t, err)
			want[0].Release()
			got, err := replay.Run(x)
			require.NoError(t, err)
			b, err := got[0].Data()
			require.NoError(t, err)
			require.Equal(t, a, b)
			x.Release()
			if i == 0 {
				live = e.Stats().LiveTensors
			}
			require.Equal(t, live, e.Stats().LiveTensors)
		}
		// Two layers' memory is enough, however deep the network is.
		require.LessOrEqual(t, live, int64(6))

		bad, err := e.Tensor(randoms(r, 4), 1, 4, 1, 1)
		require.NoError(t, err)
		_, err = replay.Run(bad)
		require.ErrorIs(t, err, ops.ErrShape)
		_, err = replay.Run()
		require.ErrorIs(t, err, ops.ErrShape)
		replay.Release()
		replay.Release()
		_, err = replay.Run(first)
		require.ErrorIs(t, err, ops.ErrReleased)
		first.Release()
		bad.Release()
		w.Release()
		require.EqualValues(t, 0, e.Stats().LiveTensors)
	})
}

func TestRecordReturnsTheFunctionsError(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		x, err := e.Tensor([]float32{1, 2}, 2)
		require.NoError(t, err)
		_, err = e.Record([]*ops.Tensor{x}, func(in []*ops.Tensor) ([]*ops.Tensor, error) {
			y, err := ops.Conv(in[0], in[0], nil, ops.ConvParams{})
			return []*ops.Tensor{y}, err
		})
		require.ErrorIs(t, err, ops.ErrShape)
		x.Release()
		require.EqualValues(t, 0, e.Stats().LiveTensors)
	})
}
