package fast

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// gradLayer is the gradient of a 3x3 kernel whose data have some structure.
type gradLayer struct {
	g     spec.Conv
	dy, x []float32
	pairs bool // by the small tiles
	what  string
}

func newGradConv(t testing.TB, n, c, k, h, w, groups int, padding ...int) spec.Conv {
	g, err := spec.NewConv([]int{n, groups * c, h, w}, []int{groups * k, c, 3, 3}, nil, spec.ConvParams{Padding: padding, Groups: groups})
	require.NoError(t, err)
	return g
}

// check computes the gradient by Winograd's method under guard and holds it to the
// budget. It returns the largest error in units of it, and how many channels were
// computed by it.
func (l *gradLayer) check(t *testing.T) (worst float64, kept int) {
	t.Helper()
	g := &l.g
	forcedConv, forcedPairs = convWinograd, l.pairs
	winogradGradTrace = func(channels, direct int) { kept += channels - direct }
	defer func() { forcedConv, forcedPairs, winogradGradTrace = convAuto, false, nil }()
	dw := make([]float32, g.K*g.Terms())
	p := newWinoGrad(dw, l.dy, l.x, g)
	require.NotNil(t, p)
	if !p.run() {
		return 0, 0
	}
	want, mag := make([]float64, len(dw)), make([]float64, len(dw))
	cpuref.ConvGradWeight(want, widen(l.dy), widen(l.x), *g)
	cpuref.ConvGradWeight(mag, absAll(widen(l.dy)), absAll(widen(l.x)), *g)
	budget := spec.SumBudget(g.N * g.OutSize())
	for i := range dw {
		worst = max(worst, budget.Err(dw[i], want[i], mag[i]))
	}
	require.LessOrEqual(t, worst, 1.0, "%s; %+v", l.what, *g)
	return worst, kept
}

// TestWinogradGrad holds the method, for shapes with edges of every kind, to the
// budget, and its bits to be the same for any number of threads.
func TestWinogradGrad(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, g := range []spec.Conv{
			newGradConv(t, 1, 32, 32, 20, 20, 1, 1),
			newGradConv(t, 2, 17, 40, 13, 22, 1, 1),
			newGradConv(t, 1, 40, 17, 19, 18, 1, 0),
			newGradConv(t, 3, 5, 9, 15, 14, 2, 2),
			newGradConv(t, 1, 70, 33, 23, 15, 1, 1, 0, 2, 1),
			newGradConv(t, 9, 33, 20, 7, 7, 1, 1),
			newGradConv(t, 1, 8, 8, 10, 150, 1, 1),
			newGradConv(t, 3, 16, 17, 29, 30, 1, 1),
		} {
			for _, pairs := range []bool{false, true} {
				l := gradLayer{g: g, what: "normal", pairs: pairs}
				l.x = field([]int{g.N, g.C, g.In[1], g.In[2]}, func(_, _, _, _ int) float64 { return r.NormFloat64() })
				l.dy = field([]int{g.N, g.K, g.Out[1], g.Out[2]}, func(_, _, _, _ int) float64 { return r.NormFloat64() })
				e, kept := l.check(t)
				t.Logf("%+v: %.2g of the budget, %d", g, e, kept)
				require.Equal(t, g.C+g.K, kept)
				forcedConv, forcedPairs = convWinograd, pairs
				what := fmt.Sprintf("%+v", g)
				repeatable(t, what, func() []float32 {
					dw := newGuarded(g.K * g.Terms())
					for i := range dw.s {
						dw.s[i] = float32(math.NaN())
					}
					ConvGradWeight(dw.s, l.dy, l.x, g)
					dw.check(t, what)
					return dw.s
				})
				forcedConv, forcedPairs = convAuto, false
			}
		}
	})
}

// BenchmarkWinogradGrad compares the method with the direct sums.
func BenchmarkWinogradGrad(b *testing.B) {
	for _, s := range [][4]int{{1, 64, 56, 56}, {1, 256, 14, 14}, {8, 64, 56, 56}, {8, 128, 28, 28}, {8, 256, 14, 14}, {8, 512, 7, 7}} {
		g := newGradConv(b, s[0], s[1], s[1], s[2], s[3], 1, 1)
		r := rand.New(rand.NewPCG(1, 2))
		x, dy := random(r, g.N*g.C*g.InSize()), random(r, g.N*g.K*g.OutSize())
		dw := make([]float32, g.K*g.Terms())
		onThreads(b, func(b *testing.B) {
			for _, direct := range []bool{false, true} {
				b.Run(fmt.Sprintf("%v/direct=%v", s, direct), func(b *testing.B) {
					g.Direct = direct
					if p := newWinoGrad(dw, dy, x, &g); p != nil {
						b.Logf("rows %d cols %d block %d segs %d tiles %d", p.rows, p.cols, p.block, p.segs, p.tiles)
					}
					timed(b, g.Flops(), "GFLOP/s", func() { ConvGradWeight(dw, dy, x, g) })
				})
			}
		})
	}
}

// TestWinogradGradPays: which shapes the method is for, whatever the number of
// threads. Those of the cases of kansu check that are meant for it are among them.
func TestWinogradGradPays(t *testing.T) {
	defer SetThreads(SetThreads(0))
	ts := simd.ActiveTiles() // where there are no vectors, the method never pays
	for _, c := range []struct {
		g    spec.Conv
		pays bool
	}{
		{newGradConv(t, 2, 32, 64, 40, 43, 1, 1), true},
		{newGradConv(t, 3, 40, 35, 27, 30, 2, 2, 0, 1, 2), true},
		{newGradConv(t, 1, 64, 64, 56, 56, 1, 1), true},
		{newGradConv(t, 1, 256, 256, 14, 14, 1, 1), true}, // by the small tiles, as the next one
		{newGradConv(t, 1, 128, 64, 14, 15, 1, 1), true},
		{newGradConv(t, 8, 512, 512, 7, 7, 1, 1), true},
		{newGradConv(t, 1, 3, 64, 56, 56, 1, 1), false},
		{newGradConv(t, 1, 32, 32, 9, 9, 1, 1), false},
		{newGradConv(t, 1, 512, 512, 4, 4, 1, 1), false},
	} {
		x, dy := make([]float32, c.g.N*c.g.C*c.g.InSize()), make([]float32, c.g.N*c.g.K*c.g.OutSize())
		for _, threads := range []int{1, 2, 16} {
			SetThreads(threads)
			p := newWinoGrad(make([]float32, c.g.K*c.g.Terms()), dy, x, &c.g)
			require.Equal(t, c.pays && !ts.Alone(), p != nil, "%+v", c.g)
			if p != nil {
				t.Logf("%d threads, %d to %d of %v: tasks of %d and %d channels, blocks of %d tiles", threads, c.g.C, c.g.K, c.g.Out, p.rows, p.cols, p.tiles)
			}
		}
	}
}
