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
