package shaders

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/spec"
)

func TestPlanPool(t *testing.T) {
	gpu, software := Baseline, Baseline
	software.CPU, software.MaxLoop = true, SoftwareLoops
	window := func(x []int, kind spec.PoolKind, p spec.PoolParams) spec.Pool {
		g, err := spec.NewPool(kind, x, 2, p)
		require.NoError(t, err)
		return g
	}
	global := func(x []int, kind spec.PoolKind) spec.Pool {
		g, err := spec.NewGlobalPool(kind, x, 3)
		require.NoError(t, err)
		return g
	}
	adaptive := func(x []int, out ...int) spec.Pool {
		g, err := spec.NewAdaptivePool(spec.PoolAvg, x, out)
		require.NoError(t, err)
		return g
	}
	image := []int{8, 64, 112, 112}
	three := spec.PoolParams{Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}}
	for _, c := range []struct {
		name    string
		g       spec.Pool
		dev     Device
		variant string
		steps   int
	}{
		{"window", window(image, spec.PoolMax, three), gpu, "tile", 1},
		{"window, software", window(image, spec.PoolMax, three), software, "tile", 1},
		{"Lp window", window(image, spec.PoolLp, three), gpu, "naive", 1},
		{"wide window", window(image, spec.PoolAvg, spec.PoolParams{Kernel: []int{50}, Stride: []int{1}}), gpu, "group", 1},
		{"wide window, software", window(image, spec.PoolAvg, spec.PoolParams{Kernel: []int{50}, Stride: []int{1}}), software, "naive", 1},
		{"huge window, software", window([]int{1, 1, 500, 500}, spec.PoolLp, spec.PoolParams{Kernel: []int{400}, Stride: []int{1}}), software, "group", 1},
		{"two outputs in a row", window([]int{1, 8, 9, 4}, spec.PoolMax, spec.PoolParams{Kernel: []int{2}}), gpu, "naive", 1},
		{"planes", global([]int{8, 2048, 7, 7}, spec.PoolAvg), gpu, "plane", 1},
		{"planes, software", global([]int{8, 2048, 7, 7}, spec.PoolAvg), software, "naive", 1},
		{"tiny planes", global([]int{8, 2048, 5, 5}, spec.PoolAvg), gpu, "naive", 1},
		{"a large plane", global([]int{1, 3, 2000, 2000}, spec.PoolMax), gpu, "plane", 2},
		{"a large plane, Lp", global([]int{1, 3, 2000, 2000}, spec.PoolLp), gpu, "plane", 1},
		{"a large plane, software", global([]int{1, 3, 2000, 2000}, spec.PoolLp), software, "plane", 1},
		{"adaptive, to one", adaptive(image, 1), gpu, "plane", 1},
		{"adaptive, alike", adaptive(image, 56), gpu, "tile", 1},
		{"adaptive", adaptive(image, 50), gpu, "naive", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, err := PlanPool(c.g, false, c.dev, "")
			require.NoError(t, err)
			assert.Equal(t, c.variant, plan.Variant, plan.String())
			assert.Len(t, plan.Steps, c.steps)
			for _, s := range plan.Steps {
				assert.Equal(t, s.Kernel.ParamBytes, len(s.Params), s.Kernel.Name)
				assert.Equal(t, len(s.Kernel.Writes), len(s.Operands), s.Kernel.Name)
			}
		})
	}
}

// TestPlanPoolRefuses has calls that a kernel cannot serve, and says why.
func TestPlanPoolRefuses(t *testing.T) {
	software := Baseline
	software.CPU, software.MaxLoop = true, SoftwareLoops
	g, err := spec.NewPool(spec.PoolMax, []int{1, 1, 500, 500}, 0, spec.PoolParams{Kernel: []int{400}, Stride: []int{1}})
	require.NoError(t, err)
	_, err = PlanPool(g, false, software, "naive")
	require.ErrorIs(t, err, spec.ErrUnsupported)
	assert.Contains(t, err.Error(), "baseline ends an invocation after 65000 loop iterations")
	_, err = PlanPool(g, false, Baseline, "naive")
	require.NoError(t, err)
	_, err = PlanPool(g, false, Baseline, "plane")
	require.ErrorIs(t, err, spec.ErrUnsupported)
	assert.Contains(t, err.Error(), "not the whole plane")

	g, err = spec.NewGlobalPool(spec.PoolMax, []int{1, 1, spec.MaxElements}, 0)
	require.NoError(t, err)
	_, err = PlanPool(g, false, software, "")
	require.ErrorIs(t, err, spec.ErrUnsupported)
	assert.Contains(t, err.Error(), "no kernel can serve this call: naive: ")
}
