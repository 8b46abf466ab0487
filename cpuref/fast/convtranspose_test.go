package fast

import (
	"fmt"
	"math"
	"testing"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

func testConvTranspose(t *testing.T, x, w []int, bias bool, p spec.ConvTransposeParams) {
	t.Helper()
	groups := max(1, p.Groups)
	var b []int
	if bias {
		b = []int{w[1] * groups}
	}
	g, err := spec.NewConvTranspose(x, w, b, p)
	require.NoError(t, err)
	r := newRand(t)
	xs, ws := random(r, spec.Count(x)), random(r, spec.Count(w))
	var bs []float32
	var bd []float64
	if bias {
		bs = random(r, b[0])
		bd = widen(bs)
	}
	what := fmt.Sprintf("x %v w %v bias %v %+v", x, w, bias, p)
	got := repeatable(t, what, func() []float32 {
		y := newGuarded(spec.Count(g.OutShape()))
		for i := range y.s {
			y.s[i] = float32(math.NaN())
		}
		ConvTranspose(y.s, xs, ws, bs, g)
		y.check(t, what)
		return y.s
	})
	want, mag := make([]float64, len(got)), make([]float64, len(got))
	xd, wd := widen(xs), widen(ws)
	cpuref.ConvTranspose(want, xd, wd, bd, g)
	plain := g
	plain.Act = spec.Activation{}
	cpuref.ConvTranspose(mag, absAll(xd), absAll(wd), absAll(bd), plain)
	within(t, what, g.Budget(), got, want, mag)
}

func TestConvTranspose(t *testing.T) {
	onEach(t, func(t *testing.T) {
		for _, c := range []struct {
			x, w []int
			bias bool
			p    spec.ConvTransposeParams
		}{
			{[]int{1, 1, 1}, []int{1, 1, 1}, true, spec.ConvTransposeParams{}},
			{[]int{1, 8, 10, 11}, []int{8, 6, 4, 4}, true, spec.ConvTransposeParams{Stride: []int{2}, Padding: []int{1}}},
			{[]int{2, 20, 40, 40}, []int{20, 17, 4, 4}, true, spec.ConvTransposeParams{Stride: []int{2}, Padding: []int{1}, Act: spec.Activation{Func: spec.ReLU}}},
			{[]int{1, 6, 9, 9}, []int{6, 3, 3, 3}, true, spec.ConvTransposeParams{Padding: []int{1}, Groups: 2, Act: spec.Activation{Func: spec.Tanh}}},
			{[]int{1, 6, 9, 9}, []int{6, 3, 3, 3}, true, spec.ConvTransposeParams{Stride: []int{2}, Padding: []int{1}, OutputPadding: []int{1}, Act: spec.Activation{Func: spec.Sigmoid}}},
			{[]int{1, 5, 7, 7}, []int{5, 4, 2, 2}, false, spec.ConvTransposeParams{Stride: []int{2}}},
			{[]int{1, 5, 7, 7}, []int{5, 4, 2, 2}, true, spec.ConvTransposeParams{Stride: []int{3}}}, // taps miss some outputs
			{[]int{1, 3, 30}, []int{3, 4, 7}, true, spec.ConvTransposeParams{Stride: []int{3}, Dilation: []int{2}, Padding: []int{2, 5}}},
			{[]int{1, 3, 30}, []int{3, 4, 5}, true, spec.ConvTransposeParams{Stride: []int{4}, Dilation: []int{6}, Padding: []int{9}}},
			{[]int{2, 4, 5, 6, 7}, []int{4, 2, 3, 2, 3}, true, spec.ConvTransposeParams{Stride: []int{2, 1, 2}, Padding: []int{1, 0, 2}, Groups: 2}},
			{[]int{1, 4, 8, 8}, []int{4, 1, 4, 4}, true, spec.ConvTransposeParams{Stride: []int{2}, Padding: []int{1}, Groups: 4}},
			// Kernels of 1: products.
			{[]int{2, 20, 9, 10}, []int{20, 30, 1, 1}, false, spec.ConvTransposeParams{Stride: []int{2}, OutputPadding: []int{1}}},
			{[]int{1, 5, 3, 4, 5}, []int{5, 3, 1, 1, 1}, false, spec.ConvTransposeParams{Stride: []int{2, 3, 1}}},
			{[]int{2, 5, 40}, []int{5, 1, 1}, false, spec.ConvTransposeParams{Stride: []int{3}, OutputPadding: []int{2}}},
			// No products: padding leaves inputs of the end without an output, along an axis of stride 1 or a strided one.
			{[]int{2, 3, 5, 5}, []int{3, 2, 1, 1}, false, spec.ConvTransposeParams{Stride: []int{3, 1}, Padding: []int{0, 0, 0, 2}}},
			{[]int{2, 3, 9}, []int{3, 2, 1}, false, spec.ConvTransposeParams{Stride: []int{2}, Padding: []int{0, 1}}},
			// Few output channels: phases merged, with four, two and one class of taps.
			{[]int{2, 16, 20, 21}, []int{16, 3, 7, 7}, false, spec.ConvTransposeParams{Stride: []int{2}, Padding: []int{3}, OutputPadding: []int{1}}},
			{[]int{1, 6, 30, 31}, []int{6, 3, 5, 6}, true, spec.ConvTransposeParams{Stride: []int{3, 2}, Padding: []int{1, 2}, Groups: 2, Act: spec.Activation{Func: spec.Mish}}},
			{[]int{2, 5, 70}, []int{5, 8, 9}, true, spec.ConvTransposeParams{Stride: []int{4}, Padding: []int{7}, Act: spec.Activation{Func: spec.ReLU}}},
			{[]int{1, 4, 3, 3}, []int{4, 1, 7, 7}, true, spec.ConvTransposeParams{Stride: []int{2}, Padding: []int{4}}},
			{[]int{1, 3, 4, 4}, []int{3, 2, 5, 5}, true, spec.ConvTransposeParams{Stride: []int{2}, Padding: []int{4, 3}}},
		} {
			testConvTranspose(t, c.x, c.w, c.bias, c.p)
		}
	})
}

// TestConvTransposeMergedInfinity has infinite inputs: they must reach those
// outputs alone that meet them, which the oracle knows.
func TestConvTransposeMergedInfinity(t *testing.T) {
	g, err := spec.NewConvTranspose([]int{1, 4, 9, 9}, []int{4, 3, 7, 7}, nil, spec.ConvTransposeParams{Stride: []int{2}, Padding: []int{3}})
	require.NoError(t, err)
	require.True(t, mergePays(&g))
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		x, w := random(r, 4*81), random(r, 4*3*49)
		x[40], x[81] = float32(math.Inf(1)), float32(math.NaN())
		got, want := make([]float32, spec.Count(g.OutShape())), make([]float64, spec.Count(g.OutShape()))
		ConvTranspose(got, x, w, nil, g)
		cpuref.ConvTranspose(want, widen(x), widen(w), nil, g)
		for i := range want {
			finite := !math.IsNaN(want[i]) && !math.IsInf(want[i], 0)
			require.Equal(t, finite, !math.IsNaN(float64(got[i])) && !math.IsInf(float64(got[i]), 0), i)
		}
	})
}

// TestConvTransposeRandom tries random geometries.
func TestConvTransposeRandom(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for tried := 0; tried < 120; {
			rank := 1 + r.IntN(3)
			groups := 1 + r.IntN(3)
			cg, kg := 1+r.IntN(5), 1+r.IntN(5)
			x, w := []int{1 + r.IntN(2), groups * cg}, []int{groups * cg, kg}
			p := spec.ConvTransposeParams{Groups: groups}
			for range rank {
				x, w = append(x, 1+r.IntN(40/(rank*rank))), append(w, 1+r.IntN(5))
				p.Stride, p.Dilation = append(p.Stride, 1+r.IntN(4)), append(p.Dilation, 1+r.IntN(3))
				p.OutputPadding = append(p.OutputPadding, r.IntN(2))
			}
			for range 2 * rank {
				p.Padding = append(p.Padding, r.IntN(4))
			}
			bias := r.IntN(2) == 0
			if _, err := spec.NewConvTranspose(x, w, nil, p); err != nil {
				continue
			}
			testConvTranspose(t, x, w, bias, p)
			tried++
		}
	})
}

func BenchmarkConvTranspose(b *testing.B) {
	g, err := spec.NewConvTranspose([]int{1, 128, 32, 32}, []int{128, 64, 4, 4}, nil, spec.ConvTransposeParams{Stride: []int{2}, Padding: []int{1}})
	require.NoError(b, err)
	x, w, y := make([]float32, 128*32*32), make([]float32, 128*64*16), make([]float32, 64*64*64)
	for i := range x {
		x[i] = float32(i%13) / 13
	}
	onThreads(b, func(b *testing.B) { timed(b, g.Flops(), "GF/s", func() { ConvTranspose(y, x, w, nil, g) }) })
}
