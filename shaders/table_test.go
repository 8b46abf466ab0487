package shaders

import (
	"slices"
	"strings"
	"testing"

	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

func softwareAdapter() Device {
	d := Baseline
	d.Name, d.CPU, d.MaxLoop, d.MaxInvocations, d.WorkgroupBytes = "llvmpipe (LLVM 15.0.6, 256 bits)", true, SoftwareLoops, 1024, 32768
	return d
}

func tableOf(t *testing.T, entries ...TableEntry) *Table {
	t.Helper()
	table, err := NewTable(Table{Device: "some device"}, entries)
	require.NoError(t, err)
	return table
}

// tunable plans a call of each function that tables choose kernels for.
func tunable(t *testing.T) map[string]func(dev Device, force string) (Plan, error) {
	t.Helper()
	x := []int{2, 8, 12, 16}
	conv, err := spec.NewConv(x, []int{8, 8, 3, 3}, nil, spec.ConvParams{})
	require.NoError(t, err)
	transposed, err := spec.NewConvTranspose(x, []int{8, 8, 3, 3}, nil, spec.ConvTransposeParams{})
	require.NoError(t, err)
	gemm, err := spec.NewGemm([]int{64, 64}, []int{64, 64}, nil, spec.GemmParams{})
	require.NoError(t, err)
	layer, err := spec.NewLayerNorm(x, nil, nil, spec.LayerNormParams{})
	require.NoError(t, err)
	soft, err := spec.NewSoftmax(x, 1, spec.Softmax)
	require.NoError(t, err)
	lp, err := spec.NewLpNormalize(x, 1, spec.LpNormalizeParams{})
	require.NoError(t, err)
	reduce, err := spec.NewReduce(spec.ReduceSum, x, spec.ReduceParams{Axes: []int{1}})
	require.NoError(t, err)
	gather, err := spec.NewTranspose(x, []int{0, 1, 3, 2})
	require.NoError(t, err)
	binary, err := spec.NewBinary(spec.Add, x, []int{16})
	require.NoError(t, err)
	concat, err := spec.NewConcat(1, x, x)
	require.NoError(t, err)
	pad, err := spec.NewPad(x, spec.PadParams{Begin: []int{4}})
	require.NoError(t, err)
	upsample, err := spec.NewUpsample(x, spec.UpsampleParams{Scale: []float64{2}})
	require.NoError(t, err)
	lrn, err := spec.NewLRN(x, spec.LRNParams{Size: 3})
	require.NoError(t, err)
	affine, err := spec.NewLayerNorm([]int{64, 16}, []int{16}, nil, spec.LayerNormParams{})
	require.NoError(t, err)
	normGrad, err := spec.NewNormGrad(affine.Norm, affine.Shape)
	require.NoError(t, err)
	all := map[string]func(dev Device, force string) (Plan, error){
		"binary":           func(dev Device, force string) (Plan, error) { return PlanBinary(binary, dev, force) },
		"concat":           func(dev Device, force string) (Plan, error) { return PlanConcat(concat, dev, force) },
		"pad":              func(dev Device, force string) (Plan, error) { return PlanPad(pad, dev, force) },
		"upsample":         func(dev Device, force string) (Plan, error) { return PlanUpsample(upsample, dev, force) },
		"lrn":              func(dev Device, force string) (Plan, error) { return PlanLRN(lrn, dev, force) },
		"lrn_grad":         func(dev Device, force string) (Plan, error) { return PlanLRNGrad(lrn, dev, force) },
		"conv_grad":        func(dev Device, force string) (Plan, error) { return PlanConvGradWeight(conv, dev, force) },
		"softmax_grad":     func(dev Device, force string) (Plan, error) { return PlanSoftmaxGrad(soft, dev, force) },
		"lpnormalize_grad": func(dev Device, force string) (Plan, error) { return PlanLpNormalizeGrad(lp, dev, force) },
		"conv":             func(dev Device, force string) (Plan, error) { return PlanConv(conv, dev, force) },
		"convtranspose":    func(dev Device, force string) (Plan, error) { return PlanConvTranspose(transposed, dev, force) },
		"gemm":             func(dev Device, force string) (Plan, error) { return PlanGemm(gemm, dev, force) },
		"softmax":          func(dev Device, force string) (Plan, error) { return PlanSoftmax(soft, dev, force) },
		"lpnormalize":      func(dev Device, force string) (Plan, error) { return PlanLpNormalize(lp, dev, force) },
		"reduce":           func(dev Device, force string) (Plan, error) { return PlanReduce(reduce, dev, force) },
		"gather":           func(dev Device, force string) (Plan, error) { return PlanGather(gather, dev, force) },
	}
	for _, kind := range []spec.PoolKind{spec.PoolMax, spec.PoolAvg, spec.PoolLp} {
		g, err := spec.NewPool(kind, x, 2, spec.PoolParams{Kernel: []int{2}})
		require.NoError(t, err)
		all[kind.String()+"pool_grad"] = func(dev Device, force string) (Plan, error) { return PlanPoolGrad(spec.PoolGrad{Pool: g}, dev, force) }
		all[kind.String()+"pool"] = func(dev Device, force string) (Plan, error) { return PlanPool(g, false, dev, force) }
	}
	for _, name := range []string{"batchnorm_train", "layernorm", "rmsnorm", "instancenorm", "groupnorm", "meanvariance", "moments"} {
		all[name] = func(dev Device, force string) (Plan, error) {
			return planNorm(name, &layer.Norm, usualNorm, nil, dev, force)
		}
	}
	for _, name := range []string{"batchnorm_grad", "batchnorm_train_grad", "layernorm_grad", "rmsnorm_grad", "instancenorm_grad", "groupnorm_grad", "meanvariance_grad"} {
		all[name] = func(dev Device, force string) (Plan, error) { return PlanNormGrad(name, normGrad, dev, force) }
	}
	return all
}

func TestTunableNamesEveryKernel(t *testing.T) {
	known := Tunable()
	calls := tunable(t)
	require.Len(t, calls, len(known))
	for function, plan := range calls {
		_, err := plan(Baseline, "no such kernel")
		require.ErrorIs(t, err, spec.ErrUnsupported)
		_, list, _ := strings.Cut(err.Error(), "there are ")
		require.ElementsMatch(t, strings.Split(list, ", "), known[function], function)
	}
}

func TestTableChoosesEveryKernelThatCanServe(t *testing.T) {
	for _, dev := range []Device{Baseline, softwareAdapter()} {
		for function, plan := range tunable(t) {
			bare := dev
			bare.Table = tableOf(t)
			first, err := plan(bare, "")
			require.NoError(t, err)
			require.Equal(t, function, first.Function)
			require.NotEmpty(t, first.Class)
			require.False(t, first.Tuned)
			model, err := plan(dev, "")
			require.NoError(t, err)
			require.Empty(t, model.Class, "without a table no class is made out")
			require.Equal(t, model.Variant, first.Variant)
			require.Equal(t, model.Why, first.Why)
			tuned := 0
			for _, kernel := range Tunable()[function] {
				with := dev
				with.Table = tableOf(t, TableEntry{function, first.Class, kernel, 1.5})
				p, err := plan(with, "")
				require.NoError(t, err)
				if p.Variant != kernel { // it cannot serve: the model's choice does
					require.Equal(t, model.Variant, p.Variant)
					require.Equal(t, model.Steps, p.Steps)
					require.False(t, p.Tuned)
					require.Contains(t, p.Why, "cannot serve", function+" "+kernel)
					continue
				}
				tuned++
				require.True(t, p.Tuned)
				require.Contains(t, p.String(), "the table for some device: 1.50 times as fast")
				forced, err := plan(with, model.Variant)
				require.NoError(t, err)
				require.Equal(t, model.Variant, forced.Variant, "a forced kernel comes before the table")
			}
			require.NotZero(t, tuned, function)
		}
	}
}

func TestTableLeavesOtherClassesAlone(t *testing.T) {
	g, err := spec.NewGemm([]int{64, 64}, []int{64, 64}, nil, spec.GemmParams{})
	require.NoError(t, err)
	dev := Baseline
	dev.Table = tableOf(t, TableEntry{"gemm", "nn m128 n64 k64 b1", "naive", 2}, TableEntry{"conv", "nn m64 n64 k64 b1", "naive", 2})
	p, err := PlanGemm(g, dev, "")
	require.NoError(t, err)
	require.NotEqual(t, "naive", p.Variant)
	require.Equal(t, "nn m64 n64 k64 b1", p.Class)
}

func TestShapeClasses(t *testing.T) {
	gemm := func(a, b []int, p spec.GemmParams) string {
		g, err := spec.NewGemm(a, b, nil, p)
		require.NoError(t, err)
		return gemmClass(&g)
	}
	require.Equal(t, "nn m64 n64 k64 b1", gemm([]int{33, 36}, []int{36, 64}, spec.GemmParams{})) // 33 to 64
	require.Equal(t, "nt m1 n1 k128 b1 odd", gemm([]int{1, 65}, []int{65, 1}, spec.GemmParams{}))
	require.Equal(t, "tt m1024 n512 k2 b1 odd", gemm([]int{2, 1024}, []int{512, 2}, spec.GemmParams{TransA: true, TransB: true}))
	conv, err := spec.NewConv([]int{8, 64, 56, 56}, []int{128, 32, 3, 3}, nil, spec.ConvParams{Groups: 2, Stride: []int{2}, Padding: []int{1}})
	require.NoError(t, err)
	require.Equal(t, "2d k3x3 s2x2 c32 k64 g2 out8192 row32", convClass(&conv))
	conv, err = spec.NewConv([]int{1, 3, 100}, []int{4, 3, 9}, nil, spec.ConvParams{Dilation: []int{2}, Padding: []int{8}, PadMode: spec.PadReflect})
	require.NoError(t, err)
	require.Equal(t, "1d k9 s1 d2 c4 k4 g1 out128 row128 reflect", convClass(&conv))
	norm, err := spec.NewLayerNorm([]int{100, 768}, []int{768}, nil, spec.LayerNormParams{})
	require.NoError(t, err)
	require.Equal(t, "rows groups128 n1024 affine", normClass(&norm.Norm, false))
}

func TestTableBytesAreStable(t *testing.T) {
	entries := []TableEntry{
		{"gemm", "nn m64 n64 k64 b1", "naive", 1.25}, {"conv", "2d <&> x", "naive", 3}, {"conv", "2d a", "gather8x8", 1.5},
	}
	head := Table{Device: "Some GPU", Adapter: "Some GPU (x)", Driver: "1.2", Library: "abc", Date: "2026-01-02"}
	a, err := NewTable(head, entries)
	require.NoError(t, err)
	slices.Reverse(entries)
	b, err := NewTable(head, entries)
	require.NoError(t, err)
	raw, err := a.Bytes()
	require.NoError(t, err)
	other, err := b.Bytes()
	require.NoError(t, err)
	require.Equal(t, string(raw), string(other))
	require.Equal(t, `{
  "version": 1,
  "device": "Some GPU",
  "adapter": "Some GPU (x)",
  "driver": "1.2",
  "library": "abc",
  "date": "2026-01-02",
  "entries": [
    {"function":"conv","class":"2d <&> x","kernel":"naive","gain":3},
    {"function":"conv","class":"2d a","kernel":"gather8x8","gain":1.5},
    {"function":"gemm","class":"nn m64 n64 k64 b1","kernel":"naive","gain":1.25}
  ]
}
`, string(raw))
	back, err := ParseTable(raw)
	require.NoError(t, err)
	require.Equal(t, a, back)
	e, ok := back.Lookup("conv", "2d a")
	require.True(t, ok)
	require.Equal(t, "gather8x8", e.Kernel)
	_, ok = back.Lookup("conv", "2d b")
	require.False(t, ok)
	_, ok = (*Table)(nil).Lookup("conv", "2d a")
	require.False(t, ok)

	empty, err := NewTable(head, nil)
	require.NoError(t, err)
	raw, err = empty.Bytes()
	require.NoError(t, err)
	back, err = ParseTable(raw)
	require.NoError(t, err)
	require.Empty(t, back.Entries)
}

func TestDamagedTables(t *testing.T) {
	good := `{"version":1,"device":"d","adapter":"","driver":"","library":"","date":"","entries":[{"function":"conv","class":"c","kernel":"naive","gain":2}]}`
	_, err := ParseTable([]byte(good))
	require.NoError(t, err)
	replaced := func(old, new string) string {
		require.Contains(t, good, old)
		return strings.Replace(good, old, new, 1)
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":            {"", "damaged"},
		"cut off":          {good[:len(good)-3], "damaged"},
		"more behind":      {good + "{}", "damaged"},
		"not a table":      {"[]", "damaged"},
		"another version":  {replaced(`"version":1`, `"version":2`), "version 2, and this library reads version 1"},
		"no version":       {replaced(`"version":1,`, ``), "version 0"},
		"no device":        {replaced(`"device":"d"`, `"device":""`), "names no device"},
		"unknown field":    {replaced(`"date"`, `"day"`), "damaged"},
		"unknown function": {replaced(`"conv"`, `"conw"`), `function "conw" has no choice`},
		"unknown kernel":   {replaced(`"naive"`, `"fast"`), `function "conv" has no kernel "fast"; there are`},
		"no class":         {replaced(`"c"`, `""`), "names no class"},
		"no gain":          {replaced(`"gain":2`, `"gain":-1`), "gain"},
		"twice":            {replaced(`"entries":[`, `"entries":[{"function":"conv","class":"c","kernel":"naive","gain":3},`), "comes twice"},
	} {
		_, err := ParseTable([]byte(c.text))
		require.ErrorIs(t, err, spec.ErrParam, name)
		require.ErrorContains(t, err, c.want, name)
	}
}

func TestTablesOfTheLibrary(t *testing.T) {
	all, err := tunedTables()
	require.NoError(t, err)
	for _, table := range all {
		for _, e := range table.Entries {
			require.GreaterOrEqual(t, e.Gain, 1.1, "%s: %v", table.Device, e)
		}
	}
	for _, name := range []string{"llvmpipe (LLVM 15.0.6, 256 bits)", "LLVMpipe (LLVM 19.1.1, 512 bits)"} {
		table, err := TunedTable(name)
		require.NoError(t, err)
		require.Equal(t, "llvmpipe", table.Device)
	}
	table, err := TunedTable("no such device")
	require.NoError(t, err)
	require.Nil(t, table)
	require.Equal(t, "llvmpipe", DeviceKey("llvmpipe (LLVM 15.0.6, 256 bits)"))
	require.Equal(t, "AMD Radeon Graphics (RADV RENOIR)", DeviceKey("AMD Radeon Graphics (RADV RENOIR)"))
}
