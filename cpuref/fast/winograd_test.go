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
				p := newWino(y, x, b, kernelsOf(w, &g), &g)
				if level == simd.AVX512 {
					require.Equal(t, c.held, p.held)
					require.Equal(t, c.blocks, (p.rows+p.block-1)/p.block)
				}
				count := 0
				winogradTrace = func(tiles, repaired int) { count += tiles - repaired }
				require.True(t, winograd(y, x, b, kernelsOf(w, &g), &g, nil))
				require.Positive(t, count)
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
