package shaders

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/spec"
)

// plannedMore are the plans that hold more, by call and kernel, and how much in
// all, as a multiple of the tensors. It is a list of what is to be mended, on a real
// GPU: bounding the parts of split sums costs parallelism that only one can weigh.
var plannedMore = map[string]float64{
	"conv3x3_64x56x56, forward: split64x64":                 3.8, // split sums
	"conv3x3_64x56x56, input: flip":                         3.9, // flipped weights and split sums
	"conv3x3_256x14x14, forward: split64x64":                2.2, // split sums
	"convT4x4s2_128to64x32_grad_input, forward: split64x64": 3,
	"convT4x4s2_128to64x32_grad_input, input: gemm128x128":  3, // columns
	"conv7x7s2_3to64x224, input: gemm32x128":                3,
}

// TestPlannedMemory bounds what the plans of convolutions hold beside their
// tensors, on a device that is not at hand too: half of the tensors, and a MiB.
func TestPlannedMemory(t *testing.T) {
	const slack = 1 << 18
	for _, c := range []struct {
		name string
		x, w []int
		p    spec.ConvParams
	}{
		{"conv3x3_64x56x56", []int{1, 64, 56, 56}, []int{64, 64, 3, 3}, spec.ConvParams{Padding: []int{1}}},
		{"conv3x3_256x14x14", []int{1, 256, 14, 14}, []int{256, 256, 3, 3}, spec.ConvParams{Padding: []int{1}}},
		{"conv1x1_256to64x56", []int{1, 256, 56, 56}, []int{64, 256, 1, 1}, spec.ConvParams{}},
		{"conv7x7s2_3to64x224", []int{1, 3, 224, 224}, []int{64, 3, 7, 7}, spec.ConvParams{Stride: []int{2}, Padding: []int{3}}},
		{"dwconv3x3_128x56", []int{1, 128, 56, 56}, []int{128, 1, 3, 3}, spec.ConvParams{Padding: []int{1}, Groups: 128}},
		{"conv1d_k9_8x64x4096", []int{8, 64, 4096}, []int{64, 64, 9}, spec.ConvParams{Padding: []int{4}}},
		{"conv3d_32x16x32x32", []int{1, 32, 16, 32, 32}, []int{32, 32, 3, 3, 3}, spec.ConvParams{Padding: []int{1}}},
		{"convT4x4s2_128to64x32_grad_input", []int{1, 64, 64, 64}, []int{128, 64, 4, 4}, spec.ConvParams{Stride: []int{2}, Padding: []int{1}}},
	} {
		c.p.Direct = true // as ops plans it where no kernel is forced
		g, err := spec.NewConv(c.x, c.w, nil, c.p)
		require.NoError(t, err)
		back, err := spec.NewConvTranspose(g.OutShape(), c.w, nil, spec.ConvTransposeParams{
			Stride: c.p.Stride, Padding: c.p.Padding, Groups: c.p.Groups, OutputSize: c.x[2:]})
		require.NoError(t, err)
		tensors := spec.Count(c.x) + spec.Count(c.w) + spec.Count(g.OutShape())
		for _, dev := range []Device{gpuDevice, softwareDevice} {
			for side, plan := range map[string]func() (Plan, error){
				"forward": func() (Plan, error) { return PlanConv(g, dev, "") },
				"input":   func() (Plan, error) { return PlanConvTranspose(back, dev, "") },
				"weight":  func() (Plan, error) { return PlanConvGradWeight(g, dev, "") },
			} {
				p, err := plan()
				require.NoError(t, err)
				temps := 0
				for _, n := range p.Temps {
					temps += n
				}
				what := fmt.Sprintf("%s, %s: %s", c.name, side, p.Variant)
				t.Logf("%s: %.2f", what, 1+float64(temps)/float64(tensors))
				if more := plannedMore[what]; more > 0 {
					assert.LessOrEqual(t, float64(temps), (more-1)*float64(tensors), what)
					continue
				}
				assert.LessOrEqual(t, temps, tensors/2+slack, what)
			}
		}
	}
}
