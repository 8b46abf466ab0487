package fast

import (
	"fmt"
	"math"
	"testing"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// normCase is a normalization, by the Norm that its constructor made.
type normCase struct {
	name string
	norm spec.Norm
	err  error
}

func normCases() []normCase {
	var cases []normCase
	add := func(name string, n spec.Norm, err error) { cases = append(cases, normCase{name, n, err}) }
	for _, s := range [][]int{{4, 6, 5, 7}, {2, 3, 40, 41}, {8, 5}, {700, 33}, {3, 17, 1}, {2, 600, 3}, {1, 1, 300000}, {1, 2, 9, 10, 11}} {
		g, err := spec.NewBatchNorm(s, s[1:2], s[1:2], s[1:2], s[1:2], spec.BatchNormParams{Act: spec.Activation{Func: spec.ReLU}})
		add(fmt.Sprintf("batch %v", s), g.Norm, err)
		g, err = spec.NewBatchNormTrain(s, nil, nil, nil, nil, spec.BatchNormTrainParams{})
		add(fmt.Sprintf("batch train %v", s), g.Norm, err)
	}
	for _, s := range [][]int{{2, 5, 6, 3}, {3, 20, 40}} { // channels last
		c := s[len(s)-1:]
		g, err := spec.NewBatchNormTrain(s, c, c, nil, nil, spec.BatchNormTrainParams{Axis: -1})
		add(fmt.Sprintf("batch last %v", s), g.Norm, err)
	}
	for _, c := range []struct{ x, scale []int }{{[]int{1, 5}, []int{5}}, {[]int{300, 100}, []int{100}}, {[]int{3, 4, 5, 6}, []int{5, 6}}, {[]int{2, 20000}, nil}} {
		p := spec.LayerNormParams{}
		for i := range c.scale {
			p.Axes = append(p.Axes, len(c.x)-len(c.scale)+i)
		}
		g, err := spec.NewLayerNorm(c.x, c.scale, c.scale, p)
		add(fmt.Sprintf("layer %v", c.x), g.Norm, err)
		if c.scale != nil {
			r, err := spec.NewRMSNorm(c.x, c.scale, nil, spec.LayerNormParams{Axes: p.Axes, Act: spec.Activation{Func: spec.Tanh}})
			add(fmt.Sprintf("rms %v", c.x), r.Norm, err)
		}
	}
	swapped, err := spec.NewLayerNorm([]int{3, 4, 5, 6}, []int{6, 5}, []int{6, 5}, spec.LayerNormParams{Axes: []int{3, 2}})
	add("layer, axes swapped", swapped.Norm, err)
	for _, s := range [][]int{{2, 6, 5, 7}, {3, 8, 100}} {
		g, err := spec.NewGroupNorm(s, s[1:2], s[1:2], spec.GroupNormParams{Groups: 2})
		add(fmt.Sprintf("group %v", s), g.Norm, err)
		i, err := spec.NewInstanceNorm(s, s[1:2], s[1:2], spec.InstanceNormParams{})
		add(fmt.Sprintf("instance %v", s), i.Norm, err)
		m, err := spec.NewMeanVariance(s, spec.MeanVarianceParams{})
		add(fmt.Sprintf("meanvariance %v", s), m.Norm, err)
		m, err = spec.NewMeanVariance(s, spec.MeanVarianceParams{Axes: []int{0, 2}})
		add(fmt.Sprintf("meanvariance 0 2 %v", s), m.Norm, err)
		m, err = spec.NewMeanVariance(s, spec.MeanVarianceParams{Axes: []int{1}})
		add(fmt.Sprintf("meanvariance 1 %v", s), m.Norm, err)
	}
	return cases
}

func TestNorm(t *testing.T) {
	onEach(t, func(t *testing.T) {
		for _, c := range normCases() {
			require.NoError(t, c.err, c.name)
			g := &c.norm
			for _, offset := range []float32{0, 3000} {
				r := newRand(t)
				x := random(r, spec.Count(g.Shape))
				for i := range x {
					x[i] += offset
				}
				var scale, shift []float32
				var scale64, shift64 []float64
				if g.Scale {
					scale = random(r, g.Affine)
					scale64 = widen(scale)
				}
				if g.Shift {
					shift = random(r, g.Affine)
					shift64 = widen(shift)
				}
				x64 := widen(x)
				mean, variance := cpuref.Moments(x64, g)
				want := make([]float64, len(x))
				cpuref.Normalize(want, x64, scale64, shift64, mean, variance, g)
				mag := normMagnitude(x64, scale64, shift64, mean, variance, g)
				for _, whole := range []bool{true, false} {
					what := fmt.Sprintf("%s offset %v whole %v", c.name, offset, whole)
					got := repeatable(t, what, func() []float32 {
						y := newGuarded(len(x))
						if whole {
							normalizeWhole(y.s, x, scale, shift, g)
						} else {
							m, v := Moments(x, g)
							for i := range m {
								require.InDelta(t, mean[i], m[i], 1e-9*(1+math.Abs(mean[i])), what)
								require.InEpsilon(t, variance[i]+1e-30, v[i]+1e-30, 1e-7, what)
							}
							Normalize(y.s, x, scale, shift, m, v, g)
						}
						y.check(t, what)
						return y.s
					})
					within(t, what, g.Budget(), got, want, mag)
				}
			}
		}
	})
}

// normMagnitude is what spec.Norm.Budget scales with.
func normMagnitude(x, scale, shift, mean, variance []float64, g *spec.Norm) []float64 {
	inv := cpuref.InvStd(variance, g)
	mag := make([]float64, len(x))
	g.Runs(func(first, count, group, groupStep, affine, affineStep int) {
		for i := range count {
			at, a := group+i*groupStep, affine+i*affineStep
			v := max(math.Abs((x[first+i]-mean[at])*inv[at]), 1)
			if scale != nil {
				v *= math.Abs(scale[a])
			}
			if shift != nil {
				v += math.Abs(shift[a])
			}
			mag[first+i] = v
		}
	})
	return mag
}

func BenchmarkNorm(b *testing.B) {
	shape := []int{8, 64, 112, 112}
	n := spec.Count(shape)
	x, y := make([]float32, n), make([]float32, n)
	for i := range x {
		x[i] = float32(i%17) - 8
	}
	c := make([]float32, 64)
	for i := range c {
		c[i] = 1
	}
	bn, err := spec.NewBatchNorm(shape, []int{64}, []int{64}, []int{64}, []int{64}, spec.BatchNormParams{})
	require.NoError(b, err)
	gn, err := spec.NewGroupNorm(shape, []int{64}, []int{64}, spec.GroupNormParams{Groups: 32})
	require.NoError(b, err)
	in, err := spec.NewInstanceNorm(shape, []int{64}, []int{64}, spec.InstanceNormParams{})
	require.NoError(b, err)
	ln, err := spec.NewLayerNorm([]int{4096, 1024}, []int{1024}, []int{1024}, spec.LayerNormParams{})
	require.NoError(b, err)
	ones := make([]float32, 1024)
	for _, f := range []struct {
		name  string
		bytes int
		f     func()
	}{
		{"bn_eval", 8 * n, func() { BatchNorm(y, x, c, c, c, c, bn) }},
		{"bn_stats", 4 * n, func() { Moments(x, &bn.Norm) }},
		{"bn_train", 8 * n, func() { normalizeWhole(y, x, c, c, &bn.Norm) }},
		{"groupnorm32", 8 * n, func() { GroupNorm(y, x, c, c, gn) }},
		{"instancenorm", 8 * n, func() { InstanceNorm(y, x, c, c, in) }},
		{"layernorm_4096x1024", 8 * 4096 * 1024, func() { LayerNorm(y[:4096*1024], nil, nil, x[:4096*1024], ones, ones, ln) }},
	} {
		b.Run(f.name, func(b *testing.B) {
			onThreads(b, func(b *testing.B) { timed(b, float64(f.bytes), "GB/s", f.f) })
		})
	}
}
