package tune

import (
	"slices"
	"testing"

	"github.com/kansu-dev/kansu/internal/gputest"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/tests/cases"
	"github.com/stretchr/testify/require"
)

// TestShape measures one shape: what is correct about it, not how fast.
func TestShape(t *testing.T) {
	e, err := ops.Open(ops.RequireGPU(), ops.WithTuning(ops.NoTuning))
	if err != nil {
		gputest.Missing(t, err)
	}
	defer e.Close()
	w := cases.Workload{Name: "small", Function: "reduce", Case: &cases.ReduceCase{Func: "sum", X: []int{16, 512}, Params: ops.ReduceParams{Axes: []int{1}}}}
	out, err := Shape(e, w, Options{Rounds: 3, Gain: 1.1})
	require.NoError(t, err)
	require.Equal(t, "reduce", out.Function)
	require.Equal(t, "along outputs16 terms512", out.Class)
	var kernels []string
	for _, trial := range out.Trials {
		kernels = append(kernels, trial.Kernel)
	}
	require.ElementsMatch(t, []string{"naive", "group", "rows"}, kernels)
	model := slices.IndexFunc(out.Trials, func(t Trial) bool { return t.Kernel == out.Model })
	require.Equal(t, []float64{1, 1, 1}, out.Trials[model].Gains)
	for _, trial := range out.Trials {
		require.NoError(t, trial.Err)
		require.True(t, trial.Slow || len(trial.Gains) == 3, "measured in every round, unless the machine was busy: %+v", trial)
	}
	require.Nil(t, e.PlanDevice().Table, "the table that measured is gone")

	var back *cases.Workload
	for _, w := range cases.TuneShapes() {
		if _, ok := w.Case.(cases.Backward); ok && w.Function == "maxpool_grad" {
			back = &w
			break
		}
	}
	require.NotNil(t, back)
	pool := *back.Case.(*cases.PoolGradCase)
	pool.X = []int{1, 2, 12, 12}
	out, err = Shape(e, cases.Workload{Name: "back", Function: "maxpool_grad", Case: &pool}, Options{Rounds: 3, Gain: 1.1})
	require.NoError(t, err)
	require.Equal(t, "maxpool_grad", out.Function, "the gradient's own call, not the forward one")
	require.NotEmpty(t, out.Trials)

	none, err := Shape(e, cases.Workload{Name: "none", Function: "activation", Case: &cases.ActivationCase{X: []int{64}, Func: "relu"}}, Options{})
	require.NoError(t, err)
	require.Empty(t, none.Class)
}

func TestTuneShapes(t *testing.T) {
	seen := map[string]bool{}
	functions := map[string]bool{}
	for _, w := range cases.TuneShapes() {
		require.False(t, seen[w.Name], w.Name)
		seen[w.Name] = true
		functions[w.Function] = true
		_, err := cases.Find(w.Function)
		require.NoError(t, err)
		flops, bytes := w.Case.Work() // resolves the shapes
		require.GreaterOrEqual(t, flops, 0.0)
		require.Positive(t, bytes, w.Name)
	}
	for function := range shaders.Tunable() {
		switch function {
		case "lppool", "gather":
		default:
			require.True(t, functions[function], function)
		}
	}
	require.True(t, functions["transpose"])
}
