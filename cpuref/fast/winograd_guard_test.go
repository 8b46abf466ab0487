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

// A layer is a 3x3 convolution whose data have some structure.
type layer struct {
	g       spec.Conv
	x, w, b []float32
	what    string
}

// field fills a tensor from a function of its four indices.
func field(s []int, f func(n, c, h, w int) float64) []float32 {
	out := make([]float32, 0, spec.Count(s))
	for i := range spec.Count(s) {
		out = append(out, float32(f(i/(s[1]*s[2]*s[3]), i/(s[2]*s[3])%s[1], i/s[3]%s[2], i%s[3])))
	}
	return out
}

// texture returns a random function of (n, c, h, w): each call another of the
// structures that data may have.
func texture(r *rand.Rand, s []int) (func(n, c, h, w int) float64, string) {
	seed := r.Uint64()
	at := func(v ...int) *rand.Rand { // the same numbers for the same place
		k := seed
		for _, i := range v {
			k = k*6364136223846793005 + uint64(i)*1442695040888963407 + 1
		}
		return rand.New(rand.NewPCG(k, seed))
	}
	normal := func(v ...int) float64 { return at(v...).NormFloat64() }
	share := []float64{0.9, 0.5, 0.2, 0.1, 0.02}[r.IntN(5)]
	width := []float64{0.5, 2, 5, 15}[r.IntN(4)]
	axis := r.IntN(4)
	pick := func(n, c, h, w int) int { return [4]int{n, c, h, w}[axis] }
	period, phase := 1+r.IntN(4), r.IntN(4)
	switch kind := r.IntN(20); kind {
	case 0, 1:
		return func(n, c, h, w int) float64 { return normal(n, c, h, w) }, "normal"
	case 2, 3:
		return func(n, c, h, w int) float64 { return math.Max(0, normal(n, c, h, w)) }, "relu"
	case 4:
		return func(n, c, h, w int) float64 {
			if at(n, c, h, w, 1).Float64() > share {
				return 0
			}
			return normal(n, c, h, w)
		}, fmt.Sprintf("sparse %v", share)
	case 5:
		return func(n, c, h, w int) float64 { return 1 }, "constant"
	case 6:
		return func(n, c, h, w int) float64 { return 1 - 2*float64((h/period+w/period+phase*c)%2) }, "checkerboard"
	case 7:
		return func(n, c, h, w int) float64 { return math.Exp(width * normal(n, c, h, w)) }, fmt.Sprintf("wide %v", width)
	case 8:
		return func(n, c, h, w int) float64 { return math.Exp(width*normal(pick(n, c, h, w))) * normal(n, c, h, w) },
			fmt.Sprintf("scales %v of axis %d", width, axis)
	case 9:
		return func(n, c, h, w int) float64 { return math.Exp(width * normal(h/4, w/4)) }, fmt.Sprintf("patches %v", width)
	case 10:
		return func(n, c, h, w int) float64 {
			if (pick(n, c, h, w)/period+phase)%2 == 0 {
				return 0
			}
			return normal(n, c, h, w)
		}, fmt.Sprintf("bands of axis %d", axis)
	case 11:
		return func(n, c, h, w int) float64 {
			if at(h, w).IntN(40) == 0 {
				return math.Exp(width)
			}
			return normal(n, c, h, w)
		}, fmt.Sprintf("spikes e^%v", width)
	case 12:
		return func(n, c, h, w int) float64 {
			return math.Sin(float64(h)*0.3+normal(c)) + math.Cos(float64(w)*0.2+normal(c, 1)) + 0.01*normal(n, c, h, w)
		}, "smooth"
	case 13:
		return func(n, c, h, w int) float64 { return normal(c) * normal(h, w) }, "rank one"
	case 14:
		return func(n, c, h, w int) float64 { return 1 + 0x1p-20*normal(n, c, h, w) }, "nearly constant"
	}
	if r.IntN(2) == 0 { // a few patterns of two magnitudes, each in many channels
		kinds, low := 1+r.IntN(4), []float64{0, 0.003, 0.03, 0.2, 0.5}[r.IntN(5)]
		return func(n, c, h, w int) float64 {
			v := normal(c%kinds, h%6, w%6)
			if at(c%kinds, h%6, w%6, 1).Float64() < share {
				return math.Copysign(low, v)
			}
			return math.Copysign(1.1, v)
		}, fmt.Sprintf("%d patterns %v %v", kinds, low, share)
	}
	return func(n, c, h, w int) float64 { // the same pattern of signs in each channel
		return math.Copysign(1+0.3*at(c).Float64(), normal(h%6, w%6))
	}, "signs"
}

// randomLayer draws a layer: products of textures, sometimes with one value
// apart, sometimes with weights and inputs that avoid or balance each other.
func randomLayer(r *rand.Rand) layer {
	c, k := []int{12, 16, 24, 33, 64, 100}[r.IntN(6)], []int{12, 16, 20, 37}[r.IntN(4)]
	xs := []int{1 + r.IntN(2), c, 3 + r.IntN(14), 3 + r.IntN(14)}
	ws := []int{k, c, 3, 3}
	var l layer
	var err error
	p := spec.ConvParams{Padding: []int{r.IntN(3), r.IntN(3), r.IntN(3), r.IntN(3)}}
	if r.IntN(4) == 0 {
		p.Act = spec.Activation{Func: spec.ReLU}
	}
	if r.IntN(4) == 0 {
		l.b = random(r, k)
	}
	if r.IntN(4) == 0 {
		p.Groups = 2
		xs[1] *= 2
		ws[0] *= 2
	}
	var bs []int
	if l.b != nil {
		l.b = random(r, ws[0])
		bs = ws[:1]
	}
	l.g, err = spec.NewConv(xs, ws, bs, p)
	if err != nil {
		panic(err)
	}
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
	l.x, l.w = draw(xs), draw(ws)
	plane, taps := xs[2]*xs[3], 9
	switch r.IntN(8) {
	case 0: // channels of large inputs meet small weights
		l.what += "balanced"
		for c := range ws[1] {
			f := float32(math.Exp([]float64{1, 4, 10}[r.IntN(3)] * r.NormFloat64()))
			scaleChannel(l.x, xs, c, plane, f)
			scaleChannel(l.w, ws, c, taps, 1/f)
		}
	case 1: // channels have inputs or weights, hardly ever both
		l.what += "disjoint"
		for c := range ws[1] {
			a, b := float32(1), float32(0)
			if r.IntN(2) == 0 {
				a, b = b, a
			}
			for k := range ws[0] {
				if r.IntN(4) != 0 {
					scaleOne(l.w, (k*ws[1]+c)*taps, taps, b)
				}
			}
			for n := range xs[0] {
				scaleOne(l.x, (n*xs[1]+c)*plane, plane, a+b*0x1p-12)
			}
		}
	case 2:
		l.what += "a large input"
		l.x[r.IntN(len(l.x))] = float32(math.Exp(30 * r.Float64()))
	case 3:
		l.what += "a large weight"
		l.w[r.IntN(len(l.w))] = float32(math.Exp(30 * r.Float64()))
	case 4: // scales of the whole
		l.what += "scaled"
		scaleOne(l.x, 0, len(l.x), float32(math.Exp(40*r.NormFloat64())))
		scaleOne(l.w, 0, len(l.w), float32(math.Exp(20*r.NormFloat64())))
	}
	return l
}

func scaleOne(s []float32, at, n int, f float32) {
	for i := range s[at:][:n] {
		s[at+i] *= f
	}
}

func scaleChannel(s []float32, shape []int, c, size int, f float32) {
	for n := range shape[0] {
		scaleOne(s, (n*shape[1]+c)*size, size, f)
	}
}

// check computes the layer by Winograd's method under guard and holds it to the
// budget. It returns the largest error in units of it, and how many tiles kept
// Winograd's results.
func (l *layer) check(t *testing.T) (worst float64, kept int) {
	t.Helper()
	g := &l.g
	forcedConv = convWinograd
	winogradTrace = func(tiles, repaired int) { kept = tiles - repaired }
	defer func() { forcedConv, winogradTrace = convAuto, nil }()
	y := make([]float32, spec.Count(g.OutShape()))
	Conv(y, l.x, l.w, l.b, *g)
	if kept == 0 {
		return 0, 0
	}
	plain := *g
	plain.Act = spec.Activation{}
	want, mag := make([]float64, len(y)), make([]float64, len(y))
	cpuref.Conv(want, widen(l.x), widen(l.w), widenBias(l.b), *g)
	cpuref.Conv(mag, absAll(widen(l.x)), absAll(widen(l.w)), absAll(widenBias(l.b)), plain)
	budget := g.Budget()
	for i := range y {
		worst = max(worst, budget.Err(y[i], want[i], mag[i]))
	}
	require.LessOrEqual(t, worst, 1.0, "%s; %+v", l.what, *g)
	return worst, kept
}

func widenBias(b []float32) []float64 {
	if b == nil {
		return nil
	}
	return widen(b)
}

// TestWinogradGuard holds Winograd's method under guard to the elementwise budget
// on layers whose values have all kinds of structure, and requires that a good
// part of them is not refused.
func TestWinogradGuard(t *testing.T) {
	for i, level := range simd.Levels() {
		t.Run(level.String(), func(t *testing.T) {
			old := simd.SetLevel(level)
			defer simd.SetLevel(old)
			r := newRand(t)
			tries := 300
			if i == len(simd.Levels())-1 {
				tries = guardTries
			}
			taken, worst := 0, 0.0
			for range tries {
				l := randomLayer(r)
				e, kept := l.check(t)
				worst = max(worst, e)
				if kept > 0 {
					taken++
				}
			}
			t.Logf("%d of %d layers by Winograd's method, at most %.2g of the budget", taken, tries, worst)
			require.Greater(t, taken, tries/20)
		})
	}
}

// guardTries is how many layers TestWinogradGuard draws at the best level.
const guardTries = 1500

// TestWinogradGuardRepeats: what the guard does, and so every bit, does not depend
// on the number of threads.
func TestWinogradGuardRepeats(t *testing.T) {
	r := newRand(t)
	forcedConv = convWinograd
	defer func() { forcedConv = convAuto }()
	for range 60 {
		l := randomLayer(r)
		repeatable(t, l.what, func() []float32 {
			y := make([]float32, spec.Count(l.g.OutShape()))
			Conv(y, l.x, l.w, l.b, l.g)
			return y
		})
	}
}

// TestWinogradTaken: layers of ordinary data are computed by Winograd's method,
// with few tiles computed directly, and nothing that Direct forbids.
func TestWinogradTaken(t *testing.T) {
	defer func() { winogradTrace = nil }()
	for _, c := range []struct {
		what  string
		c, hw int
		p     float64 // share that is not zero; 1 for normal data
	}{
		{"normal", 48, 28, 1}, {"normal", 64, 56, 1}, {"normal", 256, 14, 1},
		{"after ReLU", 64, 56, 0.5}, {"after ReLU", 128, 28, 0.5}, {"after ReLU", 256, 14, 0.5}, {"sparse", 512, 14, 0.3}, // at 0.25 it depends on the draw
	} {
		r := newRand(t)
		xs, ws := []int{1, c.c, c.hw, c.hw}, []int{c.c, c.c, 3, 3}
		g, err := spec.NewConv(xs, ws, nil, spec.ConvParams{Padding: []int{1}})
		require.NoError(t, err)
		x := field(xs, func(_, _, _, _ int) float64 {
			v := r.NormFloat64()
			if c.p < 1 {
				v = math.Abs(v)
				if r.Float64() > c.p {
					v = 0
				}
			}
			return v
		})
		w := field(ws, func(_, _, _, _ int) float64 { return 0.05 * r.NormFloat64() })
		all, again := 0, 0
		winogradTrace = func(tiles, repaired int) { all, again = tiles, repaired }
		y := make([]float32, spec.Count(g.OutShape()))
		Conv(y, x, w, nil, g)
		t.Logf("%s, %d channels: %d of %d tiles once more", c.what, c.c, again, all)
		require.Positive(t, all, "%s, %d channels", c.what, c.c)
		most := all / 8
		if c.c == 64 && c.p < 1 { // few channels for such data: as many as pay
			most = all / 4
		}
		require.LessOrEqual(t, again, most, "%s, %d channels", c.what, c.c)
		all = 0
		g.Direct = true
		Conv(y, x, w, nil, g)
		require.Zero(t, all)
	}
}

// TestWinogradAdversary looks for the worst tile by hill climbing: patterns of
// inputs and of weights that repeat over the channels, so that all sums round
// alike, changed one value at a time.
func TestWinogradAdversary(t *testing.T) {
	for _, c := range []int{12, 33, 64} {
		r := rand.New(rand.NewPCG(7, uint64(c)))
		worst := 0.0
		for range 4 {
			xs, ws := []int{1, c, 6, 6}, []int{32, c, 3, 3}
			g, err := spec.NewConv(xs, ws, nil, spec.ConvParams{})
			require.NoError(t, err)
			kinds := 1 + r.IntN(2)
			px, pw := make([]float64, 36*kinds), make([]float64, 9*kinds)
			for i := range px {
				px[i] = float64(2*r.IntN(2) - 1)
			}
			for i := range pw {
				pw[i] = float64(2*r.IntN(2) - 1)
			}
			score := func() float64 {
				l := layer{g: g, what: fmt.Sprintf("%v %v", px, pw)}
				l.x = field(xs, func(_, c, h, w int) float64 { return 1.1 * px[c%kinds*36+h*6+w] })
				l.w = field(ws, func(k, c, h, w int) float64 { return pw[c%kinds*9+h*3+w] * (1 + float64(k)/32) })
				e, _ := l.check(t)
				return e
			}
			worst = max(worst, climb(r, score, px, px, px, pw))
		}
		t.Logf("%d channels: %.2g of the budget", c, worst)
	}
}

const climbSteps = 100

// climb changes one value after another of patterns, each in turn by chance, and
// keeps what does not lower the score, the last of which it returns.
func climb(r *rand.Rand, score func() float64, patterns ...[]float64) float64 {
	now := score()
	for range climbSteps {
		p := patterns[r.IntN(len(patterns))]
		i := r.IntN(len(p))
		old := p[i]
		switch r.IntN(3) {
		case 0:
			p[i] = -old
		case 1:
			p[i] *= []float64{0, 0.1, 0.5, 0.8, 1.25, 2}[r.IntN(6)]
		default:
			p[i] = math.Copysign([]float64{0, 0.05, 0.3, 1}[r.IntN(4)], old)
		}
		if s := score(); s >= now {
			now = s
		} else {
			p[i] = old
		}
	}
	return now
}
