package tests

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/tests/cases"
)

// manyGroups are calls of more than 65,535 workgroups, or rows, channels, batches
// or matrices, which a grid's dimension cannot count. The second list is for the
// kernels of the engine's own choice and the naive ones alone: a software
// adapter takes minutes for the others.
const (
	manyGroups = `
binary {"Func":"add","A":[4300000],"B":[1]}
binary {"Func":"mul","A":[70000,3],"B":[70000,1]}
conv {"X":[70000,1,4],"W":[2,1,3],"Bias":true}
conv {"X":[1,2,4],"W":[70000,2,3]}
convtranspose {"X":[70000,1,4],"W":[1,2,3]}
gemm {"A":[70000,3],"B":[3,5]}
gemm {"A":[3,3],"B":[3,70000]}
linear {"X":[70000,3],"W":[4,3],"Bias":true}
maxpool {"Kind":"max","X":[70000,2,5],"Params":{"Kernel":[2]}}
avgpool {"Kind":"avg","X":[700,100,3,3],"Global":true}
unpool {"X":[70000,1,3],"Params":{"Kernel":[2]}}
batchnorm {"X":[2,70000,3],"Scale":true,"Shift":true}
batchnorm_train {"X":[3,70000,2],"Scale":true,"Running":true}
instancenorm {"X":[1,70000,5],"Scale":true,"Shift":true}
groupnorm {"X":[35000,4,3],"Scale":true,"Params":{"Groups":2}}
layernorm {"X":[70000,9],"Scale":true,"Shift":true}
layernorm {"X":[9,70000],"Params":{"Axes":[0]}}
rmsnorm {"X":[70000,9],"Scale":true}
meanvariance {"X":[3,70000,2]}
lrn {"X":[70000,4,3],"Params":{"Size":3}}
lpnormalize {"X":[70000,7],"Axis":1}
softmax {"X":[70000,9],"Axis":1}
softmax {"X":[9,70000],"Axis":0,"Kind":1}
dropout {"X":[4300000],"P":0.5,"Key":7,"Mask":true}
concat {"Axis":0,"X":[[2200000],[2200000]]}
concat {"Axis":1,"X":[[70000,2],[70000,3]]}
transpose {"X":[70000,31],"Perm":[1,0]}
slice {"X":[4400000],"Begin":[1]}
pad {"X":[4300000],"Params":{"Begin":[1],"End":[2]}}
upsample {"X":[1,1,2200000],"Params":{"Scale":[2]}}
upsample {"X":[70000,1,3],"Params":{"Size":[5],"Mode":2}}
reduce {"Func":"sum","X":[70000,9],"Params":{"Axes":[1]}}
reduce {"Func":"max","X":[9,70000],"Params":{"Axes":[0]}}
`
	manyGroupsChosen = `
activation {"X":[4300000],"Func":"relu"}
conv {"X":[1,1,4300000],"W":[1,1,1]}
conv {"X":[1,70000,4],"W":[70000,1,3],"Params":{"Groups":70000}}
convtranspose {"X":[1,1,2200000],"W":[1,1,2],"Params":{"Stride":[2]}}
convtranspose {"X":[1,70000,2],"W":[70000,1,3],"Params":{"Groups":70000}}
matmul {"A":[70000,2,3],"B":[70000,3,2]}
maxpool {"Kind":"max","X":[1,2,4400000],"Params":{"Kernel":[2]},"Indices":true}
lppool {"Kind":"lp","X":[70000,1,4],"Norm":2,"Params":{"Kernel":[2],"Stride":[1]}}
`
)

// TestManyGroups: calls whose work does not fit into one dimension of a grid are
// folded over the others.
func TestManyGroups(t *testing.T) {
	if testing.Short() {
		t.Skip("millions of elements")
	}
	check := func(line string, kernels func(row cases.Row) []string) {
		row, c, err := cases.Parse(line)
		require.NoError(t, err, line)
		in, want := cases.Prepare(row, c)
		onEach(t, func(t *testing.T, e *ops.Engine) {
			for _, kernel := range kernels(row) {
				res := cases.CheckAgainst(e, row, c, kernel, in, want)
				assert.NoError(t, res.Err, "kernel %q: %s", kernel, line)
			}
		})
	}
	for line := range strings.Lines(strings.TrimSpace(manyGroups)) {
		check(line, cases.Row.Variants)
	}
	for line := range strings.Lines(strings.TrimSpace(manyGroupsChosen)) {
		check(line, func(row cases.Row) []string {
			if slices.Contains(row.Kernels, "naive") {
				return []string{"", "naive"}
			}
			return []string{""}
		})
	}
}

// TestTooLargeForTheDevice: a result larger than the device can bind is refused
// before anything is allocated.
func TestTooLargeForTheDevice(t *testing.T) {
	onEach(t, func(t *testing.T, e *ops.Engine) {
		if e.GPU() == nil {
			t.Skip("pure Go has no limit but the 2^31 elements of any tensor")
		}
		l := e.GPU().Info().Limits
		n := int(min(int64(l.MaxBindingSize), int64(l.MaxBufferSize))/4/4096) + 1
		if n*4096 > 1<<31-1 {
			t.Skipf("%v binds every tensor there can be", e.Device())
		}
		before := e.Stats().GPU.Created
		a, err := e.Tensor(make([]float32, n), n, 1)
		require.NoError(t, err)
		b, err := e.Tensor(make([]float32, 4096), 1, 4096)
		require.NoError(t, err)
		_, err = ops.MatMul(a, b, ops.MatMulParams{})
		require.ErrorIs(t, err, ops.ErrTooLarge)
		require.ErrorContains(t, err, "4096]")
		require.LessOrEqual(t, e.Stats().GPU.Created, before+2, "buffers were made for a call that was refused")
		_, err = a.Data()
		require.NoError(t, err)
	})
}
