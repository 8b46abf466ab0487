package tests

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
	"github.com/kansu-dev/kansu/tests/cases"
)

// TestConvNaN puts a NaN and infinities into the inputs of convolutions: they
// must reach the outputs whose window covers them, and no others, with every
// kernel but Winograd's, whose documentation says that it spreads them.
func TestConvNaN(t *testing.T) {
	relu := spec.Activation{Func: spec.ReLU}
	tests := []struct {
		row string
		c   cases.Case
	}{
		{"conv", &cases.ConvCase{X: []int{1, 17, 9, 12}, W: []int{9, 17, 3, 3}, Bias: true, Params: ops.ConvParams{Padding: []int{1}}}},
		{"conv", &cases.ConvCase{X: []int{2, 3, 9, 13}, W: []int{4, 3, 3, 5}, Params: ops.ConvParams{Stride: []int{2}, Padding: []int{2}, Act: relu}}},
		{"conv", &cases.ConvCase{X: []int{1, 6, 9, 11}, W: []int{6, 1, 3, 3}, Params: ops.ConvParams{Groups: 6, Padding: []int{1}, Dilation: []int{2}}}},
		{"conv", &cases.ConvCase{X: []int{1, 200, 6}, W: []int{3, 200, 1}}},
		{"convtranspose", &cases.ConvTransposeCase{X: []int{1, 5, 6, 7}, W: []int{5, 3, 3, 4}, Bias: true, Params: ops.ConvTransposeParams{Stride: []int{2, 3}, Padding: []int{1}, Act: relu}}},
	}
	onEach(t, func(t *testing.T, e *ops.Engine) {
		for _, tt := range tests {
			row, err := cases.Find(tt.row)
			assert.NoError(t, err)
			in := cases.Draws(tt.c, 1)
			x := in[0]
			x[len(x)/2] = float32(math.NaN())
			x[1] = float32(math.Inf(1))
			x[len(x)-2] = float32(math.Inf(-1))
			wide := make([][]float64, len(in))
			for i, v := range in {
				for _, f := range v {
					wide[i] = append(wide[i], float64(f))
				}
			}
			want := tt.c.Oracle(wide)
			for _, kernel := range row.Variants() {
				if strings.HasPrefix(kernel, "winograd") {
					continue
				}
				res := cases.CheckAgainst(e, row, tt.c, kernel, in, want)
				assert.NoError(t, res.Err, "kernel %q of %s", kernel, cases.Line(tt.row, tt.c))
			}
		}
	}, ops.WithDebug())
}
