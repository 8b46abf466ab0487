package autograd_test

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kansu-dev/kansu/autograd"
	"github.com/kansu-dev/kansu/internal/enginetest"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

func tensor(t *testing.T, e *ops.Engine, r *rand.Rand, shape ...int) *ops.Tensor {
	v := make([]float32, spec.Count(shape))
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	x, err := e.Tensor(v, shape...)
	require.NoError(t, err)
	return x
}

func data(t *testing.T, x *ops.Tensor) []float32 {
	v, err := x.Data()
	require.NoError(t, err)
	return v
}

// TestGradientsOfAGraph compares the gradients of a graph of most functions with
// differences of its loss.
func TestGradientsOfAGraph(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		r := rand.New(rand.NewPCG(3, 4))
		x := tensor(t, e, r, 2, 3, 6, 6)
		target := tensor(t, e, r, 2, 5)
		params := map[string]*autograd.Variable{
			"w": autograd.Param(tensor(t, e, r, 4, 3, 3, 3)), "b": autograd.Param(tensor(t, e, r, 4)),
			"u": autograd.Param(tensor(t, e, r, 5, 36)), "c": autograd.Param(tensor(t, e, r, 5)),
			"s": autograd.Param(tensor(t, e, r, 4, 1, 1)),
		}
		graph := func() (*autograd.Tape, *autograd.Variable) {
			tape := autograd.NewTape(e)
			h := tape.Conv(tape.Const(x), params["w"], params["b"], ops.ConvParams{Padding: []int{1}, Act: spec.Tanh.Default()})
			h = tape.Mul(h, params["s"])
			h = tape.Add(h, tape.Sigmoid(h)) // h is used twice
			h = tape.AvgPool(h, ops.PoolParams{Kernel: []int{2}})
			h = tape.Transpose(h, 0, 2, 3, 1)
			h = tape.Flatten(h, 1, -1)
			h = tape.Linear(h, params["u"], params["c"], ops.LinearParams{})
			return tape, tape.MSELoss(h, target, ops.LossParams{})
		}
		loss := func() float64 {
			tape, l := graph()
			require.NoError(t, tape.Err())
			defer tape.Release()
			return float64(data(t, l.Value())[0])
		}
		tape, l := graph()
		require.NoError(t, tape.Backward(l))
		for _, name := range slices.Sorted(maps.Keys(params)) { // in one order: they share what is drawn
			p := params[name]
			grad := data(t, p.Grad())
			require.Equal(t, p.Shape(), p.Grad().Shape())
			old := data(t, p.Value())
			for range 4 {
				i := r.IntN(len(old))
				const h = 1e-2
				at := func(d float32) float64 {
					v := append([]float32(nil), old...)
					v[i] += d
					moved, err := e.Tensor(v, p.Shape()...)
					require.NoError(t, err)
					p.Set(moved)
					return loss()
				}
				slope := (at(h) - at(-h)) / (2 * h)
				at(0)
				require.InDelta(t, slope, grad[i], 2e-3*math.Max(1, math.Abs(slope)), "%s[%d]", name, i)
			}
		}
		for _, p := range params {
			p.Release()
		}
		x.Release()
		target.Release()
		require.EqualValues(t, 0, e.Stats().LiveTensors)
	})
}

func TestGradientsAccumulateAndMisuseIsAnError(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		one, err := e.Tensor([]float32{3}, 1)
		require.NoError(t, err)
		p := autograd.Param(one)
		square := func() (*autograd.Tape, *autograd.Variable) {
			tape := autograd.NewTape(e)
			return tape, tape.Sum(tape.Mul(p, p), ops.ReduceParams{})
		}
		for n := 1; n <= 2; n++ {
			tape, y := square()
			require.NoError(t, tape.Backward(y))
			require.Equal(t, []float32{6 * float32(n)}, data(t, p.Grad()))
			require.ErrorIs(t, tape.Backward(y), autograd.ErrSpent)
		}
		p.ZeroGrad()
		require.Nil(t, p.Grad())

		tape, y := square()
		two, err := e.Tensor([]float32{2}, 1)
		require.NoError(t, err)
		p.Set(two)
		require.ErrorIs(t, tape.Backward(y), autograd.ErrChanged)

		tape = autograd.NewTape(e)
		var z *autograd.Variable
		tape.NoGrad(func() { z = tape.Mul(p, p) })
		require.ErrorIs(t, tape.Backward(z), autograd.ErrNoGrad)

		tape = autograd.NewTape(e)
		a := tape.Reshape(p, 7)
		require.ErrorIs(t, tape.Err(), ops.ErrShape)
		require.Nil(t, tape.Mul(a, a), "calls after an error do nothing")
		require.ErrorIs(t, tape.Backward(a), ops.ErrShape)

		tape = autograd.NewTape(e)
		wide := tape.Concat(0, p, p)
		require.ErrorIs(t, tape.Backward(wide), ops.ErrShape, "not a single number")

		tape = autograd.NewTape(e)
		pair, err := e.Tensor([]float32{1, 2}, 2)
		require.NoError(t, err)
		for _, f := range []func() *autograd.Variable{
			func() *autograd.Variable { return tape.Mul(wide, wide) },
			func() *autograd.Variable { return tape.Transpose(wide, 1, 0) },
			func() *autograd.Variable { return tape.Expand(wide, 3, 2, 1) },
		} {
			tape = autograd.NewTape(e)
			wide = tape.Reshape(tape.Concat(0, p, p), 2, 1)
			y := f()
			require.ErrorIs(t, tape.BackwardFrom(y, pair), ops.ErrShape, "a gradient that broadcasts is none of the value")
			require.Nil(t, p.Grad())
		}
		indices, err := e.Indices([]int32{1, 2}, 2)
		require.NoError(t, err)
		tape = autograd.NewTape(e)
		require.ErrorIs(t, tape.BackwardFrom(tape.Concat(0, p, p), indices), ops.ErrType)
		indices.Release()
		pair.Release()

		tape, y = square()
		stranger := autograd.NewTape(e)
		require.Nil(t, stranger.Mul(y, p))
		require.ErrorIs(t, stranger.Err(), autograd.ErrTape)
		tape.Release()

		tape = autograd.NewTape(e)
		require.Nil(t, tape.RMSNorm(p, nil, autograd.Param(nil), ops.LayerNormParams{Axes: []int{0}}))
		require.ErrorIs(t, tape.Err(), ops.ErrNil, "a variable without a value is not one that was left out")
		var failed *autograd.Variable // what a failed call returns
		require.Nil(t, failed.Grad())
		failed.Set(nil)
		failed.ZeroGrad()
		failed.Release()

		p.Release()
		require.EqualValues(t, 0, e.Stats().LiveTensors)
	})
}

func TestMatMulGradientsForEveryTranspose(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		r := rand.New(rand.NewPCG(5, 6))
		for _, c := range []struct {
			a, b []int
			p    ops.MatMulParams
		}{
			{[]int{3, 4}, []int{4, 5}, ops.MatMulParams{}},
			{[]int{4, 3}, []int{4, 5}, ops.MatMulParams{TransA: true}},
			{[]int{3, 4}, []int{5, 4}, ops.MatMulParams{TransB: true}},
			{[]int{4, 3}, []int{5, 4}, ops.MatMulParams{TransA: true, TransB: true}},
			{[]int{2, 3, 4}, []int{4, 5}, ops.MatMulParams{}},
			{[]int{4}, []int{2, 4, 5}, ops.MatMulParams{}},
			{[]int{2, 3, 4}, []int{4}, ops.MatMulParams{}},
			{[]int{4}, []int{4}, ops.MatMulParams{}},
		} {
			a, b := autograd.Param(tensor(t, e, r, c.a...)), autograd.Param(tensor(t, e, r, c.b...))
			tape := autograd.NewTape(e)
			y := tape.MatMul(a, b, c.p)
			require.NoError(t, tape.Err())
			l := tape.Sum(tape.Mul(y, y), ops.ReduceParams{})
			require.NoError(t, tape.Backward(l), "%v", c)
			// sum y^2 is quadratic in each: its slope is exact by differences.
			for _, v := range []*autograd.Variable{a, b} {
				grad, old := data(t, v.Grad()), data(t, v.Value())
				i := r.IntN(len(old))
				at := func(d float32) float64 {
					moved := append([]float32(nil), old...)
					moved[i] += d
					x, err := e.Tensor(moved, v.Shape()...)
					require.NoError(t, err)
					v.Set(x)
					tape := autograd.NewTape(e)
					defer tape.Release()
					y := tape.MatMul(a, b, c.p)
					return float64(data(t, tape.Sum(tape.Mul(y, y), ops.ReduceParams{}).Value())[0])
				}
				slope := (at(0.5) - at(-0.5)) / 1
				at(0)
				require.InDelta(t, slope, grad[i], 1e-3*math.Max(1, math.Abs(slope)), "%v", c)
			}
			a.Release()
			b.Release()
		}
	})
}

// TestSumSquareGradient compares the gradient with its formula, 2*x*dy, where each
// row has a dy of its own.
func TestSumSquareGradient(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		r := rand.New(rand.NewPCG(5, 6))
		x, scale := autograd.Param(tensor(t, e, r, 3, 4, 5)), tensor(t, e, r, 4)
		tape := autograd.NewTape(e)
		rows := tape.SumSquare(x, ops.ReduceParams{Axes: []int{0, -1}})
		require.NoError(t, tape.Err())
		require.Equal(t, []int{4}, rows.Shape())
		require.NoError(t, tape.Backward(tape.Sum(tape.Mul(rows, tape.Const(scale)), ops.ReduceParams{})))
		xs, dy := data(t, x.Value()), data(t, scale)
		for i, got := range data(t, x.Grad()) {
			require.InDelta(t, 2*xs[i]*dy[i/5%4], got, 1e-6, "element %d", i)
		}
		x.Release()
	})
}

// TestTrainingFunctions runs the functions of a training step that the graph above
// lacks, backwards: every parameter gets a gradient, finite and of its shape.
func TestTrainingFunctions(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		r := rand.New(rand.NewPCG(7, 8))
		x := tensor(t, e, r, 4, 6, 5, 5)
		var params []*autograd.Variable
		param := func(shape ...int) *autograd.Variable {
			v := autograd.Param(tensor(t, e, r, shape...))
			params = append(params, v)
			return v
		}
		running, err := autograd.NewRunningStats(e, 6)
		require.NoError(t, err)
		tape := autograd.NewTape(e)
		h := tape.BatchNorm(tape.Const(x), param(6), param(6), running, ops.BatchNormTrainParams{})
		h = tape.GroupNorm(h, param(6), param(6), ops.GroupNormParams{Groups: 2, Act: spec.GELU.Default()})
		h = tape.InstanceNorm(h, param(6), param(6), ops.InstanceNormParams{})
		h = tape.PReLU(h, param(6))
		h = tape.Pad(h, ops.PadParams{Begin: []int{1, 1}, End: []int{1, 1}, Mode: spec.PadReflect})
		h = tape.ConvTranspose(h, param(6, 3, 2, 2), param(3), ops.ConvTransposeParams{Stride: []int{2}})
		h = tape.Upsample(h, ops.UpsampleParams{Size: []int{9, 9}, Mode: spec.Linear})
		h = tape.MaxPool(h, ops.PoolParams{Kernel: []int{2}})
		h = tape.Concat(1, h, tape.Max(h, tape.Sub(tape.Const(e1(t, e)), h)))
		h = tape.AdaptiveAvgPool(h, 3, 2)
		h = tape.Dropout(h, 0.2, 5)
		h = tape.Flatten(h, 1, -1)
		h = tape.LayerNorm(h, param(36), param(36), ops.LayerNormParams{})
		h = tape.RMSNorm(h, param(36), nil, ops.LayerNormParams{})
		h = tape.Linear(h, param(10, 36), param(10), ops.LinearParams{Act: spec.Mish.Default()})
		h = tape.Div(h, tape.Add(tape.Mul(h, h), tape.Const(e1(t, e))))
		h = tape.Softmax(tape.Add(h, tape.LogSoftmax(h, 1)), 1)
		labels, err := e.Indices([]int32{1, 9, 0, 3}, 4)
		require.NoError(t, err)
		require.NoError(t, tape.Backward(tape.CrossEntropy(h, labels, ops.CrossEntropyParams{LabelSmoothing: 0.1})))
		for i, p := range params {
			require.NotNil(t, p.Grad(), "parameter %d", i)
			require.Equal(t, p.Shape(), p.Grad().Shape(), "parameter %d", i)
			for _, v := range data(t, p.Grad()) {
				require.False(t, math.IsNaN(float64(v)) || math.IsInf(float64(v), 0), "parameter %d: %v", i, v)
			}
			p.Release()
		}
		running.Release()
	})
}

// e1 is a single one.
func e1(t *testing.T, e *ops.Engine) *ops.Tensor {
	x, err := e.Tensor([]float32{1}, 1)
	require.NoError(t, err)
	return x
}
