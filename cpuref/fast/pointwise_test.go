package fast

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// pointwiseCases are all functions with their defaults and some parameters
// that are not.
func pointwiseCases() []spec.Activation {
	var cases []spec.Activation
	for _, f := range spec.Pointwises() {
		cases = append(cases, f.Default())
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	return append(cases,
		spec.Activation{Func: spec.LeakyReLU, A: -3}, spec.Activation{Func: spec.ELU, A: 0.3},
		spec.Activation{Func: spec.CELU, A: 2.5}, spec.Activation{Func: spec.CELU, A: 1e38}, spec.Activation{Func: spec.CELU, A: 1e-38},
		spec.Activation{Func: spec.Swish, A: 1.702}, spec.Activation{Func: spec.Swish, A: -0.3}, spec.Activation{Func: spec.Swish},
		spec.Activation{Func: spec.Swish, A: 1e-37}, spec.Activation{Func: spec.Swish, A: 1e30},
		spec.Activation{Func: spec.Softplus, A: 2, B: 5}, spec.Activation{Func: spec.Softplus, A: -0.7, B: inf}, spec.Activation{Func: spec.Softplus, A: 1, B: inf},
		spec.Activation{Func: spec.Softplus, A: 1e-36, B: 20}, spec.Activation{Func: spec.Softplus, A: 3e3, B: inf},
		spec.Activation{Func: spec.HardSigmoid, A: 0.2, B: 0.5}, spec.Activation{Func: spec.HardTanh, A: nan, B: 0.3},
		spec.Activation{Func: spec.HardTanh, A: 0.5, B: nan}, spec.Activation{Func: spec.HardTanh, A: 2, B: -2},
		spec.Activation{Func: spec.HardShrink, A: -1}, spec.Activation{Func: spec.HardShrink}, spec.Activation{Func: spec.SoftShrink},
		spec.Activation{Func: spec.Shrink, A: 1.5, B: 0.25}, spec.Activation{Func: spec.Shrink, A: -1, B: 2},
		spec.Activation{Func: spec.Threshold, A: -0.5, B: 7}, spec.Activation{Func: spec.Affine, A: -2.5, B: 0.1})
}

// checkPointwise compares results with the oracle and returns the largest error
// in ULP.
func checkPointwise(t *testing.T, f spec.Activation, src, got []float32) (worst float64) {
	budget := f.Budget()
	for i, v := range src {
		want := cpuref.Pointwise64(f, float64(v))
		mag := math.Abs(float64(f.A)*float64(v)) + math.Abs(float64(f.B))
		if e := budget.Err(got[i], want, mag); !(e <= 1) {
			require.Fail(t, "outside of the budget", "%v(%v = %#08x) is %v, not %v: %.3g ulp, %.3g of the budget",
				f, v, math.Float32bits(v), got[i], float32(want), spec.ULPDistance(got[i], want), e)
		}
		if d := spec.ULPDistance(got[i], want); d > worst && math.Abs(want) >= 0x1p-126 {
			worst = d
		}
	}
	return worst
}

// everyNth returns the float32s whose bits are start, start+step, ...
func everyNth(start, step uint32) []float32 {
	var s []float32
	for b := uint64(start); b < 1<<32; b += uint64(step) {
		s = append(s, math.Float32frombits(uint32(b)))
	}
	return s
}

// TestPointwise goes through a sample of all float32s, every function and
// level, and near the points where the kernels change their formula. With
// KANSU_EXHAUSTIVE=n every n-th float32 is tried.
func TestPointwise(t *testing.T) {
	step := uint32(30011)
	if s, err := strconv.Atoi(os.Getenv("KANSU_EXHAUSTIVE")); err == nil {
		step = uint32(max(s, 1))
	}
	src := everyNth(0, step)
	for _, v := range []float32{0, 1, 0.5, 0.75, 1.5, 10, 12, 14.5, 20, 3, 6, 3.95, 88.72284, 87.33655, 103.97208, 104, 120, 128, 149, 150, 176, 200, 0x1p17, math.MaxFloat32, 0x1p-126, 0x1p-149, float32(math.Inf(1)), float32(math.Pi / 2), float32(math.Pi)} {
		for d := -40; d <= 40; d++ {
			b := math.Float32bits(v) + uint32(d)
			src = append(src, math.Float32frombits(b), math.Float32frombits(b^1<<31))
		}
	}
	for d := -2000; d <= 2000; d++ { // where most of a network's numbers are
		src = append(src, float32(d)/100)
	}
	onEach(t, func(t *testing.T) {
		for _, f := range pointwiseCases() {
			dst := newGuarded(len(src))
			Pointwise(f, dst.s, src)
			dst.check(t, f.String())
			worst := checkPointwise(t, f, src, dst.s)
			t.Logf("%-28v %.2f ulp", f, worst)
			in := append([]float32{}, src...)
			Pointwise(f, in, in)
			require.True(t, equalBits(dst.s, in), "%v in place", f)
		}
	})
}

func equalBits(a, b []float32) bool {
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) && (a[i] == a[i] || b[i] == b[i]) {
			return false
		}
	}
	return len(a) == len(b)
}

// TestPointwiseSizes: any length and alignment, the same bits wherever an
// element stands, streamed or not.
func TestPointwiseSizes(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		all := random(r, 200)
		for _, f := range pointwiseCases() {
			want := make([]float32, len(all))
			Pointwise(f, want, all)
			for _, n := range []int{0, 1, 7, 8, 9, 15, 16, 17, 31, 33, 100} {
				for _, stream := range []bool{false, true} {
					off := r.IntN(len(all) - n)
					dst := newGuarded(n)
					pointwiseRange(f, dst.s, all[off:off+n], stream)
					dst.check(t, f.String())
					require.True(t, equalBits(want[off:off+n], dst.s), "%v n %d stream %v", f, n, stream)
				}
			}
		}
	})
}

// TestPointwiseLarge: trigonometric arguments beyond the kernels' range among
// others, and parallel chunks.
func TestPointwiseLarge(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		src := random(r, 100000)
		for i := range src {
			src[i] *= 1000
			if r.IntN(50) == 0 {
				src[i] *= 1e4
			}
		}
		for _, f := range []spec.Pointwise{spec.Sin, spec.Cos, spec.Tan, spec.Exp} {
			got := repeatable(t, f.String(), func() []float32 {
				dst := make([]float32, len(src))
				Pointwise(f.Default(), dst, src)
				return dst
			})
			checkPointwise(t, f.Default(), src, got)
		}
	})
}

func BenchmarkPointwise(b *testing.B) {
	for _, n := range []int{4096, 1 << 24} {
		src, dst := make([]float32, n), make([]float32, n)
		for i := range src {
			src[i] = float32(i%1601-800) / 100
		}
		for _, f := range spec.Pointwises() {
			b.Run(fmt.Sprintf("%v_%d", f, n), func(b *testing.B) {
				onThreads(b, func(b *testing.B) {
					timed(b, float64(8*n), "GB/s", func() { Pointwise(f.Default(), dst, src) })
				})
			})
		}
	}
}
