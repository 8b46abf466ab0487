package tests

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/autograd"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/optim"
)

// TestNilReceivers calls every method of what a failed call leaves, nil, and of
// values that no function made. A program that overlooked an error gets another
// one, and no panic.
func TestNilReceivers(t *testing.T) {
	for _, v := range []any{
		(*ops.Engine)(nil), &ops.Engine{}, (*ops.Tensor)(nil), &ops.Tensor{}, (*ops.Replay)(nil),
		(*autograd.Tape)(nil), &autograd.Tape{}, autograd.NewTape(nil), (*autograd.Variable)(nil), &autograd.Variable{}, (*autograd.RunningStats)(nil),
		(*optim.SGD)(nil), &optim.SGD{}, (*optim.Adam)(nil), &optim.Adam{},
	} {
		r := reflect.ValueOf(v)
		for i := range r.NumMethod() {
			m, name := r.Method(i), r.Type().String()+"."+r.Type().Method(i).Name
			in := make([]reflect.Value, m.Type().NumIn())
			for j := range in {
				in[j] = reflect.Zero(m.Type().In(j))
			}
			require.NotPanics(t, func() {
				if m.Type().IsVariadic() {
					m.CallSlice(in)
				} else {
					m.Call(in)
				}
			}, "%s of %#v", name, v)
		}
	}
}

func TestNilsAreNamed(t *testing.T) {
	var none *ops.Engine
	x, err := none.Tensor([]float32{1}, 1)
	require.ErrorIs(t, err, ops.ErrNil)
	require.ErrorContains(t, err, "did Open fail?")
	require.NoError(t, none.Close())
	require.ErrorIs(t, none.Flush(), ops.ErrNil)
	require.Nil(t, x.Shape())
	_, err = ops.ReLU(&ops.Tensor{})
	require.ErrorIs(t, err, ops.ErrNil)
	var tape *autograd.Tape
	require.ErrorIs(t, tape.Backward(tape.ReLU(autograd.Param(nil))), ops.ErrNil)
	_, err = autograd.NewRunningStats(none, -1)
	require.ErrorIs(t, err, ops.ErrShape)
	_, _, err = optim.ClipNormOf([]*ops.Tensor{nil}, 1)
	require.ErrorContains(t, err, "gradient 0")

	onEach(t, func(t *testing.T, e *ops.Engine) {
		x, err := e.Tensor([]float32{1, 2}, 1, 2, 1)
		require.NoError(t, err)
		defer x.Release()
		for what, f := range map[string]func() (*ops.Tensor, error){
			"the weight":       func() (*ops.Tensor, error) { return ops.Conv(x, nil, nil, ops.ConvParams{}) },
			"the second input": func() (*ops.Tensor, error) { return ops.Add(x, nil) },
			"the target":       func() (*ops.Tensor, error) { return ops.MSELoss(x, nil, ops.LossParams{}) },
			"the gradient":     func() (*ops.Tensor, error) { return ops.ConvGradInput(nil, x, []int{1, 2, 1}, ops.ConvParams{}) },
			"AdaptiveMaxPoolGrad: tensor is nil: the gradient": func() (*ops.Tensor, error) { return ops.AdaptiveMaxPoolGrad(nil, nil, []int{1, 2, 1}) },
			"no function": func() (*ops.Tensor, error) { return ops.Concat(0, x, &ops.Tensor{}) },
		} {
			_, err := f()
			assert.ErrorIs(t, err, ops.ErrNil, what)
			assert.ErrorContains(t, err, what)
		}
		other, err := ops.Open(nil, ops.WithAdapter("cpu"))
		require.NoError(t, err)
		require.NoError(t, other.Close())
	})
}
