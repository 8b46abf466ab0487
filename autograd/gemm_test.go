package autograd_test

import (
	"testing"

	"github.com/kansu-dev/kansu/autograd"
	"github.com/kansu-dev/kansu/internal/enginetest"
	"github.com/kansu-dev/kansu/ops"
	"github.com/stretchr/testify/require"
)

// TestGemmAndExtremes takes gradients of a product and of its extremes that are
// known in closed form.
func TestGemmAndExtremes(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		param := func(v []float32, shape ...int) *autograd.Variable {
			x, err := e.Tensor(v, shape...)
			require.NoError(t, err)
			return autograd.Param(x)
		}
		alpha, beta := float32(2), float32(3)
		a := param([]float32{1, 2, 3, 4}, 2, 2) // stored transposed
		b := param([]float32{1, 0, 0, 1}, 2, 2)
		c := param([]float32{5, 5}, 2)
		tape := autograd.NewTape(e)
		// y = 2 a^T b + 3 c = [[17 21] [19 23]]
		y := tape.Gemm(a, b, c, ops.GemmParams{TransA: true, Alpha: &alpha, Beta: &beta})
		// Of each column the greatest, of each row the least: 19 + 23 + 17 + 19.
		loss := tape.Add(tape.Sum(tape.Amax(y, ops.ReduceParams{Axes: []int{0}}), ops.ReduceParams{}),
			tape.Sum(tape.Amin(y, ops.ReduceParams{Axes: []int{1}, Keep: true}), ops.ReduceParams{}))
		require.NoError(t, tape.Err())
		v, err := loss.Value().Data()
		require.NoError(t, err)
		require.Equal(t, []float32{78}, v)
		require.NoError(t, tape.Backward(loss))
		// dy = [[1 0] [2 1]]; da = 2 b dy^T, db = 2 a dy, dc = 3 * the sums of dy's columns.
		for _, g := range []struct {
			v    *autograd.Variable
			want []float32
		}{{a, []float32{2, 4, 0, 2}}, {b, []float32{10, 4, 22, 8}}, {c, []float32{9, 3}}} {
			got, err := g.v.Grad().Data()
			require.NoError(t, err)
			require.Equal(t, g.want, got)
			g.v.Release()
		}
		// Equal extremes share evenly.
		x := param([]float32{4, 1, 4, 0}, 4)
		tape = autograd.NewTape(e)
		require.NoError(t, tape.Backward(tape.Amax(x, ops.ReduceParams{})))
		got, err := x.Grad().Data()
		require.NoError(t, err)
		require.Equal(t, []float32{0.5, 0, 0.5, 0}, got)
		x.Release()
	})
}
