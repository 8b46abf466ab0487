package fast

import (
	"fmt"
	"math"
	"testing"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// TestConvGradWeightRows has the method for few input channels where it is chosen,
// and everywhere else.
func TestConvGradWeightRows(t *testing.T) {
	g, err := spec.NewConv([]int{1, 3, 224, 224}, []int{64, 3, 7, 7}, nil, spec.ConvParams{Stride: []int{2}, Padding: []int{3}})
	require.NoError(t, err)
	onEach(t, func(t *testing.T) {
		require.Equal(t, simd.Active() != simd.Portable, newRowsGrad(nil, nil, &g) != nil)
		testConvGradWeight(t, []int{2, 3, 70, 71}, []int{37, 3, 7, 7}, spec.ConvParams{Stride: []int{2}, Padding: []int{3}})
		testConvGradWeight(t, []int{1, 10, 60, 50}, []int{34, 5, 3, 3}, spec.ConvParams{Stride: []int{1, 2}, Padding: []int{1, 1, 2, 0}, Groups: 2})
		forcedRows = true
		defer func() { forcedRows = false }()
		for _, c := range []struct {
			x, w []int
			p    spec.ConvParams
		}{
			{[]int{1, 1, 1}, []int{1, 1, 1}, spec.ConvParams{}},
			{[]int{2, 3, 600}, []int{5, 3, 9}, spec.ConvParams{Padding: []int{4}}},
			{[]int{2, 4, 33}, []int{6, 2, 4}, spec.ConvParams{Stride: []int{3}, Dilation: []int{2}, Padding: []int{1, 5}, Groups: 2}},
			{[]int{1, 3, 37, 41}, []int{20, 3, 7, 7}, spec.ConvParams{Stride: []int{2}, Padding: []int{3}, Dilation: []int{2, 1}}},
			{[]int{2, 6, 10, 10}, []int{9, 2, 3, 3}, spec.ConvParams{Groups: 3, Padding: []int{1}, PadMode: spec.PadReflect}},
			{[]int{2, 6, 10, 10}, []int{9, 2, 3, 3}, spec.ConvParams{Groups: 3, Padding: []int{2}, Stride: []int{2}, PadMode: spec.PadReplicate}},
			{[]int{2, 6, 10, 10}, []int{4, 6, 3, 3}, spec.ConvParams{Padding: []int{10, 4}, Dilation: []int{3}, PadMode: spec.PadCircular}},
			{[]int{2, 4, 6, 9, 33}, []int{6, 2, 3, 2, 3}, spec.ConvParams{Padding: []int{1, 0, 2}, Stride: []int{2, 1, 2}, Groups: 2}},
			{[]int{1, 2, 12, 13, 14}, []int{3, 2, 2, 3, 3}, spec.ConvParams{Padding: []int{1}, Dilation: []int{3, 2, 1}, PadMode: spec.PadReflect}},
			{[]int{1, 3, 2, 2}, []int{4, 3, 2, 2}, spec.ConvParams{Padding: []int{5}, Stride: []int{3}}},
			{[]int{1, 5, 7, 9}, []int{7, 5, 1, 1}, spec.ConvParams{Padding: []int{2}}},
			{[]int{1, 20, 12, 300}, []int{70, 20, 2, 3}, spec.ConvParams{Padding: []int{1}}},
		} {
			testConvGradWeight(t, c.x, c.w, c.p)
		}
	})
}

// testConvGradWeight checks the gradient of one convolution's weight on random
// data.
func testConvGradWeight(t *testing.T, x, w []int, p spec.ConvParams) {
	t.Helper()
	g, err := spec.NewConv(x, w, nil, p)
	require.NoError(t, err)
	r := newRand(t)
	dys, xs := random(r, spec.Count(g.OutShape())), random(r, spec.Count(x))
	what := fmt.Sprintf("x %v w %v %+v", x, w, p)
	got := repeatable(t, what, func() []float32 {
		dw := newGuarded(spec.Count(w))
		for i := range dw.s {
			dw.s[i] = float32(math.NaN())
		}
		ConvGradWeight(dw.s, dys, xs, g)
		dw.check(t, what)
		return dw.s
	})
	want, mag := make([]float64, len(got)), make([]float64, len(got))
	cpuref.ConvGradWeight(want, widen(dys), widen(xs), g)
	cpuref.ConvGradWeight(mag, absAll(widen(dys)), absAll(widen(xs)), g)
	within(t, what, spec.SumBudget(g.N*g.OutSize()), got, want, mag)
}

func TestConvGradWeight(t *testing.T) {
	onEach(t, func(t *testing.T) {
		for _, c := range []struct {
			x, w []int
			p    spec.ConvParams
		}{
			{[]int{1, 1, 1}, []int{1, 1, 1}, spec.ConvParams{}},
			{[]int{2, 3, 50}, []int{5, 3, 9}, spec.ConvParams{Padding: []int{4}}},
			{[]int{2, 4, 33}, []int{6, 2, 4}, spec.ConvParams{Stride: []int{3}, Dilation: []int{2}, Padding: []int{1, 5}, Groups: 2}},
			{[]int{1, 3, 37, 41}, []int{20, 3, 7, 7}, spec.ConvParams{Stride: []int{2}, Padding: []int{3}}},
			{[]int{2, 16, 14, 14}, []int{18, 16, 3, 3}, spec.ConvParams{Padding: []int{1}}},
			{[]int{2, 6, 10, 10}, []int{9, 2, 3, 3}, spec.ConvParams{Groups: 3, Padding: []int{1}, PadMode: spec.PadReflect}},
			{[]int{2, 6, 10, 10}, []int{9, 2, 3, 3}, spec.ConvParams{Groups: 3, Padding: []int{2}, Stride: []int{2}, PadMode: spec.PadReplicate}},
			{[]int{2, 6, 10, 10}, []int{4, 6, 3, 3}, spec.ConvParams{Padding: []int{10, 4}, Dilation: []int{3}, PadMode: spec.PadCircular}},
			{[]int{3, 16, 6, 6}, []int{70, 8, 1, 1}, spec.ConvParams{Groups: 2}},
			{[]int{1, 5, 7, 9}, []int{7, 5, 1, 1}, spec.ConvParams{Stride: []int{2}}},
			{[]int{1, 5, 7, 9}, []int{7, 5, 1, 1}, spec.ConvParams{Padding: []int{2}}},
			{[]int{2, 4, 6, 9, 33}, []int{6, 2, 3, 2, 3}, spec.ConvParams{Padding: []int{1, 0, 2}, Stride: []int{2, 1, 2}, Groups: 2}},
			{[]int{1, 2, 12, 13, 14}, []int{3, 2, 2, 3, 3}, spec.ConvParams{Padding: []int{1}, Dilation: []int{3, 2, 1}, PadMode: spec.PadReflect}},
			{[]int{1, 3, 2, 2}, []int{4, 3, 2, 2}, spec.ConvParams{Padding: []int{5}, Stride: []int{3}}},
			// blocks of channels, in one round and in several
			{[]int{2, 32, 9, 9}, []int{20, 32, 3, 3}, spec.ConvParams{Padding: []int{1}}},
			{[]int{1, 110, 11, 7}, []int{60, 55, 3, 3}, spec.ConvParams{Padding: []int{1}, Groups: 2, Dilation: []int{1, 2}}},
			{[]int{2, 64, 9, 10}, []int{30, 64, 1, 1}, spec.ConvParams{Stride: []int{2}}},
			{[]int{3, 30, 6, 7, 5}, []int{17, 30, 3, 2, 3}, spec.ConvParams{Padding: []int{1}, Stride: []int{1, 2, 1}}},
			{[]int{1, 48, 40, 41}, []int{50, 48, 5, 1}, spec.ConvParams{Padding: []int{2, 0}, PadMode: spec.PadReflect}},
			{[]int{2, 32, 300}, []int{40, 32, 9}, spec.ConvParams{Padding: []int{4}}},
			// several rounds: images, lines and depths; parts of the channels
			{[]int{40, 20, 9, 9}, []int{40, 20, 3, 3}, spec.ConvParams{Padding: []int{1}}},
			{[]int{2, 33, 130, 90}, []int{17, 33, 3, 3}, spec.ConvParams{Padding: []int{1}, Stride: []int{1, 2}}},
			{[]int{1, 9, 21, 60, 61}, []int{8, 9, 3, 1, 2}, spec.ConvParams{Padding: []int{1, 0, 1}}},
			{[]int{3, 40, 5, 5}, []int{400, 40, 1, 1}, spec.ConvParams{}},
			// depthwise
			{[]int{2, 12, 20, 21}, []int{9, 4, 3, 3}, spec.ConvParams{Groups: 3, Padding: []int{1}}},
			{[]int{1, 16, 30, 70}, []int{16, 8, 3, 3}, spec.ConvParams{Groups: 2}},
			{[]int{1, 6, 20, 20}, []int{6, 1, 3, 3}, spec.ConvParams{Groups: 6, Padding: []int{1}}},
			{[]int{2, 6, 20, 21}, []int{6, 1, 5, 5}, spec.ConvParams{Groups: 6, Padding: []int{2}, Stride: []int{2}}},
			{[]int{2, 3, 20, 70}, []int{6, 1, 3, 3}, spec.ConvParams{Groups: 3, Padding: []int{1}}},
			{[]int{1, 6, 150}, []int{6, 1, 31}, spec.ConvParams{Groups: 6, Padding: []int{15}, PadMode: spec.PadCircular}},
			{[]int{1, 4, 6, 7, 8}, []int{4, 1, 3, 3, 3}, spec.ConvParams{Groups: 4, Padding: []int{1}, Stride: []int{1, 2, 1}}},
			{[]int{1, 4, 10, 10}, []int{4, 1, 3, 3}, spec.ConvParams{Groups: 4, Dilation: []int{3}, Stride: []int{2}, Padding: []int{3}}},
			{[]int{2, 2, 150, 100}, []int{2, 1, 3, 3}, spec.ConvParams{Groups: 2, Padding: []int{1}}},
		} {
			testConvGradWeight(t, c.x, c.w, c.p)
		}
	})
}
