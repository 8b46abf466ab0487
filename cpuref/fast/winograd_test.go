package fast

import (
	"fmt"
	"testing"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// TestWinogradPlans holds each way to cut the work, for weights as they stand and
// for those of a transposed convolution, to the implicit product.
func TestWinogradPlans(t *testing.T) {
	defer func() { winogradTrace = nil }()
	for _, c := range []struct {
		n, c, k, h, w, groups int
		held                  bool
		blocks                int // at the best level
	}{
		{n: 1, c: 64, k: 64, h: 56, w: 56, groups: 1, held: true, blocks: 14},
		{n: 8, c: 70, k: 90, h: 31, w: 18, groups: 2, held: true, blocks: 6},
		{n: 1, c: 256, k: 256, h: 14, w: 14, groups: 1, blocks: 1},
		{n: 1, c: 128, k: 128, h: 28, w: 28, groups: 1, blocks: 2},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			for _, level := range simd.Levels()[1:] { // portable Go takes seconds
				old := simd.SetLevel(level)
				defer simd.SetLevel(old)
				r := newRand(t)
				xs, ws := []int{c.n, c.groups * c.c, c.h, c.w}, []int{c.groups * c.k, c.c, 3, 3}
				g, err := spec.NewConv(xs, ws, ws[:1], spec.ConvParams{Padding: []int{1}, Groups: c.groups})
				require.NoError(t, err)
				x, w, b := random(r, spec.Count(xs)), random(r, spec.Count(ws)), random(r, ws[0])
				y, want := make([]float32, spec.Count(g.OutShape())), make([]float32, spec.Count(g.OutShape()))
				defer SetThreads(SetThreads(1))
				p := newWino(y, x, b, kernelsOf(w, &g), &g)
				if level == simd.AVX512 {
					require.Equal(t, c.held, p.held)
					require.Equal(t, c.blocks, (p.rows+p.block-1)/p.block*((p.tw+p.cols-1)/p.cols))
				}
				count := 0
				winogradTrace = func(tiles, repaired int) { count += tiles - repaired }
				require.True(t, winograd(y, x, b, kernelsOf(w, &g), &g, nil))
				require.Positive(t, count)
				SetThreads(0) // where blocks may be smaller
				again := make([]float32, len(y))
				require.True(t, winograd(again, x, b, kernelsOf(w, &g), &g, nil))
				require.Equal(t, y, again)
				convImplicit(want, x, w, b, &g, nil)
				require.InDeltaSlice(t, want, y, 2e-4)

				tp := g.Transposed()
				tg, err := spec.NewConvTranspose(g.OutShape(), ws, nil, tp)
				require.NoError(t, err)
				dx, wantDx := make([]float32, len(x)), make([]float32, len(x))
				count = 0
				ConvTranspose(dx, want, w, nil, tg)
				require.Positive(t, count)
				forcedConv = convImplicitly
				ConvTranspose(wantDx, want, w, nil, tg)
				forcedConv = convAuto
				require.InDeltaSlice(t, wantDx, dx, 1e-2)
			}
		})
	}
}

// TestWinogradPatterns holds tiles that long searches found, which come near the
// bound or went over earlier ones, to the budget.
func TestWinogradPatterns(t *testing.T) {
	for _, p := range []struct {
		x [36]float64
		w [9]float64
	}{
		{[36]float64{0, 0, -1, -1, 0, 0, 1, -0.1, 0, 1, 1, 0.04, -0.05, 1, 1, -1, -2, -0.05, 0.24, 1, 1, -1.25, -1, 2, -0.3, 1, -1, 1, 1, -0.1, -0.3, 0.375, -0.03, 0, 0, 0},
			[9]float64{-1, -1, -1, 1, 1, 1, -1, 1, -0.5}},
		{[36]float64{1, -0.05, 0, 0.125, 0.04, 0, 1, -1, -1.25, 1, 1, 1, 1, 0, -1, 1, 1, 0, -0.05, 1, 1, -1, -1, 0, -0.05, 0, 1, 1, -1, 0, 0, 1, -0.5, 0, 0.4, -0.05},
			[9]float64{-1, 0.3, 0, -1, -1, 0.05, -1, 0, -0.3}},
	} {
		for _, c := range []int{12, 32, 33, 64, 96, 128, 256, 512} {
			xs, ws := []int{1, c, 6, 6}, []int{32, c, 3, 3}
			g, err := spec.NewConv(xs, ws, nil, spec.ConvParams{})
			require.NoError(t, err)
			l := layer{g: g, what: "pattern"}
			l.x = field(xs, func(_, _, h, w int) float64 { return 1.1 * p.x[h*6+w] })
			l.w = field(ws, func(k, _, h, w int) float64 { return p.w[h*3+w] * (1 + float64(k)/32) })
			e, kept := l.check(t)
			t.Logf("%d channels: %d kept, %.2g of the budget", c, kept, e)
		}
	}
}
