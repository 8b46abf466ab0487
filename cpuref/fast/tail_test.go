package fast

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// tailsOf returns chains for n elements in planes of that size, and their inputs
// but for the first.
func tailsOf(r *rand.Rand, n, plane, channels int) (all []spec.Fused, in [][]float32) {
	whole := spec.FusedInput{Inner: 1, Size: n}
	each := spec.FusedInput{Inner: plane, Size: channels}
	in = [][]float32{nil, random(r, channels), random(r, channels), random(r, channels), random(r, channels), random(r, n), random(r, channels)}
	for i := range in[2] {
		in[2][i] = float32(math.Abs(float64(in[2][i])))
	}
	norm := spec.FusedStep{Norm: &spec.FusedNorm{FusedInput: each, Eps: 1e-5, Mean: 1, Variance: 2, Scale: 3, Shift: 4}, Other: -1}
	bare := spec.FusedStep{Norm: &spec.FusedNorm{FusedInput: each, Eps: 1e-5, Mean: 1, Variance: 2, Scale: -1, Shift: -1}, Other: -1}
	act := func(f spec.Pointwise) spec.FusedStep { return spec.FusedStep{Act: f.Default(), Other: -1} }
	add, second := spec.FusedStep{Func: spec.Add, Other: 5}, spec.FusedStep{Func: spec.Add, Other: 5, Second: true}
	slope := spec.FusedStep{Func: spec.PReLU, Other: 6}
	for _, steps := range [][]spec.FusedStep{
		{act(spec.ReLU)}, {act(spec.GELU)}, {add, act(spec.ReLU)}, {second, act(spec.ReLU6)}, {slope}, {act(spec.ReLU), add, slope},
		{norm}, {norm, act(spec.ReLU)}, {bare, add, act(spec.ReLU)}, {norm, act(spec.SiLU), add}, {act(spec.HardTanh), norm, add, act(spec.Tanh)},
	} {
		if norm := steps[0].Norm != nil || len(steps) > 1 && steps[1].Norm != nil; norm && plane < 2 {
			continue
		}
		all = append(all, spec.Fused{N: n, Inputs: []spec.FusedInput{whole, each, each, each, each, whole, each}, Steps: steps})
	}
	return all, in
}

// sameBits compares a function with its tail to the function and the chain.
func sameBits(t *testing.T, what string, n, plane, channels int, plain func(y []float32), tailed func(y []float32, tail *Tail)) {
	t.Helper()
	r := newRand(t)
	x := make([]float32, n)
	plain(x)
	chains, in := tailsOf(r, n, plane, channels)
	for _, f := range chains {
		want := make([]float32, n)
		in[0] = x
		Fused(want, in, &f)
		in[0] = nil
		what := fmt.Sprintf("%s, then %v", what, &f)
		got := repeatable(t, what, func() []float32 {
			y := newGuarded(n)
			tailed(y.s, NewTail(y.s, in, &f))
			y.check(t, what)
			return y.s
		})
		for i := range want {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) && (got[i] == got[i] || want[i] == want[i]) {
				require.Fail(t, "other bits", "%s: element %d is %v, not %v", what, i, got[i], want[i])
			}
		}
	}
}

// TestTailConv has every method of convolution end with a chain. Some weights and
// inputs are zeros and infinities.
func TestTailConv(t *testing.T) {
	onEach(t, func(t *testing.T) {
		for _, c := range []struct {
			x, w []int
			p    spec.ConvParams
		}{
			{[]int{2, 40, 9, 13}, []int{50, 40, 1, 1}, spec.ConvParams{}},
			{[]int{1, 8, 7, 7}, []int{400, 8, 1, 1}, spec.ConvParams{}},
			{[]int{2, 8, 6, 10}, []int{12, 4, 1, 1}, spec.ConvParams{Groups: 2}},
			{[]int{1, 3, 1, 1}, []int{5, 3, 1, 1}, spec.ConvParams{}},
			{[]int{1, 48, 30, 23}, []int{40, 48, 3, 3}, spec.ConvParams{Padding: []int{1}}},
			{[]int{3, 64, 8, 8}, []int{64, 64, 3, 3}, spec.ConvParams{Padding: []int{1}}},
			{[]int{2, 5, 21, 70}, []int{9, 5, 3, 5}, spec.ConvParams{Padding: []int{1, 2}}},
			{[]int{1, 3, 40, 44}, []int{16, 3, 7, 7}, spec.ConvParams{Padding: []int{3}, Stride: []int{2}}},
			{[]int{2, 6, 5, 6, 7}, []int{7, 6, 3, 3, 3}, spec.ConvParams{Padding: []int{1}}},
			{[]int{2, 4, 300}, []int{6, 4, 9}, spec.ConvParams{Dilation: []int{2}}},
			{[]int{2, 12, 20, 17}, []int{12, 1, 3, 3}, spec.ConvParams{Padding: []int{1}, Groups: 12}},
			{[]int{2, 6, 19, 40}, []int{12, 1, 5, 5}, spec.ConvParams{Padding: []int{2}, Groups: 6, Stride: []int{2}}},
		} {
			g, err := spec.NewConv(c.x, c.w, c.w[:1], c.p)
			require.NoError(t, err)
			for _, strange := range []bool{false, true} {
				r := newRand(t)
				x, w, b := random(r, spec.Count(c.x)), random(r, spec.Count(c.w)), random(r, c.w[0])
				if strange {
					for i := range len(x) / 50 {
						x[r.IntN(len(x))] = []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.NaN()), 1e-41}[i%5]
					}
					for i := range w {
						if r.IntN(3) == 0 {
							w[i] = 0
						}
					}
					b[0], w[0] = float32(math.Copysign(0, -1)), float32(math.Copysign(0, -1))
				}
				for _, own := range []spec.Activation{{}, {Func: spec.ReLU}, spec.Tanh.Default()} {
					g.Act = own
					sameBits(t, fmt.Sprintf("x %v w %v %+v", c.x, c.w, c.p), spec.Count(g.OutShape()), g.OutSize(), g.K,
						func(y []float32) { Conv(y, x, w, b, g) },
						func(y []float32, tail *Tail) { ConvTail(y, x, w, b, g, tail) })
				}
			}
		}
	})
}

// TestTailMatMul has every method of matrix product end with a chain.
func TestTailMatMul(t *testing.T) {
	half := float32(0.5)
	onEach(t, func(t *testing.T) {
		for _, c := range []struct {
			a, b, bias []int
			p          spec.GemmParams
		}{
			{[]int{70, 40}, []int{40, 90}, []int{90}, spec.GemmParams{}},
			{[]int{400, 300}, []int{300, 50}, []int{400, 1}, spec.GemmParams{}},
			{[]int{400, 33}, []int{33, 50}, []int{400, 50}, spec.GemmParams{}},
			{[]int{3, 100}, []int{100, 600}, []int{600}, spec.GemmParams{}},
			{[]int{3, 100}, []int{90, 100}, []int{90}, spec.GemmParams{TransB: true}},
			{[]int{100, 40}, []int{40, 3}, []int{3}, spec.GemmParams{}},
			{[]int{40, 100}, []int{40, 3}, []int{100, 3}, spec.GemmParams{TransA: true}},
			{[]int{20, 30}, []int{30, 40}, []int{40}, spec.GemmParams{Alpha: &half, Beta: &half}},
			{[]int{1, 1}, []int{1, 1}, nil, spec.GemmParams{}},
		} {
			g, err := spec.NewGemm(c.a, c.b, c.bias, c.p)
			require.NoError(t, err)
			r := newRand(t)
			a, b := random(r, spec.Count(c.a)), random(r, spec.Count(c.b))
			var bias []float32
			if c.bias != nil {
				bias = random(r, spec.Count(c.bias))
			}
			for _, own := range []spec.Activation{{}, {Func: spec.ReLU}, spec.Tanh.Default()} {
				g.Act = own
				sameBits(t, fmt.Sprintf("a %v b %v c %v", c.a, c.b, c.bias), g.M*g.N, g.N, g.M,
					func(y []float32) { MatMul(y, a, b, bias, g) },
					func(y []float32, tail *Tail) { MatMulTail(y, a, b, bias, g, tail) })
			}
		}
		g, err := spec.NewMatMul([]int{3, 2, 5, 8}, []int{2, 8, 40}, spec.MatMulParams{})
		require.NoError(t, err)
		r := newRand(t)
		a, b := random(r, 3*2*5*8), random(r, 2*8*40)
		sameBits(t, "batches", 3*2*5*40, 40, 5, func(y []float32) { MatMul(y, a, b, nil, g) },
			func(y []float32, tail *Tail) { MatMulTail(y, a, b, nil, g, tail) })
	})
}
