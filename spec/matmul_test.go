package spec

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMatMulShapes(t *testing.T) {
	for _, c := range []struct {
		a, b, out []int
		p         MatMulParams
		m, axes   int // after folding
		batches   int
	}{
		{a: []int{3, 4}, b: []int{4, 5}, out: []int{3, 5}, m: 3, batches: 1},
		{a: []int{4, 3}, b: []int{5, 4}, p: MatMulParams{TransA: true, TransB: true}, out: []int{3, 5}, m: 3, batches: 1},
		{a: []int{4}, b: []int{4}, out: []int{}, m: 1, batches: 1},
		{a: []int{4}, b: []int{4, 5}, out: []int{5}, m: 1, batches: 1},
		{a: []int{3, 4}, b: []int{4}, out: []int{3}, m: 3, batches: 1},
		{a: []int{4}, b: []int{2, 4, 5}, out: []int{2, 5}, m: 1, axes: 1, batches: 2},
		{a: []int{1, 2, 4, 3}, b: []int{3}, out: []int{1, 2, 4}, m: 8, batches: 1},
		{a: []int{2, 3, 4}, b: []int{4, 5}, out: []int{2, 3, 5}, m: 6, batches: 1},
		{a: []int{2, 4, 3}, b: []int{4, 5}, p: MatMulParams{TransA: true}, out: []int{2, 3, 5}, m: 3, axes: 1, batches: 2},
		{a: []int{2, 7, 3, 4}, b: []int{2, 7, 4, 5}, out: []int{2, 7, 3, 5}, m: 3, axes: 1, batches: 14},
		{a: []int{3, 1, 3, 4}, b: []int{1, 2, 4, 2}, out: []int{3, 2, 3, 2}, m: 3, axes: 2, batches: 6},
		{a: []int{3, 2, 3, 4}, b: []int{3, 1, 4, 2}, out: []int{3, 2, 3, 2}, m: 6, axes: 1, batches: 3},
		{a: []int{2, 1, 3, 1, 5, 1, 3, 4}, b: []int{2, 7, 1, 2, 1, 3, 4, 2}, out: []int{2, 7, 3, 2, 5, 3, 3, 2}, m: 3, axes: 6, batches: 1260},
	} {
		g, err := NewMatMul(c.a, c.b, c.p)
		require.NoError(t, err, "%v", c)
		assert.Equal(t, c.out, g.OutShape(), "%v", c)
		assert.Equal(t, c.m, g.M, "%v", c)
		assert.Equal(t, c.axes, g.Axes, "%v", c)
		assert.Equal(t, c.batches, g.Batches(), "%v", c)
		assert.Equal(t, Count(c.out), g.Batches()*g.M*g.N, "%v", c)
	}
}

func TestMatMulOffsets(t *testing.T) {
	g, err := NewMatMul([]int{3, 1, 3, 4}, []int{2, 4, 2}, MatMulParams{})
	require.NoError(t, err)
	for i, want := range [][2]int{{0, 0}, {0, 8}, {12, 0}, {12, 8}, {24, 0}, {24, 8}} {
		a, b := g.Offsets(i)
		assert.Equal(t, want, [2]int{a, b}, i)
	}
}

func TestProductErrors(t *testing.T) {
	nan := float32(0)
	nan /= nan
	big := 1 << 20
	mul := func(a, b []int, p MatMulParams) error { _, err := NewMatMul(a, b, p); return err }
	lin := func(x, w, b []int, p LinearParams) error { _, err := NewLinear(x, w, b, p); return err }
	gemm := func(a, b, c []int, p GemmParams) error { _, err := NewGemm(a, b, c, p); return err }
	for _, c := range []struct {
		err  error
		kind error
		want string
	}{
		{mul([]int{}, []int{3}, MatMulParams{}), ErrShape, "scalars"},
		{mul([]int{3, 4}, []int{5, 6}, MatMulParams{}), ErrShape, "4 and 5 differ"},
		{mul([]int{3, 4}, []int{3, 6}, MatMulParams{TransB: true}), ErrShape, "4 and 6 differ"},
		{mul([]int{4}, []int{4, 2}, MatMulParams{TransA: true}), ErrParam, "TransA"},
		{mul([]int{2, 4}, []int{4}, MatMulParams{TransB: true}), ErrParam, "TransB"},
		{mul([]int{2, 3, 4}, []int{3, 4, 5}, MatMulParams{}), ErrShape, "[2] and [3] do not broadcast"},
		{mul([]int{0, 4}, []int{4, 5}, MatMulParams{}), ErrShape, "axis 0 has size 0"},
		{mul([]int{3, -4}, []int{-4, 5}, MatMulParams{}), ErrShape, "-4"},
		{mul([]int{big, 1}, []int{1, big}, MatMulParams{}), ErrTooLarge, "1048576"},
		{mul([]int{3, 4}, []int{4, 3}, MatMulParams{Act: Activation{Func: LeakyReLU, A: nan}}), ErrParam, "NaN"},
		{mul([]int{1, 1, 1, 1, 1, 1, 1, 1, 2}, []int{2}, MatMulParams{}), ErrShape, "9 axes"},
		{lin([]int{}, []int{3, 4}, nil, LinearParams{}), ErrShape, "scalar"},
		{lin([]int{2, 4}, []int{4}, nil, LinearParams{}), ErrShape, "[out in]"},
		{lin([]int{2, 4}, []int{3, 5}, nil, LinearParams{}), ErrShape, "5 inputs"},
		{lin([]int{2, 4}, []int{3, 4}, []int{4}, LinearParams{}), ErrShape, "3 outputs take [3]"},
		{lin([]int{2, 4}, []int{3, 4}, []int{1, 3}, LinearParams{}), ErrShape, "bias is [1 3]"},
		{gemm([]int{2, 3, 4}, []int{4, 5}, nil, GemmParams{}), ErrShape, "two matrices"},
		{gemm([]int{3, 4}, []int{4, 5}, []int{3}, GemmParams{}), ErrShape, "c is [3]"},
		{gemm([]int{3, 4}, []int{4, 5}, []int{1, 1, 5}, GemmParams{}), ErrShape, "c is [1 1 5]"},
		{gemm([]int{3, 4}, []int{4, 5}, []int{0}, GemmParams{}), ErrShape, "size 0"},
		{gemm([]int{3, 4}, []int{4, 5}, nil, GemmParams{Alpha: &nan}), ErrParam, "alpha is NaN"},
		{gemm([]int{3, 4}, []int{4, 5}, nil, GemmParams{Beta: &nan}), ErrParam, "beta is NaN"},
	} {
		require.ErrorIs(t, c.err, c.kind, c.want)
		assert.ErrorContains(t, c.err, c.want)
	}
}

func TestGemmBias(t *testing.T) {
	for _, c := range []struct {
		c    []int
		m, n int
	}{
		{[]int{}, 0, 0}, {[]int{1}, 0, 0}, {[]int{5}, 0, 1}, {[]int{1, 5}, 0, 1},
		{[]int{3, 1}, 1, 0}, {[]int{3, 5}, 5, 1}, {[]int{1, 1}, 0, 0},
	} {
		g, err := NewGemm([]int{3, 4}, []int{4, 5}, c.c, GemmParams{})
		require.NoError(t, err, "%v", c)
		assert.True(t, g.Bias)
		assert.Equal(t, [2]int{c.m, c.n}, [2]int{g.BiasM, g.BiasN}, "%v", c)
	}
}
