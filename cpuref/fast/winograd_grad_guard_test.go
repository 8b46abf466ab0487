package fast

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/stretchr/testify/require"
)

// randomGradLayer draws a layer: products of textures, sometimes with one value
// apart, with empty channels, or with inputs and gradients that avoid each other.
func randomGradLayer(t *testing.T, r *rand.Rand) gradLayer {
	c, k := []int{5, 16, 20, 33}[r.IntN(4)], []int{5, 16, 20, 33}[r.IntN(4)]
	groups := 1
	if r.IntN(5) == 0 {
		groups = 2
	}
	h, w := 5+r.IntN(22), 5+r.IntN(22)
	if r.IntN(8) == 0 {
		h, w = 1+r.IntN(6), 1+r.IntN(90)
	}
	l := gradLayer{pairs: r.IntN(2) == 0}
	if l.pairs {
		l.what = "pairs; "
	}
	pad := []int{r.IntN(3), r.IntN(3), r.IntN(3), r.IntN(3)}
	if h < 3 || w < 3 {
		pad = []int{2, 2, 2, 2}
	}
	l.g = newGradConv(t, 1+r.IntN(4), c, k, h, w, groups, pad...)
	g := &l.g
	xs, ys := []int{g.N, g.C, g.In[1], g.In[2]}, []int{g.N, g.K, g.Out[1], g.Out[2]}
	draw := func(s []int) []float32 {
		f, what := texture(r, s)
		l.what += what
		if r.IntN(2) == 0 {
			g, more := texture(r, s)
			a := f
			f = func(n, c, h, w int) float64 { return a(n, c, h, w) * g(n, c, h, w) }
			l.what += " * " + more
		}
		l.what += "; "
		return field(s, f)
	}
	l.x, l.dy = draw(xs), draw(ys)
	some := func(s []float32, shape []int, f func(plane []float32)) {
		for c := range shape[1] {
			if r.IntN(12) == 0 {
				for n := range shape[0] {
					size := shape[2] * shape[3]
					f(s[(n*shape[1]+c)*size:][:size])
				}
			}
		}
	}
	switch r.IntN(10) {
	case 0:
		l.what += "a large input"
		l.x[r.IntN(len(l.x))] = float32(math.Exp(30 * r.Float64()))
	case 1:
		l.what += "a large gradient"
		l.dy[r.IntN(len(l.dy))] = float32(math.Exp(30 * r.Float64()))
	case 2:
		l.what += "scaled"
		scaleOne(l.x, 0, len(l.x), float32(math.Exp(40*r.NormFloat64())))
		scaleOne(l.dy, 0, len(l.dy), float32(math.Exp(20*r.NormFloat64())))
	case 3:
		l.what += "empty channels"
		some(l.x, xs, func(p []float32) { clear(p) })
		some(l.dy, ys, func(p []float32) { clear(p) })
	case 4:
		l.what += "channels with one value"
		some(l.x, xs, func(p []float32) { v := p[0]; clear(p); p[r.IntN(len(p))] = v })
		some(l.dy, ys, func(p []float32) { v := p[0]; clear(p); p[r.IntN(len(p))] = v })
	case 5: // inputs where there are gradients, hardly ever both
		l.what += "disjoint"
		for i := range l.x {
			h, w := i/xs[3]%xs[2], i%xs[3]
			if (h/6+w/6)%2 == 0 {
				l.x[i] *= 0x1p-12
			}
		}
		for i := range l.dy {
			h, w := i/ys[3]%ys[2], i%ys[3]
			if (h/6+w/6)%2 == 1 {
				l.dy[i] = 0
			}
		}
	}
	return l
}

// TestWinogradGradGuard holds the method under guard to the elementwise budget on
// layers whose values have all kinds of structure, and requires that a good part of
// them is not refused.
func TestWinogradGradGuard(t *testing.T) {
	for i, level := range simd.Levels() {
		t.Run(level.String(), func(t *testing.T) {
			old := simd.SetLevel(level)
			defer simd.SetLevel(old)
			r := newRand(t)
			tries := 60
			if i == len(simd.Levels())-1 {
				tries = gradGuardTries
			}
			taken, some, worst := 0, 0, 0.0
			for range tries {
				l := randomGradLayer(t, r)
				e, kept := l.check(t)
				if e > worst {
					t.Logf("%.2g: %s, %d of %d channels", e, l.what, kept, l.g.C+l.g.K)
				}
				worst = max(worst, e)
				if kept > 0 {
					taken++
				}
				if kept > 0 && kept < l.g.C+l.g.K {
					some++
				}
			}
			t.Logf("%d of %d layers by Winograd's method, %d in part, at most %.2g of the budget", taken, tries, some, worst)
			require.Greater(t, taken, tries/20)
		})
	}
}

// gradGuardTries is how many layers TestWinogradGradGuard draws at the best level.
const gradGuardTries = 300

// TestWinogradGradTaken: layers of ordinary data are computed by the method, those
// with a few channels that are nearly empty too, and nothing that Direct forbids or
// that is not finite.
func TestWinogradGradTaken(t *testing.T) {
	defer func() { winogradGradTrace = nil }()
	for _, c := range []struct {
		what     string
		n, c, hw int
		p        float64 // share of the inputs that is not zero; 1 for normal data
		few      int     // channels with few values, of 64
	}{
		{"normal", 1, 64, 56, 1, 0}, {"normal", 1, 256, 14, 1, 0}, {"uniform", 2, 256, 14, 1, 0}, {"normal", 8, 128, 7, 1, 0},
		{"after ReLU", 1, 64, 56, 0.5, 0}, {"after ReLU", 2, 64, 28, 0.5, 5}, {"after ReLU", 8, 64, 14, 0.5, 0},
		{"normal", 2, 64, 28, 1, 5},
	} {
		r := newRand(t)
		g := newGradConv(t, c.n, c.c, c.c, c.hw, c.hw, 1, 1)
		x := field([]int{c.n, c.c, c.hw, c.hw}, func(_, ch, h, w int) float64 {
			v := r.NormFloat64()
			if c.what == "uniform" {
				v = 2*r.Float64() - 1
			}
			if c.p < 1 {
				v = math.Abs(v)
				if r.Float64() > c.p {
					v = 0
				}
			}
			if ch%13 == 1 && c.few > 0 && (h != 5 || w > 6) {
				v = 0
			}
			return v
		})
		dy := field([]int{c.n, c.c, c.hw, c.hw}, func(_, _, _, _ int) float64 { return 1e-6 * r.NormFloat64() })
		dw := make([]float32, g.K*g.Terms())
		all, direct := 0, 0
		winogradGradTrace = func(channels, failed int) { all, direct = channels, failed }
		ConvGradWeight(dw, dy, x, g)
		what := fmt.Sprintf("%s, %d channels of %d", c.what, c.c, c.hw)
		t.Logf("%s: %d of %d directly", what, direct, all)
		require.Positive(t, all, what)
		require.LessOrEqual(t, direct, c.few+all/64, what)
		all = 0
		g.Direct = true
		ConvGradWeight(dw, dy, x, g)
		g.Direct = false
		x[r.IntN(len(x))] = float32(math.NaN())
		ConvGradWeight(dw, dy, x, g)
		if all > 0 { // but for the channel that has it
			require.Positive(t, direct, what)
		}
	}
}

// TestWinogradGradAdversary looks for the worst data by hill climbing: patterns of
// inputs and of gradients that repeat over the tiles, so that all sums round alike,
// changed one value at a time.
func TestWinogradGradAdversary(t *testing.T) {
	for i, n := range gradAdversaries {
		for _, f := range []*gradForm{&gradQuads, &gradPairs} {
			r := rand.New(rand.NewPCG(11, uint64(i)))
			worst, found := 0.0, ""
			for range climbs {
				size := 4 * n // of the output
				g := newGradConv(t, 1, 32, 16, size+2, size+2, 1, 0)
				kinds, m := 1+r.IntN(2), f.tile
				px, py := make([]float64, m*m*kinds), make([]float64, m*m*kinds)
				draw := func() float64 {
					return []func() float64{
						func() float64 { return float64(2*r.IntN(2) - 1) },
						func() float64 { return r.NormFloat64() },
						func() float64 { return math.Exp(2*r.NormFloat64()) * float64(2*r.IntN(2)-1) },
						func() float64 { return 1 },
					}[r.IntN(4)]()
				}
				for i := range px {
					px[i], py[i] = draw(), draw()
				}
				at := func(h, w int) int { return (h/m+w/m)%kinds*m*m + h%m*m + w%m }
				score := func() float64 {
					l := gradLayer{g: g, pairs: f == &gradPairs, what: fmt.Sprintf("%v %v", px, py)}
					l.x = field([]int{1, 32, size + 2, size + 2}, func(_, c, h, w int) float64 { return px[at(h, w)] * (1 + float64(c)/32) })
					l.dy = field([]int{1, 16, size, size}, func(_, k, h, w int) float64 { return 1.1 * py[at(h, w)] * (1 + float64(k)/19) })
					e, _ := l.check(t)
					return e
				}
				if now := climb(r, score, px, py); now > worst {
					worst, found = now, fmt.Sprintf("%.3g %.3g", px, py)
				}
			}
			t.Logf("%d outputs in tiles of %d: %.2g of the budget, %s", 16*n*n, f.tile, worst, found)
		}
	}
}

// gradAdversaries are the large tiles in a row and in a column of what
// TestWinogradGradAdversary tries, and climbs how often.
var gradAdversaries = []int{2, 3, 4, 6}

const climbs = 3
