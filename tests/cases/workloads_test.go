package cases

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWorkloadsNameEveryFunction: each row of the table is timed by name, with
// the shapes that its case resolves, and no name comes twice.
func TestWorkloadsNameEveryFunction(t *testing.T) {
	seen, functions := map[string]bool{}, map[string]bool{}
	for _, w := range append(Workloads(), RestWorkloads()...) {
		require.False(t, seen[w.Name], w.Name)
		seen[w.Name], functions[w.Function] = true, true
		_, err := Find(w.Function)
		require.NoError(t, err, w.Name)
		flops, bytes := w.Case.Work()
		require.GreaterOrEqual(t, flops, 0.0, w.Name)
		require.Positive(t, bytes, w.Name)
		require.NotEmpty(t, w.Case.Inputs(), w.Name)
	}
	for _, r := range Rows() {
		if r.Name == "gemm" { // MatMul and Linear are timed
			continue
		}
		require.True(t, functions[r.Name], r.Name)
	}
}

func TestDrawsQuick(t *testing.T) {
	c := &ClipCase{N: 3<<20 + 5}
	quick, all := DrawsQuick(c, 1)[0], Draws(c, 1)[0]
	require.Equal(t, all[:1<<20], quick[:1<<20])
	require.Equal(t, quick[:1<<20], quick[2<<20:3<<20])
	require.Equal(t, quick[:5], quick[3<<20:])
}
