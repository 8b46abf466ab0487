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

// randomPool draws a pooling of any kind and form.
func randomPool(t *testing.T, r *rand.Rand) spec.Pool {
	kind := []spec.PoolKind{spec.PoolMax, spec.PoolAvg, spec.PoolLp}[r.IntN(3)]
	norm := []float32{1, 2, 2, 3}[r.IntN(4)]
	x := []int{1 + r.IntN(2), 1 + r.IntN(3)}
	rank := 1 + r.IntN(3)
	p := spec.PoolParams{Ceil: r.IntN(2) == 0, ExcludePad: r.IntN(2) == 0, PlainNorm: r.IntN(2) == 0}
	if r.IntN(5) == 0 {
		p.Divisor = 7
	}
	var out []int
	for range rank {
		k, d := 1+r.IntN(5), 1+r.IntN(3)
		span := (k-1)*d + 1
		p.Kernel = append(p.Kernel, k)
		p.Stride = append(p.Stride, 1+r.IntN(4))
		p.Dilation = append(p.Dilation, d)
		p.Padding = append(p.Padding, r.IntN(span))
		x = append(x, span+r.IntN(60/rank))
		out = append(out, 1+r.IntN(9))
	}
	if rank >= 2 && r.IntN(4) == 0 { // windows of 2x2 side by side
		p = spec.PoolParams{ExcludePad: p.ExcludePad, Divisor: p.Divisor, Kernel: []int{1, 2, 2}[3-rank:], Stride: []int{1, 2, 2}[3-rank:]}
		for i := range 2 {
			x[len(x)-1-i] = 2 * (1 + r.IntN(40))
		}
		x[len(x)-1] += r.IntN(2)
	}
	var g spec.Pool
	var err error
	switch r.IntN(4) {
	case 0:
		g, err = spec.NewGlobalPool(kind, x, norm)
	case 1:
		g, err = spec.NewAdaptivePool(kind, x, out)
	default:
		g, err = spec.NewPool(kind, x, norm, p)
	}
	require.NoError(t, err)
	return g
}

func TestPool(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for range 400 {
			g := randomPool(t, r)
			what := fmt.Sprintf("%+v", g)
			x := random(r, g.Planes()*g.InSize())
			if g.Kind == spec.PoolMax && r.IntN(2) == 0 {
				for i := range x {
					if r.IntN(20) == 0 {
						x[i] = float32(math.NaN())
					}
				}
			} else if g.Kind == spec.PoolLp {
				for i := range x {
					x[i] = max(x[i], -x[i])
				}
			}
			wide, mag := make([]float64, len(x)), make([]float64, len(x))
			for i, v := range x {
				wide[i], mag[i] = float64(v), math.Abs(float64(v))
			}
			n := spec.Count(g.OutShape())
			want, scaled := make([]float64, n), make([]float64, n)
			cpuref.Pool(want, nil, wide, g)
			cpuref.Pool(scaled, nil, mag, g)
			dst := newGuarded(n)
			got := repeatable(t, what, func() []float32 {
				Pool(dst.s, nil, x, g)
				return append([]float32{}, dst.s...)
			})
			dst.check(t, what)
			for i, v := range got {
				require.LessOrEqual(t, g.Budget().Err(v, want[i], scaled[i]), 1.0, "%s: element %d is %v, want %v", what, i, v, want[i])
			}
			if g.Kind == spec.PoolMax {
				y, idx, places := make([]float32, n), make([]int32, n), make([]int32, n)
				Pool(y, idx, x, g)
				cpuref.Pool(want, places, wide, g)
				require.Equal(t, places, idx, what)
				for i, v := range y {
					require.Zero(t, g.Budget().Err(v, want[i], 0), "%s: element %d is %v, want %v", what, i, v, want[i])
				}
			}
		}
	})
}

func TestUnpool(t *testing.T) {
	r := newRand(t)
	g, err := spec.NewUnpool([]int{2, 3, 40, 50}, []int{2, 3, 40, 50}, spec.UnpoolParams{Kernel: []int{3}, Stride: []int{2}})
	require.NoError(t, err)
	x := random(r, 2*3*40*50)
	idx := make([]int32, len(x))
	for i := range idx {
		idx[i] = int32(r.IntN(g.OutSize()+2) - 1)
	}
	want := make([]float32, spec.Count(g.OutShape()))
	cpuref.Unpool(want, x, idx, g)
	dst := newGuarded(len(want))
	repeatable(t, "unpool", func() []float32 {
		Unpool(dst.s, x, idx, g)
		return append([]float32{}, dst.s...)
	})
	dst.check(t, "unpool")
	require.Equal(t, want, dst.s)
}

func BenchmarkPool(b *testing.B) {
	for _, c := range []struct {
		name string
		kind spec.PoolKind
		p    spec.PoolParams
	}{
		{"maxpool3x3s2", spec.PoolMax, spec.PoolParams{Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}}},
		{"avgpool2x2s2", spec.PoolAvg, spec.PoolParams{Kernel: []int{2}}},
		{"maxpool3x3s1", spec.PoolMax, spec.PoolParams{Kernel: []int{3}, Stride: []int{1}, Padding: []int{1}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			onThreads(b, func(b *testing.B) {
				g, err := spec.NewPool(c.kind, []int{8, 64, 112, 112}, 0, c.p)
				require.NoError(b, err)
				x := random(rand.New(rand.NewPCG(1, 1)), g.Planes()*g.InSize())
				y := make([]float32, spec.Count(g.OutShape()))
				timed(b, float64(4*(len(x)+len(y))), "GB/s", func() { Pool(y, nil, x, g) })
			})
		})
	}
}
