package tests

import (
	"testing"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
	"github.com/kansu-dev/kansu/tests/cases"
	"github.com/stretchr/testify/require"
)

// TestConvBesideALargeValue holds a 3x3 convolution to its budget where one value
// is a billion times its neighbours: the error of one output may not come from
// the terms of another.
func TestConvBesideALargeValue(t *testing.T) {
	c := &cases.ConvCase{X: []int{1, 16, 12, 12}, W: []int{16, 16, 3, 3}, Params: spec.ConvParams{Padding: []int{1}}}
	row, err := cases.Find("conv")
	require.NoError(t, err)
	in := cases.Draws(c, 1)
	wide := make([][]float64, len(in))
	for i := range in[0] {
		in[0][i] *= 1e-3
	}
	in[0][5*12+5] = 1e6
	for i, v := range in {
		for _, x := range v {
			wide[i] = append(wide[i], float64(x))
		}
	}
	want := c.Oracle(wide)
	onEach(t, func(t *testing.T, e *ops.Engine) {
		require.NoError(t, cases.CheckAgainst(e, row, c, "", in, want).Err)
	})
}
