package ops

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/spec"
)

// overwriting are calls that may take the memory of x, where nobody else has it.
func overwriting(t *testing.T, e *Engine, c int) map[string]func(x *Tensor) (*Tensor, error) {
	r := rand.New(rand.NewPCG(1, 2))
	given := func(shape ...int) *Tensor {
		v := make([]float32, spec.Count(shape))
		for i := range v {
			v[i] = r.Float32() + 0.5
		}
		x, err := e.Tensor(v, shape...)
		require.NoError(t, err)
		t.Cleanup(x.Release)
		return x
	}
	mean, variance, scale, shift, one := given(c), given(c), given(c), given(c), given()
	all := map[string]func(x *Tensor) (*Tensor, error){
		"BatchNorm":    func(x *Tensor) (*Tensor, error) { return BatchNorm(x, mean, variance, scale, shift, BatchNormParams{}) },
		"GroupNorm":    func(x *Tensor) (*Tensor, error) { return GroupNorm(x, scale, shift, GroupNormParams{Groups: c / 2}) },
		"InstanceNorm": func(x *Tensor) (*Tensor, error) { return InstanceNorm(x, scale, nil, InstanceNormParams{}) },
		"InstanceNorm, Mish": func(x *Tensor) (*Tensor, error) {
			return InstanceNorm(x, scale, shift, InstanceNormParams{Act: spec.Mish.Default()})
		},
		"MeanVarianceNorm":             func(x *Tensor) (*Tensor, error) { return MeanVarianceNorm(x, MeanVarianceParams{}) },
		"MeanVarianceNorm of channels": func(x *Tensor) (*Tensor, error) { return MeanVarianceNorm(x, MeanVarianceParams{Axes: []int{1}}) },
		"Add":                          func(x *Tensor) (*Tensor, error) { return Add(x, one) },
		"Sub":                          func(x *Tensor) (*Tensor, error) { return Sub(one, x) },
		"PReLU":                        func(x *Tensor) (*Tensor, error) { return PReLU(x, scale) },
		"BatchNorm, ReLU, Mul": func(x *Tensor) (*Tensor, error) {
			var s scope
			defer s.release()
			y, err := s.add(BatchNorm(x, mean, variance, nil, nil, BatchNormParams{}))
			require.NoError(t, err)
			y, err = s.add(Pointwise(y, spec.ReLU.Default()))
			require.NoError(t, err)
			return Mul(one, y)
		},
	}
	for _, f := range spec.Pointwises() {
		if f != spec.Identity {
			all[f.String()] = func(x *Tensor) (*Tensor, error) { return Pointwise(x, f.Default()) }
		}
	}
	return all
}

// TestOverwrites computes into the memory of a tensor that was released before
// anything was computed: the bits are those of memory apart, and where the tensor
// has a view it keeps its values.
func TestOverwrites(t *testing.T) {
	e, err := Open(WithAdapter("none"))
	require.NoError(t, err)
	defer e.Close()
	r := rand.New(rand.NewPCG(3, 4))
	for _, shape := range [][]int{{1, 4, 3, 3}, {2, 6, 17}, {3, 32, 9, 11}, {1, 4, 1100, 1000}} {
		v := make([]float32, spec.Count(shape))
		for i := range v {
			v[i] = float32(4 * r.NormFloat64())
			switch r.IntN(300) {
			case 0:
				v[i] = 3e5 // beyond what the vectors' sine takes
			case 1:
				v[i] *= 1e-30
			}
		}
		if len(v) < 1000 {
			v[len(v)/2] = float32(math.Inf(1))
		}
		for name, call := range overwriting(t, e, shape[1]) {
			if len(v) > 1<<20 && name[0] >= 'a' && name != "relu" && name != "gelu" && name != "sin" {
				continue
			}
			x, err := e.Tensor(v, shape...)
			require.NoError(t, err)
			view, err := x.Reshape(len(v))
			require.NoError(t, err)
			first, err := call(x)
			require.NoError(t, err, name)
			x.Release()
			want, err := first.Data()
			require.NoError(t, err, name)
			kept, err := view.Data()
			require.NoError(t, err)
			require.Equal(t, valueBits(v), valueBits(kept), name)

			x, err = view.Reshape(shape...)
			require.NoError(t, err)
			view.Release()
			memory := &x.h.s.host[0]
			y, err := call(x)
			require.NoError(t, err, name)
			x.Release()
			got, err := y.Data()
			require.NoError(t, err, name)
			require.Equal(t, valueBits(want), valueBits(got), "%s of %v", name, shape)
			require.Same(t, memory, &y.h.s.host[0], "%s of %v", name, shape)
			first.Release()
			y.Release()
		}
	}
}

// valueBits are the bits of values, those of every NaN the same.
func valueBits(v []float32) []uint32 {
	b := make([]uint32, len(v))
	for i, x := range v {
		if b[i] = math.Float32bits(x); x != x {
			b[i] = math.Float32bits(float32(math.NaN()))
		}
	}
	return b
}
