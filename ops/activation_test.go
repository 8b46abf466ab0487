package ops

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/spec"
)

// TestNamedActivations checks that every pointwise function has a call of its
// name, and that the call passes its parameters on.
func TestNamedActivations(t *testing.T) {
	type plain = func(*Tensor) (*Tensor, error)
	type withOne = func(*Tensor, float32) (*Tensor, error)
	type withTwo = func(*Tensor, float32, float32) (*Tensor, error)
	calls := map[spec.Pointwise]any{
		spec.ReLU: ReLU, spec.LeakyReLU: LeakyReLU, spec.ReLU6: ReLU6, spec.ELU: ELU, spec.SELU: SELU,
		spec.CELU: CELU, spec.GELU: GELU, spec.GELUTanh: GELUTanh, spec.SiLU: SiLU, spec.Swish: Swish,
		spec.Mish: Mish, spec.Sigmoid: Sigmoid, spec.LogSigmoid: LogSigmoid, spec.Tanh: Tanh,
		spec.TanhShrink: TanhShrink, spec.Softplus: Softplus, spec.Softsign: Softsign,
		spec.HardSigmoid: HardSigmoid, spec.HardSwish: HardSwish, spec.HardTanh: HardTanh,
		spec.HardShrink: HardShrink, spec.SoftShrink: SoftShrink, spec.Shrink: Shrink,
		spec.Threshold: Threshold, spec.Affine: Affine, spec.Sin: Sin, spec.Cos: Cos, spec.Tan: Tan,
		spec.Asin: Asin, spec.Acos: Acos, spec.Atan: Atan, spec.Sinh: Sinh, spec.Cosh: Cosh,
		spec.Asinh: Asinh, spec.Acosh: Acosh, spec.Atanh: Atanh, spec.Exp: Exp, spec.Exp2: Exp2,
		spec.Expm1: Expm1, spec.Log: Log, spec.Log2: Log2, spec.Log1p: Log1p, spec.Abs: Abs,
		spec.Square: Square, spec.Sqrt: Sqrt, spec.Rsqrt: Rsqrt, spec.Reciprocal: Reciprocal,
		spec.Erf: Erf, spec.Neg: Neg, spec.Sign: Sign, spec.Floor: Floor, spec.Ceil: Ceil, spec.Round: Round,
	}
	e, err := Open(WithAdapter("cpu"))
	require.NoError(t, err)
	defer func() { assert.NoError(t, e.Close()) }()
	x, err := e.Tensor([]float32{-4, -1.25, -0.5, -0.25, 0, 0.25, 0.5, 1.25, 4}, 9)
	require.NoError(t, err)
	for _, f := range spec.Pointwises() {
		if f == spec.Identity {
			continue
		}
		require.Contains(t, calls, f, f.String())
		act := spec.Activation{Func: f, A: 0.75, B: 0.375}
		var got *Tensor
		switch call := calls[f].(type) {
		case plain:
			require.Zero(t, f.Params(), f.String())
			got, err = call(x)
		case withOne:
			require.Equal(t, 1, f.Params(), f.String())
			got, err = call(x, act.A)
		case withTwo:
			require.Equal(t, 2, f.Params(), f.String())
			got, err = call(x, act.A, act.B)
		}
		require.NoError(t, err, f.String())
		want, err := Pointwise(x, act)
		require.NoError(t, err)
		assert.Equal(t, bitsOf(t, want), bitsOf(t, got), f.String())
	}
	a, err := Clamp(x, -1, 2)
	require.NoError(t, err)
	b, err := HardTanh(x, -1, 2)
	require.NoError(t, err)
	assert.Equal(t, bitsOf(t, b), bitsOf(t, a))
}

// bitsOf returns a tensor's bytes, in which NaN equals itself.
func bitsOf(t *testing.T, x *Tensor) []byte {
	t.Helper()
	v, err := x.Data()
	require.NoError(t, err)
	return append([]byte{}, asBytes(v)...)
}
