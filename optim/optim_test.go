package optim_test

import (
	"math"
	"testing"

	"github.com/kansu-dev/kansu/autograd"
	"github.com/kansu-dev/kansu/internal/enginetest"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/optim"
	"github.com/stretchr/testify/require"
)

// quadratic sets the gradient of (x-3)^2 + (y+1)^2/10 by a tape.
func quadratic(t *testing.T, e *ops.Engine, v *autograd.Variable) {
	target, err := e.Tensor([]float32{3, -1}, 2)
	require.NoError(t, err)
	weight, err := e.Tensor([]float32{1, 0.1}, 2)
	require.NoError(t, err)
	tape := autograd.NewTape(e)
	d := tape.Sub(v, tape.Const(target))
	require.NoError(t, tape.Backward(tape.Sum(tape.Mul(tape.Mul(d, d), tape.Const(weight)), ops.ReduceParams{})))
	target.Release()
	weight.Release()
}

func TestOptimisersFindAMinimumWithoutLeaks(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		for name, open := range map[string]func(v []*autograd.Variable) (optim.Optimizer, error){
			"sgd": func(v []*autograd.Variable) (optim.Optimizer, error) {
				return optim.NewSGD(v, ops.SGDParams{LR: 0.3})
			},
			"nesterov": func(v []*autograd.Variable) (optim.Optimizer, error) {
				return optim.NewSGD(v, ops.SGDParams{LR: 0.1, Momentum: 0.9, Nesterov: true})
			},
			"adam": func(v []*autograd.Variable) (optim.Optimizer, error) {
				return optim.NewAdam(v, ops.AdamParams{LR: 0.1})
			},
			"adamw": func(v []*autograd.Variable) (optim.Optimizer, error) {
				return optim.NewAdamW(v, ops.AdamParams{LR: 0.1, WeightDecay: 1e-6})
			},
		} {
			x, err := e.Tensor([]float32{0, 0}, 2)
			require.NoError(t, err)
			v := autograd.Param(x)
			o, err := open([]*autograd.Variable{v})
			require.NoError(t, err)
			var live int64
			for i := range 400 {
				o.ZeroGrad()
				quadratic(t, e, v)
				require.NoError(t, o.Step(nil))
				if i == 10 {
					live = e.Stats().LiveTensors
				} else if i > 10 {
					require.Equal(t, live, e.Stats().LiveTensors)
				}
			}
			got, err := v.Value().Data()
			require.NoError(t, err)
			require.InDelta(t, 3, got[0], 1e-2, name)
			require.InDelta(t, -1, got[1], 1e-2, name)
			o.ZeroGrad()
			o.Release()
			v.Release()
		}
		require.EqualValues(t, 0, e.Stats().LiveTensors)
	})
}

// Adam's first step of a parameter is as long as the learning rate, whenever its
// first gradient comes.
func TestAdamCountsTheStepsOfEachParameter(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		var vars []*autograd.Variable
		for range 2 {
			x, err := e.Tensor([]float32{0, 0}, 2)
			require.NoError(t, err)
			vars = append(vars, autograd.Param(x))
		}
		early, late := vars[0], vars[1]
		a, err := optim.NewAdam(vars, ops.AdamParams{LR: 0.125})
		require.NoError(t, err)
		for range 5 {
			quadratic(t, e, early)
			require.NoError(t, a.Step(nil))
			a.ZeroGrad()
		}
		quadratic(t, e, late)
		require.NoError(t, a.Step(nil))
		got, err := late.Value().Data()
		require.NoError(t, err)
		require.InDeltaSlice(t, []float32{0.125, -0.125}, got, 1e-6)
		require.Equal(t, 6, a.Params.Step)
		a.ZeroGrad()
		a.Release()
		early.Release()
		late.Release()
		require.EqualValues(t, 0, e.Stats().LiveTensors)
	})
}

func TestClipNorm(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		x, err := e.Tensor([]float32{0, 0}, 2)
		require.NoError(t, err)
		v := autograd.Param(x)
		_, _, err = optim.ClipNorm([]*autograd.Variable{v}, 1)
		require.ErrorIs(t, err, optim.ErrNoGradients)
		_, _, err = optim.ClipNorm([]*autograd.Variable{v}, float32(math.NaN()))
		require.ErrorIs(t, err, ops.ErrParam)
		quadratic(t, e, v) // gradient (-6, 0.2)
		for _, limit := range []float32{1, 100} {
			norm, scale, err := optim.ClipNorm([]*autograd.Variable{v}, limit)
			require.NoError(t, err)
			n, err := norm.Data()
			require.NoError(t, err)
			s, err := scale.Data()
			require.NoError(t, err)
			want := math.Hypot(6, 0.2)
			require.InDelta(t, want, n[0], 1e-5)
			require.InDelta(t, math.Min(1, float64(limit)/want), s[0], 1e-6)
			norm.Release()
			scale.Release()
		}
		v.Release()
	})
}

func TestBadParametersAreRefused(t *testing.T) {
	for _, p := range []ops.SGDParams{{LR: -1}, {LR: math.NaN()}, {LR: 1, Nesterov: true}, {LR: 1, Momentum: math.Inf(1)}, {LR: 1, Dampening: math.NaN()}} {
		_, err := optim.NewSGD(nil, p)
		require.ErrorIs(t, err, ops.ErrParam, "%+v", p)
	}
	for _, p := range []ops.AdamParams{{LR: -1}, {Beta1: 1}, {Beta2: -0.1}, {Eps: math.NaN()}} {
		_, err := optim.NewAdam(nil, p)
		require.ErrorIs(t, err, ops.ErrParam, "%+v", p)
	}
}

func TestVariablesThatCannotBeStepped(t *testing.T) {
	e, err := ops.Open(ops.WithAdapter("cpu"))
	require.NoError(t, err)
	defer e.Close()
	one, err := e.Tensor([]float32{1}, 1)
	require.NoError(t, err)
	v := autograd.Param(one)
	for _, c := range []struct {
		kind error
		says string
		vars []*autograd.Variable
	}{
		{ops.ErrParam, "no parameter", nil},
		{ops.ErrNil, "parameter 1", []*autograd.Variable{v, nil}},
		{ops.ErrNil, "parameter 0", []*autograd.Variable{autograd.Param(nil)}},
		{ops.ErrParam, "parameters 0 and 2", []*autograd.Variable{v, autograd.Param(one), v}},
	} {
		_, err := optim.NewSGD(c.vars, ops.SGDParams{LR: 1})
		require.ErrorIs(t, err, c.kind)
		require.ErrorContains(t, err, c.says)
		_, err = optim.NewAdamW(c.vars, ops.AdamParams{})
		require.ErrorIs(t, err, c.kind)
		require.ErrorContains(t, err, c.says)
	}
	_, _, err = optim.ClipNorm([]*autograd.Variable{nil, v}, 1)
	require.ErrorIs(t, err, optim.ErrNoGradients)
}
