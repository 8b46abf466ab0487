package fast

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// absAll returns the magnitudes, for the budget's scaled term.
func absAll(x []float64) []float64 {
	if x == nil {
		return nil
	}
	a := make([]float64, len(x))
	for i, v := range x {
		a[i] = math.Abs(v)
	}
	return a
}

// within fails where a result is outside of the budget.
func within(t *testing.T, what string, b spec.Budget, got []float32, want, mag []float64) {
	t.Helper()
	for i, v := range got {
		if !b.Allows(v, want[i], mag[i]) {
			require.Fail(t, "outside of the budget", "%s: y[%d] is %v, not %v: %.3g of the budget", what, i, v, want[i], b.Err(v, want[i], mag[i]))
		}
	}
}

// testConv checks one convolution on random data. It returns the largest error
// in units of the budget.
func testConv(t *testing.T, x, w []int, bias bool, p spec.ConvParams) {
	t.Helper()
	var b []int
	if bias {
		b = w[:1]
	}
	g, err := spec.NewConv(x, w, b, p)
	require.NoError(t, err)
	r := newRand(t)
	xs, ws := random(r, spec.Count(x)), random(r, spec.Count(w))
	var bs []float32
	if bias {
		bs = random(r, w[0])
	}
	what := fmt.Sprintf("x %v w %v bias %v %+v", x, w, bias, p)
	got := repeatable(t, what, func() []float32 {
		y := newGuarded(spec.Count(g.OutShape()))
		for i := range y.s {
			y.s[i] = float32(math.NaN())
		}
		Conv(y.s, xs, ws, bs, g)
		y.check(t, what)
		return y.s
	})
	want, mag := make([]float64, len(got)), make([]float64, len(got))
	xd, wd, bd := widen(xs), widen(ws), []float64(nil)
	if bias {
		bd = widen(bs)
	}
	cpuref.Conv(want, xd, wd, bd, g)
	plain := g
	plain.Act = spec.Activation{}
	cpuref.Conv(mag, absAll(xd), absAll(wd), absAll(bd), plain)
	within(t, what, g.Budget(), got, want, mag)
}

func TestConv(t *testing.T) {
	relu := spec.Activation{Func: spec.ReLU}
	onEach(t, func(t *testing.T) {
		for _, c := range []struct {
			x, w []int
			bias bool
			p    spec.ConvParams
		}{
			{[]int{1, 1, 1}, []int{1, 1, 1}, true, spec.ConvParams{}},
			{[]int{2, 3, 50}, []int{5, 3, 9}, true, spec.ConvParams{Padding: []int{4}}},
			{[]int{1, 8, 700}, []int{17, 8, 9}, false, spec.ConvParams{Padding: []int{4}, Act: relu}},
			{[]int{2, 4, 33}, []int{6, 2, 4}, true, spec.ConvParams{Stride: []int{3}, Dilation: []int{2}, Padding: []int{1, 5}, Groups: 2}},
			{[]int{1, 3, 37, 41}, []int{20, 3, 7, 7}, true, spec.ConvParams{Stride: []int{2}, Padding: []int{3}}},
			{[]int{1, 3, 40, 230}, []int{20, 3, 7, 7}, false, spec.ConvParams{Stride: []int{2}, Padding: []int{3}, Act: spec.Activation{Func: spec.Sigmoid}}},
			{[]int{2, 16, 14, 14}, []int{18, 16, 3, 3}, true, spec.ConvParams{Padding: []int{1}}},
			{[]int{1, 40, 9, 7}, []int{33, 40, 3, 3}, true, spec.ConvParams{Padding: []int{1}, Act: relu}},
			{[]int{1, 40, 9, 7}, []int{33, 40, 3, 3}, true, spec.ConvParams{Padding: []int{1}, Stride: []int{2}, Act: spec.Activation{Func: spec.Tanh}}},
			{[]int{1, 4, 11, 12}, []int{5, 4, 3, 5}, false, spec.ConvParams{Padding: []int{2, 3, 1, 0}, Dilation: []int{2, 1}, Stride: []int{1, 3}}},
			{[]int{2, 6, 10, 10}, []int{9, 2, 3, 3}, true, spec.ConvParams{Groups: 3, Padding: []int{1}, PadMode: spec.PadReflect}},
			{[]int{2, 6, 10, 10}, []int{9, 2, 3, 3}, true, spec.ConvParams{Groups: 3, Padding: []int{2}, Stride: []int{2}, PadMode: spec.PadReplicate}},
			{[]int{2, 6, 10, 10}, []int{4, 6, 3, 3}, true, spec.ConvParams{Padding: []int{10, 4}, Dilation: []int{3}, PadMode: spec.PadCircular}},
			{[]int{1, 5, 6, 6}, []int{7, 5, 1, 1}, true, spec.ConvParams{}},
			{[]int{3, 16, 6, 6}, []int{70, 8, 1, 1}, true, spec.ConvParams{Groups: 2, Act: relu}},
			{[]int{1, 5, 7, 9}, []int{7, 5, 1, 1}, true, spec.ConvParams{Stride: []int{2}}},
			{[]int{2, 20, 13, 40}, []int{30, 10, 1, 1}, true, spec.ConvParams{Stride: []int{3, 2}, Groups: 2, Act: relu}},
			{[]int{2, 5, 5, 4, 19}, []int{7, 5, 1, 1, 1}, true, spec.ConvParams{Stride: []int{2, 1, 3}}},
			{[]int{1, 5, 7, 9}, []int{7, 5, 1, 1}, true, spec.ConvParams{Padding: []int{2}}},
			{[]int{1, 4, 5, 9, 8}, []int{6, 4, 3, 3, 3}, true, spec.ConvParams{Padding: []int{1}}},
			{[]int{2, 4, 6, 9, 33}, []int{6, 2, 3, 2, 3}, true, spec.ConvParams{Padding: []int{1, 0, 2}, Stride: []int{2, 1, 2}, Groups: 2, Act: relu}},
			{[]int{1, 2, 12, 13, 14}, []int{3, 2, 2, 3, 3}, false, spec.ConvParams{Padding: []int{1}, Dilation: []int{3, 2, 1}, PadMode: spec.PadReflect}},
			{[]int{1, 70, 5, 5}, []int{360, 70, 3, 3}, true, spec.ConvParams{Stride: []int{2}}},
			{[]int{1, 96, 9, 10}, []int{202, 96, 3, 3}, true, spec.ConvParams{Padding: []int{1}, Stride: []int{2}, Act: relu}}, // tasks share the input's copy
			{[]int{1, 3, 2, 2}, []int{4, 3, 2, 2}, true, spec.ConvParams{Padding: []int{5}, Stride: []int{3}}},
			{[]int{1, 6, 20, 20}, []int{6, 1, 3, 3}, true, spec.ConvParams{Groups: 6, Padding: []int{1}}},
			{[]int{2, 6, 20, 21}, []int{6, 1, 5, 5}, false, spec.ConvParams{Groups: 6, Padding: []int{2}, Stride: []int{2}, Act: relu}},
			{[]int{2, 3, 20, 70}, []int{6, 1, 3, 3}, true, spec.ConvParams{Groups: 3, Padding: []int{1}, Act: spec.Activation{Func: spec.SiLU}}},
			{[]int{1, 6, 150}, []int{6, 1, 31}, true, spec.ConvParams{Groups: 6, Padding: []int{15}, PadMode: spec.PadCircular}},
			{[]int{1, 4, 6, 7, 8}, []int{4, 1, 3, 3, 3}, true, spec.ConvParams{Groups: 4, Padding: []int{1}, Stride: []int{1, 2, 1}}},
			{[]int{1, 4, 10, 10}, []int{4, 1, 3, 3}, true, spec.ConvParams{Groups: 4, Dilation: []int{3}, Stride: []int{2}, Padding: []int{3}}},
			// Winograd: many blocks of tiles, several strips and groups, ragged edges.
			{[]int{2, 13, 30, 33}, []int{37, 13, 3, 3}, true, spec.ConvParams{Padding: []int{1}, Act: relu}},
			{[]int{1, 40, 61, 50}, []int{16, 40, 3, 3}, true, spec.ConvParams{Padding: []int{0, 2, 1, 3}}},
			{[]int{3, 48, 9, 9}, []int{70, 24, 3, 3}, false, spec.ConvParams{Padding: []int{1}, Groups: 2, Act: spec.Activation{Func: spec.GELU}}},
			{[]int{1, 300, 12, 9}, []int{33, 300, 3, 3}, true, spec.ConvParams{Padding: []int{1}}},
			{[]int{1, 2, 100, 100}, []int{2, 1, 3, 3}, true, spec.ConvParams{Groups: 2, Padding: []int{1}}},
		} {
			testConv(t, c.x, c.w, c.bias, c.p)
		}
	})
}

// TestConvRandom tries random geometries.
func TestConvRandom(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for tried := 0; tried < 150; {
			rank := 1 + r.IntN(3)
			groups := 1 + r.IntN(3)
			cg, kg := 1+r.IntN(5), 1+r.IntN(5)
			x, w := []int{1 + r.IntN(2), groups * cg}, []int{groups * kg, cg}
			p := spec.ConvParams{Groups: groups, PadMode: spec.PadMode(r.IntN(4))}
			for range rank {
				x, w = append(x, 1+r.IntN(60/(rank*rank))), append(w, 1+r.IntN(4))
				p.Stride, p.Dilation = append(p.Stride, 1+r.IntN(3)), append(p.Dilation, 1+r.IntN(3))
			}
			for range 2 * rank {
				p.Padding = append(p.Padding, r.IntN(4))
			}
			var b []int
			if r.IntN(2) == 0 {
				b = w[:1]
			}
			if _, err := spec.NewConv(x, w, b, p); err != nil {
				continue
			}
			testConv(t, x, w, b != nil, p)
			tried++
		}
	})
}

// TestConvNaN: a zero weight does not hide NaN or infinity, and what does not
// see them stays finite.
func TestConvNaN(t *testing.T) {
	onEach(t, func(t *testing.T) {
		for _, c := range []int{1, 32} {
			for _, k := range []int{1, 3} {
				g, err := spec.NewConv([]int{1, c, 12, 12}, []int{32, c, k, k}, nil, spec.ConvParams{Padding: []int{k / 2}})
				require.NoError(t, err)
				for _, bad := range []float64{math.NaN(), math.Inf(1)} {
					x, w, y := make([]float32, c*144), make([]float32, 32*c*k*k), make([]float32, 32*144)
					x[5*12+6] = float32(bad)
					Conv(y, x, w, nil, g)
					for i, v := range y {
						h, ww := i/12%12, i%12
						sees := h >= 5-k/2 && h <= 5+k/2 && ww >= 6-k/2 && ww <= 6+k/2
						require.Equal(t, sees, v != v, "c %d k %d: y[%d]", c, k, i)
					}
				}
			}
		}
	})
}

// convBench are the convolutions of the benchmarks, by their names there.
var convBench = []struct {
	name string
	x, w []int
	p    spec.ConvParams
}{
	{"conv3x3_64x56x56", []int{1, 64, 56, 56}, []int{64, 64, 3, 3}, spec.ConvParams{Padding: []int{1}}},
	{"conv3x3_256x14x14", []int{1, 256, 14, 14}, []int{256, 256, 3, 3}, spec.ConvParams{Padding: []int{1}}},
	{"conv3x3_512x7x7", []int{1, 512, 7, 7}, []int{512, 512, 3, 3}, spec.ConvParams{Padding: []int{1}}},
	{"conv3x3s2_128x56", []int{1, 128, 56, 56}, []int{128, 128, 3, 3}, spec.ConvParams{Padding: []int{1}, Stride: []int{2}}},
	{"conv3x3s2_512x14", []int{1, 512, 14, 14}, []int{512, 512, 3, 3}, spec.ConvParams{Padding: []int{1}, Stride: []int{2}}},
	{"conv1x1_256to64x56", []int{1, 256, 56, 56}, []int{64, 256, 1, 1}, spec.ConvParams{}},
	{"conv1x1s2_256to512x56", []int{1, 256, 56, 56}, []int{512, 256, 1, 1}, spec.ConvParams{Stride: []int{2}}},
	{"conv7x7s2_3to64x224", []int{1, 3, 224, 224}, []int{64, 3, 7, 7}, spec.ConvParams{Padding: []int{3}, Stride: []int{2}}},
	{"dwconv3x3_128x56", []int{1, 128, 56, 56}, []int{128, 1, 3, 3}, spec.ConvParams{Padding: []int{1}, Groups: 128}},
	{"dwconv3x3s2_128x56", []int{1, 128, 56, 56}, []int{128, 1, 3, 3}, spec.ConvParams{Padding: []int{1}, Groups: 128, Stride: []int{2}}},
	{"conv1d_k9_8x64x4096", []int{8, 64, 4096}, []int{64, 64, 9}, spec.ConvParams{Padding: []int{4}}},
	{"conv3d_32x16x32x32", []int{1, 32, 16, 32, 32}, []int{32, 32, 3, 3, 3}, spec.ConvParams{Padding: []int{1}}},
	{"conv3x3_3to64x224", []int{1, 3, 224, 224}, []int{64, 3, 3, 3}, spec.ConvParams{Padding: []int{1}}},
}

func BenchmarkConv(b *testing.B) {
	for _, c := range convBench {
		b.Run(c.name, func(b *testing.B) {
			onThreads(b, func(b *testing.B) {
				g, err := spec.NewConv(c.x, c.w, nil, c.p)
				require.NoError(b, err)
				r := rand.New(rand.NewPCG(1, 2))
				x, w, y := random(r, spec.Count(c.x)), random(r, spec.Count(c.w)), make([]float32, spec.Count(g.OutShape()))
				direct := g
				direct.Direct = true
				b.Run("forward", func(b *testing.B) { timed(b, g.Flops(), "GF/s", func() { Conv(y, x, w, nil, g) }) })
				b.Run("direct", func(b *testing.B) { timed(b, g.Flops(), "GF/s", func() { Conv(y, x, w, nil, direct) }) })
				b.Run("weight", func(b *testing.B) { timed(b, g.Flops(), "GF/s", func() { ConvGradWeight(w, y, x, g) }) })
			})
		})
	}
}
