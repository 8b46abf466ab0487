package spec

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPointwiseNames(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Pointwises() {
		name := f.String()
		assert.Regexp(t, `^[a-z][a-z0-9_]*$`, name)
		assert.False(t, seen[name], name)
		seen[name] = true
		back, err := ParsePointwise(name)
		require.NoError(t, err)
		assert.Equal(t, f, back)
		assert.NoError(t, f.Default().Check(), name)
	}
	for alias, want := range pointwiseAliases {
		got, err := ParsePointwise(alias)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := ParsePointwise("relu7")
	require.ErrorIs(t, err, ErrParam)
	assert.ErrorContains(t, err, "relu7")
	assert.Equal(t, Identity, Activation{}.Func)
	assert.Equal(t, "leaky_relu(0.01)", LeakyReLU.Default().String())
	assert.Equal(t, "softplus(1, 20)", Softplus.Default().String())
	assert.Equal(t, "relu", ReLU.Default().String())
	assert.Equal(t, "pointwise(200)", Pointwise(200).String())
}

func TestActivationCheck(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		a    Activation
		want string // "" = valid
	}{
		{Activation{}, ""},
		{Activation{Func: ReLU, A: nan}, ""}, // not read
		{Activation{Func: HardTanh, A: nan, B: nan}, ""},
		{Activation{Func: HardTanh, A: 2, B: 1}, ""},
		{Activation{Func: HardTanh, A: -inf, B: inf}, ""},
		{Activation{Func: Softplus, A: 1, B: inf}, ""},
		{Activation{Func: Softplus, A: -1, B: 20}, ""},
		{Activation{Func: ELU, A: -3.5}, ""},
		{Activation{Func: 250}, "pointwise function 250"},
		{Activation{Func: LeakyReLU, A: nan}, "leaky_relu: A must not be NaN"},
		{Activation{Func: LeakyReLU, A: inf}, "not +Inf"},
		{Activation{Func: Softplus, A: 0, B: 20}, "finite and not 0, not 0"},
		{Activation{Func: Softplus, A: 1, B: nan}, "softplus: B"},
		{Activation{Func: CELU, A: 0}, "above 0, not 0"},
		{Activation{Func: CELU, A: -1}, "not -1"},
		{Activation{Func: SoftShrink, A: -0.5}, "not -0.5"},
		{Activation{Func: Affine, A: 1, B: -inf}, "not -Inf"},
		{Activation{Func: Threshold, A: 1, B: nan}, "threshold: B"},
		{Activation{Func: Shrink, A: 1, B: inf}, "shrink: B"},
	} {
		err := c.a.Check()
		if c.want == "" {
			assert.NoError(t, err, "%v", c.a)
			continue
		}
		require.ErrorIs(t, err, ErrParam, "%v", c.a)
		assert.ErrorContains(t, err, c.want)
	}
}

func TestULP32(t *testing.T) {
	assert.Equal(t, 0x1p-23, ULP32(1))
	assert.Equal(t, 0x1p-24, ULP32(math.Nextafter(1, 0)))
	assert.Equal(t, 0x1p-23, ULP32(-1.999999999))
	assert.Equal(t, 0x1p-149, ULP32(0))
	assert.Equal(t, 0x1p-149, ULP32(0x1p-126))
	assert.Equal(t, 0x1p-149, ULP32(0x1p-140))
	assert.Equal(t, 0x1p104, ULP32(math.MaxFloat32))
	assert.Equal(t, 0x1p104, ULP32(1e300))
	assert.Equal(t, 0x1p104, ULP32(math.Inf(-1)))
}

func TestBudget(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	nan32, inf32 := float32(nan), float32(inf)
	b := Budget{ULP: 2}
	for _, c := range []struct {
		b         Budget
		got       float32
		want      float64
		magnitude float64
		allowed   bool
	}{
		{Budget{}, 1, 1, 0, true},
		{Budget{}, 1, 1 + 0x1p-40, 0, false},
		{b, 1, 1 + 0x1p-22, 0, true},
		{b, 1, 1 + 0x1.1p-22, 0, false},
		{b, nan32, nan, 0, true},
		{b, nan32, 1, 0, false},
		{b, 1, nan, 0, false},
		{b, 0, nan, 0, false},
		{b, inf32, inf, 0, true},
		{b, -inf32, inf, 0, false},
		{b, inf32, 1e39, 0, true},
		{b, inf32, math.MaxFloat32, 0, true}, // half a ULP below the overflow
		{b, inf32, 0x1p128 - 0x1p106, 0, false},
		{b, math.MaxFloat32, inf, 0, false},
		{b, math.MaxFloat32, 0x1p128, 0, true},
		{b, math.MaxFloat32, 1e39, 0, false},
		{b, inf32, 0, 0, false},
		{b, 0, 0x1p-127, 0, true}, // flushed
		{b, 0, -0x1p-127, 0, true},
		{b, 0, 0x1p-126, 0, true}, // may have come out a ULP lower
		{b, 0, 0x1p-125, 0, false},
		{b, 0x1p-127, 0x1p-126, 0, false}, // neither flushed nor close
		{Budget{ULP: 1, Abs: 1e-3}, 0, 1e-3, 0, true},
		{Budget{ULP: 1, Abs: 1e-3}, 0, 1.1e-3, 0, false},
		{Budget{Scaled: 3}, 1e-7, 0, 1, true},
		{Budget{Scaled: 3}, 1e-6, 0, 1, false},
		{Budget{Scaled: 3}, 1e-6, 0, -100, true},
		{Budget{Scaled: 3}, 1, inf, inf, false},
		{Budget{Scaled: 3}, nan32, 1, inf, false},
	} {
		assert.Equal(t, c.allowed, c.b.Allows(c.got, c.want, c.magnitude), "%+v", c)
	}
	assert.Equal(t, 0.5, b.Err(1, 1+0x1p-23, 0))
	assert.Equal(t, 1.0, ULPDistance(1, 1+0x1p-23))
	assert.Equal(t, 0.0, ULPDistance(nan32, nan))
	assert.Equal(t, inf, ULPDistance(nan32, 0))
	assert.Equal(t, "1 ulp | abs 0.001 | scaled 2", Budget{1, 1e-3, 2}.String())
	for _, f := range Pointwises() {
		assert.LessOrEqual(t, f.Default().Budget().ULP, 8.0, f)
	}
}
