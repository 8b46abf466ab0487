package shaders

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/spec"
)

var software = Device{Name: "software", CPU: true, MaxBindingBytes: 128 << 20, MaxGroups: 65535,
	MaxInvocations: 1024, WorkgroupBytes: 32768, MaxStorageBuffers: 16}

func matrixProduct(t *testing.T, a, b []int, p spec.MatMulParams) spec.Gemm {
	t.Helper()
	g, err := spec.NewMatMul(a, b, p)
	require.NoError(t, err)
	return g
}

func TestGemmChoice(t *testing.T) {
	tt := spec.MatMulParams{TransA: true}
	for _, c := range []struct {
		a, b []int
		p    spec.MatMulParams
		gpu  string // on a GPU with WebGPU's guaranteed limits
		cpu  string // on a software adapter
	}{
		{a: []int{4096, 4096}, b: []int{4096, 4096}, gpu: "tile128", cpu: "reg8x16"},
		{a: []int{1024, 1024}, b: []int{1024, 1024}, gpu: "tile64", cpu: "reg8x16"},
		{a: []int{512, 512}, b: []int{512, 512}, gpu: "tile32", cpu: "reg8x16"},
		{a: []int{64, 1024}, b: []int{1024, 1000}, gpu: "split32", cpu: "reg8x16"},
		{a: []int{16, 8192}, b: []int{8192, 16}, gpu: "split32", cpu: "regsplit4x8"},
		{a: []int{64, 64}, b: []int{64, 64}, gpu: "tile32", cpu: "reg8x16"},
		{a: []int{64, 100001}, b: []int{100001, 64}, gpu: "split32", cpu: "regsplit4x8"}, // more rounds than llvmpipe makes
		{a: []int{1, 1024}, b: []int{1024, 1000}, gpu: "rowsplit1", cpu: "reg1x8"},
		{a: []int{1, 4096}, b: []int{4096, 1024}, gpu: "rowsplit1", cpu: "regsplit1x8"},
		{a: []int{512, 1}, b: []int{1, 512}, gpu: "tile32", cpu: "outer"},
		{a: []int{1, 100}, b: []int{100, 1000}, gpu: "row1", cpu: "reg1x8"},
		{a: []int{100000, 64}, b: []int{64}, gpu: "row1", cpu: "reg1x8"},
		{a: []int{64, 1000}, b: []int{64}, p: tt, gpu: "row1", cpu: "reg1x8"},
		{a: []int{3, 4096}, b: []int{4096, 4096}, gpu: "row4", cpu: "reg4x8"},
		{a: []int{4096, 3}, b: []int{4096, 4096}, p: tt, gpu: "tile32", cpu: "reg4x8"},
		{a: []int{500, 16, 16}, b: []int{500, 16, 16}, gpu: "tile32", cpu: "reg4x8"},
	} {
		g := matrixProduct(t, c.a, c.b, c.p)
		for dev, want := range map[*Device]string{&Baseline: c.gpu, &software: c.cpu} {
			plan, err := PlanGemm(g, *dev, "")
			require.NoError(t, err)
			assert.Equal(t, want, plan.Variant, "%v x %v on %s: %s", c.a, c.b, dev.Name, plan.Why)
			assert.NotEmpty(t, plan.Why)
		}
	}
}

// TestGemmPlans checks of every variant what a device demands of a plan: grids
// within limits, parameters of the kernel's size, and a workspace that holds
// all parts of a split sum.
func TestGemmPlans(t *testing.T) {
	for _, c := range []spec.Gemm{
		matrixProduct(t, []int{1, 1}, []int{1, 1}, spec.MatMulParams{}),
		matrixProduct(t, []int{129, 515}, []int{515, 67}, spec.MatMulParams{}),
		matrixProduct(t, []int{3000000, 8}, []int{8, 4}, spec.MatMulParams{}),
		matrixProduct(t, []int{70000, 2, 3}, []int{70000, 3, 2}, spec.MatMulParams{}),
		matrixProduct(t, []int{2, 3000, 3}, []int{2, 5, 3000}, spec.MatMulParams{TransA: true, TransB: true}),
		matrixProduct(t, []int{5, 4000}, []int{4000}, spec.MatMulParams{}),
	} {
		for _, v := range GemmVariants() {
			plan, err := PlanGemm(c, Baseline, v)
			if err != nil {
				require.ErrorIs(t, err, spec.ErrUnsupported, v)
				continue
			}
			assert.Equal(t, v, plan.Variant)
			for _, st := range plan.Steps {
				assert.Len(t, st.Params, st.Kernel.ParamBytes, st.Kernel.Name)
				assert.Len(t, st.Operands, len(st.Kernel.Writes), st.Kernel.Name)
				for _, n := range st.Groups {
					assert.Positive(t, n)
					assert.LessOrEqual(t, n, Baseline.MaxGroups)
				}
			}
			outputs := spec.Count(c.OutShape())
			for _, n := range plan.Temps {
				assert.Zero(t, n%outputs, v)
				assert.GreaterOrEqual(t, n, 2*outputs, v)
				assert.LessOrEqual(t, int64(n)*4, Baseline.MaxBindingBytes, v)
			}
		}
	}
}

func TestGemmForcedErrors(t *testing.T) {
	g := matrixProduct(t, []int{8, 2}, []int{2, 8}, spec.MatMulParams{})
	_, err := PlanGemm(g, Baseline, "split32")
	require.ErrorIs(t, err, spec.ErrUnsupported)
	assert.ErrorContains(t, err, "too short to split")
	_, err = PlanGemm(g, Baseline, "tile7")
	require.ErrorIs(t, err, spec.ErrUnsupported)
	assert.ErrorContains(t, err, "tile128")
	small := Baseline
	small.MaxInvocations = 128
	_, err = PlanGemm(g, small, "tile64")
	require.ErrorIs(t, err, spec.ErrUnsupported)
	plan, err := PlanGemm(matrixProduct(t, []int{4096, 4096}, []int{4096, 4096}, spec.MatMulParams{}), small, "")
	require.NoError(t, err)
	assert.Equal(t, "tile32", plan.Variant)
}

func TestSplitChunks(t *testing.T) {
	for k := 1; k < 300; k++ {
		for _, splits := range []int{1, 2, 3, 7, 64} {
			for _, step := range []int{1, 4, 16} {
				count, chunk := splitChunks(k, splits, step)
				assert.LessOrEqual(t, count, splits)
				assert.Zero(t, chunk%step)
				assert.GreaterOrEqual(t, count*chunk, k)
				assert.Less(t, (count-1)*chunk, k)
			}
		}
	}
}

func TestKernelsAreNamedByTheirText(t *testing.T) {
	names, texts := map[string]bool{}, map[string]string{}
	for _, k := range Kernels() {
		assert.False(t, names[k.Name], "%s is there twice", k.Name)
		names[k.Name] = true
		key := k.Source
		assert.Empty(t, texts[key], "%s has the text of %s", k.Name, texts[key])
		texts[key] = k.Name
		assert.LessOrEqual(t, k.ParamBytes, 256, k.Name)
		assert.LessOrEqual(t, len(k.Writes), Baseline.MaxStorageBuffers, k.Name)
	}
}
