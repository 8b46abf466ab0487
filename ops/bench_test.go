package ops_test

import (
	"testing"

	"github.com/kansu-dev/kansu/internal/gputest"
	"github.com/kansu-dev/kansu/ops"
	"github.com/stretchr/testify/require"
)

// BenchmarkRecord is the host's cost of one recorded call on a tiny tensor.
func BenchmarkRecord(b *testing.B) {
	e, err := ops.Open(ops.RequireGPU())
	if err != nil {
		gputest.Missing(b, err)
	}
	defer e.Close()
	x, err := e.Tensor(make([]float32, 64), 64)
	require.NoError(b, err)
	for b.Loop() {
		y, err := ops.ReLU(x)
		if err != nil {
			b.Fatal(err)
		}
		y.Release()
	}
}

// BenchmarkRecordChain is the host's cost of each of three calls that become one:
// convolution, batch normalization, ReLU.
func BenchmarkRecordChain(b *testing.B) {
	e, err := ops.Open(ops.RequireGPU())
	if err != nil {
		gputest.Missing(b, err)
	}
	defer e.Close()
	x, err := e.Tensor(make([]float32, 64), 1, 4, 4, 4)
	require.NoError(b, err)
	w, err := e.Tensor(make([]float32, 16), 4, 4, 1, 1)
	require.NoError(b, err)
	c, err := e.Tensor(make([]float32, 4), 4)
	require.NoError(b, err)
	chain := func() {
		y, err := ops.Conv(x, w, nil, ops.ConvParams{})
		require.NoError(b, err)
		z, err := ops.BatchNorm(y, c, c, c, c, ops.BatchNormParams{})
		require.NoError(b, err)
		y.Release()
		v, err := ops.ReLU(z)
		require.NoError(b, err)
		z.Release()
		v.Release()
	}
	chain()
	for b.Loop() {
		b.StopTimer()
		require.NoError(b, e.Wait())
		b.StartTimer()
		for range 32 {
			chain()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*32*3), "ns/call")
}
