package spec

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPoolShapes(t *testing.T) {
	x := []int{2, 3, 13, 12}
	for _, c := range []struct {
		name string
		x    []int
		p    PoolParams
		want []int
	}{
		{"stride is the kernel", x, PoolParams{Kernel: []int{2}}, []int{2, 3, 6, 6}},
		{"a number per axis", x, PoolParams{Kernel: []int{3, 2}}, []int{2, 3, 4, 6}},
		{"stride", x, PoolParams{Kernel: []int{3}, Stride: []int{1, 2}}, []int{2, 3, 11, 5}},
		{"ceil", x, PoolParams{Kernel: []int{3}, Stride: []int{2}, Ceil: true}, []int{2, 3, 6, 6}},
		{"ceil drops a window in the padding", []int{1, 1, 2, 2}, PoolParams{Kernel: []int{3}, Stride: []int{3}, Padding: []int{1}, Ceil: true}, []int{1, 1, 1, 1}},
		{"padding", x, PoolParams{Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}}, []int{2, 3, 7, 6}},
		{"padding per side", x, PoolParams{Kernel: []int{3}, Stride: []int{1}, Padding: []int{1, 0, 2, 1}}, []int{2, 3, 14, 11}},
		{"dilation", x, PoolParams{Kernel: []int{3}, Stride: []int{1}, Dilation: []int{2, 3}}, []int{2, 3, 9, 6}},
		{"same upper", x, PoolParams{Kernel: []int{3}, Stride: []int{2}, AutoPad: SameUpper}, []int{2, 3, 7, 6}},
		{"chosen size: down", x, PoolParams{Kernel: []int{3}, Stride: []int{2}, OutSize: []int{6, 5}, Ceil: true}, []int{2, 3, 6, 5}},
		{"chosen size: up", x, PoolParams{Kernel: []int{3}, Stride: []int{2}, OutSize: []int{6, 6}}, []int{2, 3, 6, 6}},
		{"1-D", []int{1, 2, 9}, PoolParams{Kernel: []int{4}}, []int{1, 2, 2}},
		{"3-D", []int{1, 2, 9, 8, 7}, PoolParams{Kernel: []int{3}, Stride: []int{1, 2, 3}}, []int{1, 2, 7, 3, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, kind := range []PoolKind{PoolMax, PoolAvg, PoolLp} {
				g, err := NewPool(kind, c.x, 2, c.p)
				require.NoError(t, err)
				assert.Equal(t, c.want, g.OutShape())
			}
		})
	}
}

func TestPoolErrors(t *testing.T) {
	x := []int{1, 2, 8, 8}
	big := []int{1, 1, 1 << 16, 1 << 14}
	for _, c := range []struct {
		name    string
		kind    PoolKind
		x       []int
		norm    float32
		p       PoolParams
		err     error
		message string
	}{
		{"rank", PoolMax, []int{3, 4}, 0, PoolParams{Kernel: []int{2}}, ErrShape, "[3 4]"},
		{"zero axis", PoolMax, []int{1, 0, 4}, 0, PoolParams{Kernel: []int{2}}, ErrShape, "axis 1"},
		{"no kernel", PoolMax, x, 0, PoolParams{}, ErrParam, "no kernel"},
		{"zero kernel", PoolMax, x, 0, PoolParams{Kernel: []int{0}}, ErrParam, "kernel [0]"},
		{"negative stride", PoolMax, x, 0, PoolParams{Kernel: []int{2}, Stride: []int{-1}}, ErrParam, "stride [-1]"},
		{"zero dilation", PoolMax, x, 0, PoolParams{Kernel: []int{2}, Dilation: []int{1, 0}}, ErrParam, "dilation [1 0]"},
		{"numbers", PoolMax, x, 0, PoolParams{Kernel: []int{2, 2, 2}}, ErrParam, "3 numbers"},
		{"padding of a whole kernel", PoolMax, x, 0, PoolParams{Kernel: []int{2}, Padding: []int{2}}, ErrParam, "padding 2"},
		{"kernel over the input", PoolMax, x, 0, PoolParams{Kernel: []int{9}}, ErrShape, "span of 9"},
		{"huge dilation", PoolMax, x, 0, PoolParams{Kernel: []int{3}, Dilation: []int{32768}}, ErrParam, "32768"},
		{"auto padding and padding", PoolMax, x, 0, PoolParams{Kernel: []int{2}, Padding: []int{1}, AutoPad: SameUpper}, ErrParam, "same-upper"},
		{"output size", PoolMax, x, 0, PoolParams{Kernel: []int{3}, Stride: []int{2}, OutSize: []int{5}}, ErrParam, "output size 5"},
		{"output size, numbers", PoolMax, x, 0, PoolParams{Kernel: []int{3}, OutSize: []int{1, 2, 3}}, ErrParam, "3 numbers"},
		{"divisor", PoolAvg, x, 0, PoolParams{Kernel: []int{2}, Divisor: 1 << 25}, ErrParam, "33554432"},
		{"norm", PoolLp, x, 0, PoolParams{Kernel: []int{2}}, ErrParam, "norm is 0"},
		{"norm NaN", PoolLp, x, float32(math.NaN()), PoolParams{Kernel: []int{2}}, ErrParam, "NaN"},
		{"norm Inf", PoolLp, x, float32(math.Inf(1)), PoolParams{Kernel: []int{2}}, ErrParam, "Inf"},
		{"kind", PoolKind(7), x, 0, PoolParams{Kernel: []int{2}}, ErrParam, "PoolKind(7)"},
		{"too many outputs", PoolMax, big, 0, PoolParams{Kernel: []int{32000}, Stride: []int{1}, Padding: []int{31999}}, ErrTooLarge, "elements"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := NewPool(c.kind, c.x, c.norm, c.p)
			require.ErrorIs(t, err, c.err)
			assert.Contains(t, err.Error(), c.message)
		})
	}
}

// TestPoolWindows compares the closed forms of Inside and Padded with a walk
// over the taps.
func TestPoolWindows(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		k, d := 1+r.IntN(5), 1+r.IntN(4)
		span := (k-1)*d + 1
		p := PoolParams{Kernel: []int{k}, Dilation: []int{d}, Stride: []int{1 + r.IntN(5)}, Ceil: r.IntN(2) == 0,
			Padding: []int{r.IntN(span), r.IntN(span)}}
		g, err := NewPool(PoolAvg, []int{1, 1, span + r.IntN(9)}, 0, p)
		require.NoError(t, err)
		for o := range g.Out[2] {
			first, inside, padded := 0, 0, 0
			for tap := range k {
				at := o*g.Stride[2] - g.PadBegin[2] + tap*d
				if at >= 0 && at < g.In[2] {
					if inside == 0 {
						first = at
					}
					inside++
				}
				if at < g.In[2]+g.PadEnd[2] {
					padded++
				}
			}
			f, n := g.Inside(2, o)
			require.Equal(t, []int{first, inside, padded}, []int{f, n, g.Padded(2, o)}, "%+v window %d", p, o)
		}
	}
}

func TestAdaptivePool(t *testing.T) {
	g, err := NewAdaptivePool(PoolAvg, []int{1, 1, 7}, []int{5})
	require.NoError(t, err)
	assert.True(t, g.Adaptive)
	for o, want := range [][2]int{{0, 2}, {1, 2}, {2, 3}, {4, 2}, {5, 2}} { // PyTorch's start and length
		first, n := g.Inside(2, o)
		assert.Equal(t, want, [2]int{first, n})
		assert.LessOrEqual(t, n, g.Kernel[2])
		assert.Equal(t, n, g.Padded(2, o))
	}
	g, err = NewAdaptivePool(PoolMax, []int{2, 3, 8, 9}, []int{4, -1})
	require.NoError(t, err)
	assert.False(t, g.Adaptive, "windows that are all alike are ordinary ones")
	assert.Equal(t, []int{2, 3, 4, 9}, g.OutShape())
	assert.Equal(t, [3]int{1, 2, 1}, g.Kernel)
	g, err = NewAdaptivePool(PoolMax, []int{2, 3, 8, 9}, []int{1})
	require.NoError(t, err)
	assert.True(t, g.Whole())

	for _, out := range [][]int{nil, {1, 2, 3}, {0}, {-2}, {1 << 16}} {
		_, err := NewAdaptivePool(PoolMax, []int{2, 3, 8, 9}, out)
		require.ErrorIs(t, err, ErrParam, "%v", out)
	}
	_, err = NewAdaptivePool(PoolMax, []int{2, 3}, []int{1})
	require.ErrorIs(t, err, ErrShape)
	_, err = NewAdaptivePool(PoolMax, []int{1, 1 << 10, 1, 1}, []int{1 << 15})
	require.ErrorIs(t, err, ErrTooLarge)
}

func TestGlobalPool(t *testing.T) {
	g, err := NewGlobalPool(PoolLp, []int{2, 3, 5, 7, 40000}, 2)
	require.NoError(t, err)
	assert.Equal(t, []int{2, 3, 1, 1, 1}, g.OutShape())
	assert.True(t, g.Whole())
	assert.True(t, g.PlainNorm)
	_, err = NewGlobalPool(PoolLp, []int{2, 3, 5}, -1)
	require.ErrorIs(t, err, ErrParam)
	_, err = NewGlobalPool(PoolMax, []int{2, 3, 5, 1, 1, 1}, 0)
	require.ErrorIs(t, err, ErrShape)
}

// TestPoolBudget holds the budgets to WebNN's kh*kw+2 ULP, for one-signed
// windows: there a unit of 2^-24 of the magnitude is at most one ULP.
func TestPoolBudget(t *testing.T) {
	for kh := 1; kh < 20; kh++ {
		for kw := 1; kw < 20; kw++ {
			for _, kind := range []PoolKind{PoolMax, PoolAvg, PoolLp} {
				g, err := NewPool(kind, []int{1, 1, 20, 20}, 2, PoolParams{Kernel: []int{kh, kw}})
				require.NoError(t, err)
				b := g.Budget()
				assert.LessOrEqual(t, b.ULP+b.Scaled, float64(kh*kw+2), "%v %dx%d", kind, kh, kw)
			}
		}
	}
}
