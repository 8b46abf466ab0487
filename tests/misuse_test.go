package tests

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
	"github.com/kansu-dev/kansu/tests/cases"
)

// misuse is one wrong call: what it must return, and what its message must name.
type misuse struct {
	name string
	kind error
	says string
	call func() (*ops.Tensor, error)
}

var nan32 = float32(math.NaN())

// TestMisuse makes calls that are wrong in every way that their shapes and
// parameters can be. Each is an error of the right kind that names the value,
// and another tensor is intact after all of them.
func TestMisuse(t *testing.T) {
	onEach(t, func(t *testing.T, e *ops.Engine) {
		tensor := func(shape ...int) *ops.Tensor {
			x, err := e.Tensor(make([]float32, spec.Count(shape)), shape...)
			require.NoError(t, err)
			return x
		}
		witness, err := e.Tensor([]float32{1, -2, 3, -4}, 2, 2)
		require.NoError(t, err)
		all := slices.Concat(misuseOfEngine(e, tensor), misuseOfConv(tensor), misuseOfPool(tensor),
			misuseOfNorm(tensor), misuseOfOthers(tensor))
		for _, m := range all {
			y, err := m.call()
			assert.Nil(t, y, m.name)
			assert.ErrorIs(t, err, m.kind, m.name)
			assert.ErrorContains(t, err, m.says, m.name)
			assert.ErrorContains(t, err, "ops.", m.name)
		}
		got, err := witness.Data()
		require.NoError(t, err)
		require.Equal(t, []float32{1, -2, 3, -4}, got)
	})
}

func misuseOfEngine(e *ops.Engine, tensor func(...int) *ops.Tensor) []misuse {
	x := tensor(2, 3)
	upload := func(n int, shape ...int) func() (*ops.Tensor, error) {
		return func() (*ops.Tensor, error) { return e.Tensor(make([]float32, n), shape...) }
	}
	reshape := func(shape ...int) func() (*ops.Tensor, error) {
		return func() (*ops.Tensor, error) { return x.Reshape(shape...) }
	}
	return []misuse{
		{"data too short", ops.ErrShape, "5", upload(5, 2, 3)},
		{"data too long", ops.ErrShape, "7", upload(7, 2, 3)},
		{"data for a scalar", ops.ErrShape, "2", upload(2)},
		{"no data", ops.ErrShape, "0", upload(0, 4)},
		{"zero-size axis", ops.ErrShape, "axis 1 has size 0", upload(0, 2, 0)},
		{"negative axis", ops.ErrShape, "-3", upload(6, 2, -3)},
		{"product of negatives", ops.ErrShape, "-2", upload(6, -2, -3)},
		{"overflow of 31 bits", ops.ErrTooLarge, "[65536 65536]", upload(1, 65536, 65536)},
		{"overflow of 64 bits", ops.ErrTooLarge, "4294967296", upload(0, 1<<32, 1<<32)},
		{"too many axes", ops.ErrShape, "9 axes", upload(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)},
		{"reshape to another count", ops.ErrShape, "[4 2]", reshape(4, 2)},
		{"reshape by a part", ops.ErrShape, "4", reshape(-1, 4)},
		{"reshape with two unknowns", ops.ErrShape, "-1", reshape(-1, -1)},
		{"reshape to nothing", ops.ErrShape, "0", reshape(0, 6)},
		{"reshape by an overflow", ops.ErrTooLarge, "[2147483647 2147483647]", reshape(1<<31-1, 1<<31-1)},
		{"flatten backwards", ops.ErrParam, "1", func() (*ops.Tensor, error) { return x.Flatten(1, 0) }},
		{"flatten past the end", ops.ErrParam, "2", func() (*ops.Tensor, error) { return x.Flatten(0, 2) }},
	}
}

func misuseOfConv(tensor func(...int) *ops.Tensor) []misuse {
	x, w, b := tensor(1, 4, 8, 8), tensor(6, 4, 3, 3), tensor(6)
	conv := func(p ops.ConvParams) func() (*ops.Tensor, error) {
		return func() (*ops.Tensor, error) { return ops.Conv(x, w, b, p) }
	}
	of := func(x, w, b *ops.Tensor) func() (*ops.Tensor, error) {
		return func() (*ops.Tensor, error) { return ops.Conv(x, w, b, ops.ConvParams{}) }
	}
	xt, wt := tensor(1, 4, 8, 8), tensor(4, 6, 3, 3)
	transposed := func(p ops.ConvTransposeParams) func() (*ops.Tensor, error) {
		return func() (*ops.Tensor, error) { return ops.ConvTranspose(xt, wt, nil, p) }
	}
	return []misuse{
		{"conv: input of a matrix", ops.ErrShape, "[8 8]", of(tensor(8, 8), w, b)},
		{"conv: input of six axes", ops.ErrShape, "[1 1 1 4 8 8]", of(tensor(1, 1, 1, 4, 8, 8), w, b)},
		{"conv: weight of another rank", ops.ErrShape, "[6 4 3]", of(x, tensor(6, 4, 3), b)},
		{"conv: weight for other channels", ops.ErrShape, "[6 3 3 3]", of(x, tensor(6, 3, 3, 3), b)},
		{"conv: bias of another size", ops.ErrShape, "[5]", of(x, w, tensor(5))},
		{"conv: bias of another rank", ops.ErrShape, "[1 6]", of(x, w, tensor(1, 6))},
		{"conv: no weight", ops.ErrNil, "nil", of(x, nil, b)},
		{"conv: no input", ops.ErrNil, "nil", of(nil, w, b)},
		{"conv: stride 0", ops.ErrParam, "stride [0]", conv(ops.ConvParams{Stride: []int{0}})},
		{"conv: stride -1", ops.ErrParam, "-1", conv(ops.ConvParams{Stride: []int{1, -1}})},
		{"conv: three strides", ops.ErrParam, "stride [1 1 1]", conv(ops.ConvParams{Stride: []int{1, 1, 1}})},
		{"conv: dilation 0", ops.ErrParam, "dilation [0 1]", conv(ops.ConvParams{Dilation: []int{0, 1}})},
		{"conv: dilation -2", ops.ErrParam, "-2", conv(ops.ConvParams{Dilation: []int{-2}})},
		{"conv: overflowing dilation", ops.ErrParam, "9223372036854775807", conv(ops.ConvParams{Dilation: []int{math.MaxInt}})},
		{"conv: overflowing stride", ops.ErrParam, "9223372036854775807", conv(ops.ConvParams{Stride: []int{math.MaxInt}})},
		{"conv: padding -1", ops.ErrParam, "-1", conv(ops.ConvParams{Padding: []int{-1}})},
		{"conv: overflowing padding", ops.ErrParam, "9223372036854775807", conv(ops.ConvParams{Padding: []int{math.MaxInt}})},
		{"conv: three paddings", ops.ErrParam, "[1 1 1]", conv(ops.ConvParams{Padding: []int{1, 1, 1}})},
		{"conv: groups -1", ops.ErrParam, "-1", conv(ops.ConvParams{Groups: -1})},
		{"conv: groups 3 of 4 channels", ops.ErrParam, "3", conv(ops.ConvParams{Groups: 3})},
		{"conv: kernel larger than the input", ops.ErrShape, "9", conv(ops.ConvParams{Dilation: []int{4}})},
		{"conv: reflection past the input", ops.ErrParam, "8", conv(ops.ConvParams{Padding: []int{8}, PadMode: spec.PadReflect})},
		{"conv: wrapping twice", ops.ErrParam, "9", conv(ops.ConvParams{Padding: []int{9}, PadMode: spec.PadCircular})},
		{"conv: unknown padding mode", ops.ErrParam, "77", conv(ops.ConvParams{PadMode: 77})},
		{"conv: unknown auto padding", ops.ErrParam, "77", conv(ops.ConvParams{AutoPad: 77})},
		{"conv: both paddings", ops.ErrParam, "[1]", conv(ops.ConvParams{AutoPad: spec.SameUpper, Padding: []int{1}})},
		{"conv: activation with NaN", ops.ErrParam, "NaN", conv(ops.ConvParams{Act: ops.Activation{Func: spec.LeakyReLU, A: nan32}})},
		{"conv: unknown activation", ops.ErrParam, "200", conv(ops.ConvParams{Act: ops.Activation{Func: 200}})},
		{"convtranspose: stride 0", ops.ErrParam, "0", transposed(ops.ConvTransposeParams{Stride: []int{0}})},
		{"convtranspose: groups -2", ops.ErrParam, "-2", transposed(ops.ConvTransposeParams{Groups: -2})},
		{"convtranspose: output padding of a stride", ops.ErrParam, "2", transposed(ops.ConvTransposeParams{Stride: []int{2}, OutputPadding: []int{2}})},
		{"convtranspose: output size out of reach", ops.ErrParam, "99", transposed(ops.ConvTransposeParams{OutputSize: []int{99}})},
		{"convtranspose: everything cut away", ops.ErrShape, "6", transposed(ops.ConvTransposeParams{Padding: []int{6}})},
		{"convtranspose: output past 2^31", ops.ErrTooLarge, "more than", transposed(ops.ConvTransposeParams{Stride: []int{32768}})},
	}
}

func misuseOfPool(tensor func(...int) *ops.Tensor) []misuse {
	x := tensor(1, 2, 6, 6)
	pool := func(p ops.PoolParams) func() (*ops.Tensor, error) {
		return func() (*ops.Tensor, error) { return ops.MaxPool(x, p) }
	}
	average := func(p ops.PoolParams) func() (*ops.Tensor, error) {
		return func() (*ops.Tensor, error) { return ops.AvgPool(x, p) }
	}
	lp := func(norm float32) func() (*ops.Tensor, error) {
		return func() (*ops.Tensor, error) { return ops.LpPool(x, ops.PoolParams{Kernel: []int{2}}, norm) }
	}
	adaptive := func(out ...int) func() (*ops.Tensor, error) {
		return func() (*ops.Tensor, error) { return ops.AdaptiveAvgPool(x, out...) }
	}
	return []misuse{
		{"pool: no kernel", ops.ErrParam, "kernel", pool(ops.PoolParams{})},
		{"pool: kernel 0", ops.ErrParam, "0", pool(ops.PoolParams{Kernel: []int{0}})},
		{"pool: kernel -2", ops.ErrParam, "-2", pool(ops.PoolParams{Kernel: []int{2, -2}})},
		{"pool: kernel larger than the input", ops.ErrShape, "7", pool(ops.PoolParams{Kernel: []int{7}})},
		{"pool: stride 0", ops.ErrParam, "stride [0]", average(ops.PoolParams{Kernel: []int{2}, Stride: []int{0}})},
		{"pool: dilation -1", ops.ErrParam, "-1", average(ops.PoolParams{Kernel: []int{2}, Dilation: []int{-1}})},
		{"pool: padding of a kernel", ops.ErrParam, "2", pool(ops.PoolParams{Kernel: []int{2}, Padding: []int{2}})},
		{"pool: overflowing kernel", ops.ErrParam, "9223372036854775807", pool(ops.PoolParams{Kernel: []int{math.MaxInt}})},
		{"pool: output size out of reach", ops.ErrParam, "5", pool(ops.PoolParams{Kernel: []int{2}, OutSize: []int{5}})},
		{"pool: input of a vector", ops.ErrShape, "[6]", func() (*ops.Tensor, error) { return ops.MaxPool(tensor(6), ops.PoolParams{Kernel: []int{2}}) }},
		{"pool: norm NaN", ops.ErrParam, "NaN", lp(nan32)},
		{"pool: norm 0", ops.ErrParam, "0", lp(0)},
		{"pool: norm -1", ops.ErrParam, "-1", lp(-1)},
		{"pool: adaptive to 0", ops.ErrParam, "0", adaptive(0)},
		{"pool: adaptive to -2", ops.ErrParam, "-2", adaptive(3, -2)},
		{"pool: adaptive to three sizes", ops.ErrParam, "[1 2 3]", adaptive(1, 2, 3)},
		{"unpool: indices of floats", ops.ErrType, "float32", func() (*ops.Tensor, error) {
			return ops.MaxUnpool(x, x, ops.UnpoolParams{Kernel: []int{2}})
		}},
	}
}

func misuseOfNorm(tensor func(...int) *ops.Tensor) []misuse {
	x, six, four := tensor(2, 6, 4), tensor(6), tensor(4)
	train := func(p ops.BatchNormTrainParams) func() (*ops.Tensor, error) {
		return func() (*ops.Tensor, error) {
			r, err := ops.BatchNormTrain(x, six, six, six, six, p)
			if r != nil {
				return r.Y, err
			}
			return nil, err
		}
	}
	batch := func(mean, variance, scale *ops.Tensor, p ops.BatchNormParams) func() (*ops.Tensor, error) {
		return func() (*ops.Tensor, error) { return ops.BatchNorm(x, mean, variance, scale, nil, p) }
	}
	layer := func(scale *ops.Tensor, p ops.LayerNormParams) func() (*ops.Tensor, error) {
		return func() (*ops.Tensor, error) { return ops.LayerNorm(x, scale, nil, p) }
	}
	group := func(p ops.GroupNormParams) func() (*ops.Tensor, error) {
		return func() (*ops.Tensor, error) { return ops.GroupNorm(x, nil, nil, p) }
	}
	lrn := func(p ops.LRNParams) func() (*ops.Tensor, error) {
		return func() (*ops.Tensor, error) { return ops.LRN(x, p) }
	}
	dropout := func(p float64) func() (*ops.Tensor, error) {
		return func() (*ops.Tensor, error) { return ops.Dropout(x, p, 1) }
	}
	return []misuse{
		{"batchnorm: mean of other channels", ops.ErrShape, "[4]", batch(four, six, six, ops.BatchNormParams{})},
		{"batchnorm: scale of other channels", ops.ErrShape, "[4]", batch(six, six, four, ops.BatchNormParams{})},
		{"batchnorm: no mean", ops.ErrNil, "mean", batch(nil, six, six, ops.BatchNormParams{})},
		{"batchnorm: eps NaN", ops.ErrParam, "NaN", batch(six, six, six, ops.BatchNormParams{Eps: nan32})},
		{"batchnorm: axis 3 of 3", ops.ErrParam, "3", batch(six, six, six, ops.BatchNormParams{Axis: 3})},
		{"batchnorm: momentum 2", ops.ErrParam, "2", train(ops.BatchNormTrainParams{Momentum: 2})},
		{"batchnorm: momentum NaN", ops.ErrParam, "NaN", train(ops.BatchNormTrainParams{Momentum: nan32})},
		{"batchnorm: momentum and count", ops.ErrParam, "0.5", train(ops.BatchNormTrainParams{Momentum: 0.5, Count: 3})},
		{"batchnorm: count -1", ops.ErrParam, "-1", train(ops.BatchNormTrainParams{Count: -1})},
		{"layernorm: eps infinite", ops.ErrParam, "+Inf", layer(four, ops.LayerNormParams{Eps: float32(math.Inf(1))})},
		{"layernorm: scale of another shape", ops.ErrShape, "[6]", layer(six, ops.LayerNormParams{})},
		{"layernorm: axis named twice", ops.ErrParam, "1", layer(nil, ops.LayerNormParams{Axes: []int{1, -2}})},
		{"layernorm: axis -4 of 3", ops.ErrParam, "-4", layer(nil, ops.LayerNormParams{Axes: []int{-4}})},
		{"layernorm: another trailing shape", ops.ErrShape, "[6 5]", layer(nil, ops.LayerNormParams{Shape: []int{6, 5}})},
		{"groupnorm: groups -1", ops.ErrParam, "-1", group(ops.GroupNormParams{Groups: -1})},
		{"groupnorm: groups 4 of 6", ops.ErrParam, "4", group(ops.GroupNormParams{Groups: 4})},
		{"groupnorm: eps NaN", ops.ErrParam, "NaN", group(ops.GroupNormParams{Eps: nan32})},
		{"instancenorm: a vector", ops.ErrShape, "[6]", func() (*ops.Tensor, error) { return ops.InstanceNorm(six, nil, nil, ops.InstanceNormParams{}) }},
		{"lrn: size 0", ops.ErrParam, "0", lrn(ops.LRNParams{})},
		{"lrn: size -5", ops.ErrParam, "-5", lrn(ops.LRNParams{Size: -5})},
		{"lrn: beta NaN", ops.ErrParam, "NaN", lrn(ops.LRNParams{Size: 3, Beta: nan32})},
		{"lpnormalize: p NaN", ops.ErrParam, "NaN", func() (*ops.Tensor, error) { return ops.LpNormalize(x, 1, ops.LpNormalizeParams{P: nan32}) }},
		{"lpnormalize: axis 3", ops.ErrParam, "3", func() (*ops.Tensor, error) { return ops.LpNormalize(x, 3, ops.LpNormalizeParams{}) }},
		{"softmax: axis 3", ops.ErrParam, "3", func() (*ops.Tensor, error) { return ops.Softmax(x, 3) }},
		{"softmax: axis -4", ops.ErrParam, "-4", func() (*ops.Tensor, error) { return ops.LogSoftmax(x, -4) }},
		{"dropout: p NaN", ops.ErrParam, "NaN", dropout(math.NaN())},
		{"dropout: p 1.5", ops.ErrParam, "1.5", dropout(1.5)},
		{"dropout: p -0.5", ops.ErrParam, "-0.5", dropout(-0.5)},
	}
}

func misuseOfOthers(tensor func(...int) *ops.Tensor) []misuse {
	a, b := tensor(2, 3), tensor(4, 5)
	gemm := func(c *ops.Tensor, p ops.GemmParams) func() (*ops.Tensor, error) {
		return func() (*ops.Tensor, error) { return ops.Gemm(a, tensor(3, 5), c, p) }
	}
	pointwise := func(f ops.Activation) func() (*ops.Tensor, error) {
		return func() (*ops.Tensor, error) { return ops.Pointwise(a, f) }
	}
	all := []misuse{
		{"matmul: inner sizes", ops.ErrShape, "3 and 4", func() (*ops.Tensor, error) { return ops.MatMul(a, b, ops.MatMulParams{}) }},
		{"matmul: batches", ops.ErrShape, "[2] and [3]", func() (*ops.Tensor, error) {
			return ops.MatMul(tensor(2, 1, 1), tensor(3, 1, 1), ops.MatMulParams{})
		}},
		{"matmul: a scalar", ops.ErrShape, "[]", func() (*ops.Tensor, error) { return ops.MatMul(tensor(), b, ops.MatMulParams{}) }},
		{"matmul: product past 2^31", ops.ErrTooLarge, "[65536 65536]", func() (*ops.Tensor, error) {
			return ops.MatMul(tensor(65536, 1), tensor(1, 65536), ops.MatMulParams{})
		}},
		{"gemm: c that does not broadcast", ops.ErrShape, "[4]", gemm(tensor(4), ops.GemmParams{})},
		{"gemm: alpha NaN", ops.ErrParam, "NaN", gemm(nil, ops.GemmParams{Alpha: &nan32})},
		{"linear: input of other features", ops.ErrShape, "[4 5]", func() (*ops.Tensor, error) { return ops.Linear(a, b, nil, ops.LinearParams{}) }},
		{"linear: bias of other features", ops.ErrShape, "[4]", func() (*ops.Tensor, error) {
			return ops.Linear(a, tensor(5, 3), tensor(4), ops.LinearParams{})
		}},
		{"pointwise: unknown function", ops.ErrParam, "255", pointwise(ops.Activation{Func: 255})},
		{"pointwise: beta 0", ops.ErrParam, "0", pointwise(ops.Activation{Func: spec.Softplus, A: 0, B: 20})},
		{"pointwise: negative alpha", ops.ErrParam, "-1", pointwise(ops.Activation{Func: spec.CELU, A: -1})},
	}
	for _, f := range spec.Pointwises() {
		if f.Params() > 0 && f != spec.Clamp {
			all = append(all, misuse{f.String() + " of NaN", ops.ErrParam, "NaN", pointwise(ops.Activation{Func: f, A: nan32, B: nan32})})
		}
	}
	return all
}

// TestMisuseOfTensors gives every function of the table, in the place of each of
// its tensors, one that was released, one of another engine, none, one of
// indices for values or the reverse, and one of another rank.
func TestMisuseOfTensors(t *testing.T) {
	s := seed(t)
	onEach(t, func(t *testing.T, e *ops.Engine) {
		other, err := ops.Open(ops.WithAdapter("cpu"))
		require.NoError(t, err)
		defer other.Close()
		for _, row := range cases.Rows() {
			r := rand.New(rand.NewPCG(s, 2))
			for range 3 {
				c := row.Draw(r)
				line := cases.Line(row.Name, c)
				in := cases.Draws(c, 1)
				ts, err := cases.Upload(e, c, in)
				require.NoError(t, err, line)
				foreign, err := cases.Upload(other, c, in)
				require.NoError(t, err, line)
				for i, x := range ts {
					if x == nil {
						continue
					}
					swap := func(y *ops.Tensor) error {
						with := slices.Clone(ts)
						with[i] = y
						_, err := c.Call(with)
						return err
					}
					// A gradient's case may have inputs for its loss alone, such as
					// an x of which only the shape matters.
					if _, gradient := c.(cases.Differentiable); gradient && i > 0 && swap(nil) == nil {
						continue
					}
					at := fmt.Sprintf("%s: input %d", line, i)
					gone, err := x.Reshape(x.Shape()...)
					require.NoError(t, err)
					gone.Release()
					assert.ErrorIs(t, swap(gone), ops.ErrReleased, at)
					if i > 0 {
						assert.ErrorIs(t, swap(foreign[i]), ops.ErrEngine, at)
					} else {
						assert.ErrorIs(t, swap(nil), ops.ErrNil, at)
					}
					assert.ErrorIs(t, swap(otherType(t, e, x)), ops.ErrType, at)
					if long, err := x.Reshape(append([]int{1, 1, 1, 1}, x.Shape()...)...); err == nil {
						_ = swap(long) // may be right for some: no panic
					}
				}
				_, err = c.Call(ts)
				assert.NoError(t, err, "%s after its misuse", line)
			}
		}
	})
}

// otherType returns indices of the shape of values, or the reverse.
func otherType(t *testing.T, e *ops.Engine, x *ops.Tensor) *ops.Tensor {
	var y *ops.Tensor
	var err error
	if x.DType() == ops.Float32 {
		y, err = e.Indices(make([]int32, x.Len()), x.Shape()...)
	} else {
		y, err = e.Tensor(make([]float32, x.Len()), x.Shape()...)
	}
	require.NoError(t, err)
	return y
}

// TestMisuseOfClosedEngine: a closed engine and its tensors return ErrClosed.
func TestMisuseOfClosedEngine(t *testing.T) {
	for _, b := range backends(t) {
		e, err := b.open()
		require.NoError(t, err)
		x, err := e.Tensor([]float32{1}, 1)
		require.NoError(t, err)
		require.NoError(t, e.Close())
		_, err = e.Tensor([]float32{1}, 1)
		assert.ErrorIs(t, err, ops.ErrClosed, b.name)
		_, err = ops.ReLU(x)
		assert.ErrorIs(t, err, ops.ErrClosed, b.name)
		_, err = x.Data()
		assert.ErrorIs(t, err, ops.ErrClosed, b.name)
		assert.ErrorIs(t, e.Wait(), ops.ErrClosed, b.name)
		assert.NoError(t, e.Close(), b.name)
		x.Release()
	}
}
