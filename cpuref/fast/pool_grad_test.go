package fast

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
)

// mapped is f of each element.
func mapped(v []float32, f func(float64) float64) []float64 {
	w := make([]float64, len(v))
	for i, x := range v {
		w[i] = f(float64(x))
	}
	return w
}

func asIs(v float64) float64 { return v }

func TestPoolGrad(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for range 500 {
			checkPoolGrad(t, r, randomPool(t, r))
		}
		// Windows that have loops of their own.
		for range 150 {
			shape := []int{2, 9, 3 + r.IntN(30), 3 + r.IntN(70)}
			p := spec.PoolParams{Kernel: []int{3}, Stride: []int{2}, Padding: []int{r.IntN(2), r.IntN(2)}, Ceil: r.IntN(2) == 0}
			if r.IntN(3) == 0 {
				p = spec.PoolParams{Kernel: []int{2}, Stride: []int{2}}
				shape[2] &^= 1
			}
			pool, err := spec.NewPool([]spec.PoolKind{spec.PoolAvg, spec.PoolAvg, spec.PoolLp}[r.IntN(3)], shape, 2, p)
			require.NoError(t, err)
			checkPoolGrad(t, r, pool)
		}
	})
}

// checkPoolGrad compares the gradient of a pooling of random numbers with the
// oracle.
func checkPoolGrad(t *testing.T, r *rand.Rand, pool spec.Pool) {
	t.Helper()
	g, err := spec.NewPoolGrad(pool, pool.OutShape())
	require.NoError(t, err)
	what := fmt.Sprintf("%+v", g)
	n, m := g.Planes()*g.InSize(), spec.Count(g.OutShape())
	x, dy := random(r, n), random(r, m)
	wide := r.IntN(8) == 0
	for i := range x {
		if g.Kind == spec.PoolLp && !g.PlainNorm {
			x[i] = max(x[i], -x[i])
		}
		if wide {
			x[i] *= 1e-22
		}
	}
	y, idx := make([]float32, m), make([]int32, m)
	Pool(y, nil, x, pool)
	if g.Kind == spec.PoolMax {
		Pool(y, idx, x, pool)
	}
	want, mag := make([]float64, n), make([]float64, n)
	y64, x64 := mapped(y, asIs), mapped(x, asIs)
	cpuref.PoolGrad(want, mapped(dy, asIs), idx, x64, y64, g)
	cpuref.PoolGrad(mag, mapped(dy, math.Abs), idx, mapped(x, math.Abs), mapped(y, math.Abs), g)
	dst := newGuarded(n)
	got := repeatable(t, what, func() []float32 {
		PoolGrad(dst.s, dy, idx, x, y, g)
		return append([]float32{}, dst.s...)
	})
	dst.check(t, what)
	for i, v := range got {
		require.LessOrEqual(t, g.Budget().Err(v, want[i], mag[i]), 1.0, "%s: element %d is %v, want %v", what, i, v, want[i])
	}
}

func TestUnpoolGrad(t *testing.T) {
	r := newRand(t)
	g, err := spec.NewUnpool([]int{2, 3, 40, 50}, []int{2, 3, 40, 50}, spec.UnpoolParams{Kernel: []int{3}, Stride: []int{2}})
	require.NoError(t, err)
	idx := make([]int32, 2*3*40*50)
	for i := range idx {
		idx[i] = int32(r.IntN(g.OutSize()+2) - 1)
	}
	dy := random(r, spec.Count(g.OutShape()))
	want := make([]float32, len(idx))
	cpuref.UnpoolGrad(want, dy, idx, g)
	dst := newGuarded(len(want))
	repeatable(t, "unpool", func() []float32 {
		UnpoolGrad(dst.s, dy, idx, g)
		return append([]float32{}, dst.s...)
	})
	dst.check(t, "unpool")
	require.Equal(t, want, dst.s)
}

func BenchmarkPoolGrad(b *testing.B) {
	for _, c := range []struct {
		name string
		kind spec.PoolKind
		p    spec.PoolParams
	}{
		{"maxpool3x3s2", spec.PoolMax, spec.PoolParams{Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}}},
		{"avgpool2x2s2", spec.PoolAvg, spec.PoolParams{Kernel: []int{2}}},
		{"avgpool3x3s1", spec.PoolAvg, spec.PoolParams{Kernel: []int{3}, Stride: []int{1}, Padding: []int{1}}},
		{"avgpool3x3s2", spec.PoolAvg, spec.PoolParams{Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}}},
		{"lppool3x3s2", spec.PoolLp, spec.PoolParams{Kernel: []int{3}, Stride: []int{2}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			onThreads(b, func(b *testing.B) {
				pool, err := spec.NewPool(c.kind, []int{8, 64, 112, 112}, 2, c.p)
				require.NoError(b, err)
				g, err := spec.NewPoolGrad(pool, pool.OutShape())
				require.NoError(b, err)
				r := rand.New(rand.NewPCG(1, 1))
				x, dx := random(r, g.Planes()*g.InSize()), make([]float32, g.Planes()*g.InSize())
				y, dy := make([]float32, spec.Count(g.OutShape())), random(r, spec.Count(g.OutShape()))
				var idx []int32
				if g.Kind == spec.PoolMax {
					idx = make([]int32, len(y))
				}
				Pool(y, idx, x, pool)
				timed(b, float64(4*(len(dx)+len(dy)+len(idx))), "GB/s", func() { PoolGrad(dx, dy, idx, x, y, g) })
			})
		})
	}
}
