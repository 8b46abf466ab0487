package ops_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kansu-dev/kansu/internal/gputest"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/stretchr/testify/require"
)

// tableFile writes a table for a device that chooses the naive kernel for the
// product of matrices of 64x64.
func tableFile(t *testing.T, device string) string {
	t.Helper()
	table, err := shaders.NewTable(shaders.Table{Device: device},
		[]shaders.TableEntry{{Function: "gemm", Class: "nn m64 n64 k64 b1", Kernel: "naive", Gain: 2}})
	require.NoError(t, err)
	raw, err := table.Bytes()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "table.json")
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	return path
}

func product(t *testing.T, e *ops.Engine) *shaders.Plan {
	t.Helper()
	x, err := e.Tensor(make([]float32, 64*64), 64, 64)
	require.NoError(t, err)
	defer x.Release()
	y, err := ops.MatMul(x, x, ops.MatMulParams{})
	require.NoError(t, err)
	defer y.Release()
	return y.Plan()
}

func TestTuning(t *testing.T) {
	t.Setenv("KANSU_TUNE", "")
	e, err := ops.Open(ops.RequireGPU())
	if err != nil {
		gputest.Missing(t, err)
	}
	name := e.Device().Name
	require.NoError(t, e.Close())

	own, other := tableFile(t, name), tableFile(t, "a device that is not here")
	open := func(env string, opts ...ops.Option) *ops.Engine {
		t.Setenv("KANSU_TUNE", env)
		e, err := ops.Open(append(opts, ops.RequireGPU())...)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, e.Close()) })
		return e
	}
	for _, c := range []struct {
		name, env, option string
		tuned             bool
	}{
		{"option", "", own, true},
		{"environment", own, "", true},
		{"option before environment", own, ops.NoTuning, false},
		{"for another device", other, "", false},
		{"none", ops.NoTuning, "", false},
	} {
		e := open(c.env, ops.WithTuning(c.option))
		p := product(t, e)
		require.Equal(t, c.tuned, p.Tuned, c.name)
		require.Equal(t, c.tuned, p.Variant == "naive", c.name)
		require.Equal(t, c.tuned, e.Device().Table == own, c.name)
	}
	e = open(own)
	e.Force("matmul", "row1")
	require.Equal(t, "row1", product(t, e).Variant)
}

func TestTuningRefuses(t *testing.T) {
	damaged := filepath.Join(t.TempDir(), "damaged.json")
	require.NoError(t, os.WriteFile(damaged, []byte(`{"version":1,`), 0o600))
	for _, device := range []string{"cpu", ""} { // a mistake shows without a GPU too
		_, err := ops.Open(ops.WithAdapter(device), ops.WithTuning(damaged))
		require.ErrorIs(t, err, ops.ErrParam)
		require.ErrorContains(t, err, damaged)
		_, err = ops.Open(ops.WithAdapter(device), ops.WithTuning(damaged+"x"))
		require.ErrorIs(t, err, os.ErrNotExist)
	}
	t.Setenv("KANSU_TUNE", damaged)
	_, err := ops.Open()
	require.ErrorIs(t, err, ops.ErrParam)
}
