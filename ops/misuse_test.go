package ops

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMisuseOfTwoTensors calls every function of several tensors with ones that
// are missing, released, of indices or of another engine: each is a named error,
// and the other tensors stay whole.
func TestMisuseOfTwoTensors(t *testing.T) {
	e, err := Open(WithAdapter("cpu"))
	require.NoError(t, err)
	defer func() { assert.NoError(t, e.Close()) }()
	other, err := Open(WithAdapter("cpu"))
	require.NoError(t, err)
	defer func() { assert.NoError(t, other.Close()) }()
	four := []float32{1, 2, 3, 4}
	x, err := e.Tensor(four, 2, 2)
	require.NoError(t, err)
	gone, err := e.Tensor(four, 2, 2)
	require.NoError(t, err)
	gone.Release()
	foreign, err := other.Tensor(four, 2, 2)
	require.NoError(t, err)
	indices, err := e.Indices([]int32{1, 2, 3, 4}, 2, 2)
	require.NoError(t, err)
	for name, call := range map[string]func(a, b *Tensor) (*Tensor, error){
		"Add": Add, "Sub": Sub, "Mul": Mul, "Div": Div, "Min": Min, "Max": Max, "Pow": Pow, "PReLU": PReLU,
		"Concat": func(a, b *Tensor) (*Tensor, error) { return Concat(0, a, b) },
		"MatMul": func(a, b *Tensor) (*Tensor, error) { return MatMul(a, b, MatMulParams{}) },
		"Linear": func(a, b *Tensor) (*Tensor, error) { return Linear(a, b, nil, LinearParams{}) },
		"Gemm":   func(a, b *Tensor) (*Tensor, error) { return Gemm(a, b, nil, GemmParams{}) },
	} {
		for want, bad := range map[error]*Tensor{ErrNil: nil, ErrReleased: gone, ErrEngine: foreign, ErrType: indices} {
			_, err := call(x, bad)
			require.ErrorIs(t, err, want, name)
			assert.ErrorContains(t, err, "ops."+name+":")
			_, err = call(bad, x)
			require.ErrorIs(t, err, want, name)
		}
	}
	for name, call := range map[string]func(*Tensor) (*Tensor, error){
		"ReLU":      ReLU,
		"Transpose": func(a *Tensor) (*Tensor, error) { return Transpose(a) },
		"Slice":     func(a *Tensor) (*Tensor, error) { return Slice(a, nil, nil, nil) },
		"Pad":       func(a *Tensor) (*Tensor, error) { return Pad(a, PadParams{}) },
		"Upsample":  func(a *Tensor) (*Tensor, error) { return Upsample(a, UpsampleParams{Size: []int{1}}) },
		"Sum":       func(a *Tensor) (*Tensor, error) { return Sum(a, ReduceParams{}) },
	} {
		for want, bad := range map[error]*Tensor{ErrNil: nil, ErrReleased: gone, ErrType: indices} {
			_, err := call(bad)
			require.ErrorIs(t, err, want, name)
			assert.ErrorContains(t, err, "ops."+name+":")
		}
	}
	_, err = Concat(0)
	require.ErrorIs(t, err, ErrShape)
	v, err := x.Data()
	require.NoError(t, err)
	assert.Equal(t, four, v)
}
