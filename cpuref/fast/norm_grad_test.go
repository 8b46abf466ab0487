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

// normGradCases are gradients of normalizations of every layout.
func normGradCases() []normCase {
	cases := normCases()
	add := func(name string, n spec.Norm, err error) { cases = append(cases, normCase{name, n, err}) }
	for _, c := range []struct{ x, axes []int }{
		{[]int{2, 6, 5, 7}, []int{1}}, {[]int{3, 40, 17}, []int{1}}, {[]int{4, 5, 6, 7}, []int{0, 2}}, // along inner axes
		{[]int{3, 9, 8192}, []int{1, 2}}, {[]int{20, 70, 1000}, []int{1, 2}}, // long rows, few and many
		{[]int{200, 500}, []int{1}},
	} {
		var scale []int
		for _, a := range c.axes {
			scale = append(scale, c.x[a])
		}
		g, err := spec.NewLayerNorm(c.x, scale, nil, spec.LayerNormParams{Axes: c.axes})
		add(fmt.Sprintf("layer %v of %v", c.axes, c.x), g.Norm, err)
	}
	for _, s := range [][]int{{40, 24}, {30, 2, 3, 24}} {
		g, err := spec.NewGroupNorm(s, s[1:2], nil, spec.GroupNormParams{Groups: 2})
		add(fmt.Sprintf("group of channels %v", s), g.Norm, err)
	}
	for _, s := range [][]int{{2000, 24}, {2, 30, 40, 48}, {500, 3000}} { // channels last, or nothing else
		c := s[len(s)-1:]
		g, err := spec.NewBatchNormTrain(s, c, nil, nil, nil, spec.BatchNormTrainParams{Axis: -1})
		add(fmt.Sprintf("batch last %v", s), g.Norm, err)
	}
	return cases
}

// TestNormGrad compares each gradient with the oracle's, on one thread and more.
func TestNormGrad(t *testing.T) {
	onEach(t, func(t *testing.T) {
		for _, c := range normGradCases() {
			require.NoError(t, c.err, c.name)
			g := c.norm
			g.Act = spec.Activation{}
			for _, how := range []string{"own", "given", "fixed"} {
				perChannel := true // scale follows the groups
				for _, d := range g.Dims {
					perChannel = perChannel && (d.Group == 0) == (d.Affine == 0)
				}
				if how != "own" && !perChannel {
					continue
				}
				for _, offset := range []float32{0, 3000} {
					checkNormGrad(t, fmt.Sprintf("%s %s offset %v", c.name, how, offset), spec.NormGrad{Norm: g, Given: how == "given", Fixed: how == "fixed"}, 1, offset)
				}
				if how == "own" { // squares beyond float32
					checkNormGrad(t, c.name+" large", spec.NormGrad{Norm: g}, 1e21, 0)
				}
			}
		}
	})
}

func checkNormGrad(t *testing.T, what string, g spec.NormGrad, factor, offset float32) {
	r := newRand(t)
	n := spec.Count(g.Shape)
	dy, x := random(r, n), random(r, n)
	for i := range x {
		x[i] = factor*x[i] + offset
	}
	var scale []float32
	var scale64 []float64
	if g.Scale {
		scale = random(r, g.Affine)
		scale64 = widen(scale)
	}
	dy64, x64 := widen(dy), widen(x)
	mean, variance := cpuref.Moments(x64, &g.Norm)
	inv := cpuref.InvStd(variance, &g.Norm)
	want := cpuref.NormGrads[float64]{X: make([]float64, n), Scale: make([]float64, len(scale)), Shift: make([]float64, len(scale))}
	mean32, variance32, inv32 := make([]float32, g.Groups), make([]float32, g.Groups), make([]float32, g.Groups)
	narrow(mean32, mean)
	narrow(variance32, variance)
	narrow(inv32, inv)
	switch {
	case g.Given:
		cpuref.BatchNormTrainGrad(want, dy64, x64, scale64, mean, inv, g)
	case g.Fixed:
		cpuref.BatchNormGrad(want, dy64, x64, widen(mean32), widen(variance32), scale64, g)
	default:
		cpuref.NormGrad(want, dy64, x64, scale64, g)
	}
	got := repeatable(t, what, func() []float32 {
		dx, dscale, dshift := newGuarded(n), newGuarded(len(scale)), newGuarded(len(scale))
		d := cpuref.NormGrads[float32]{X: dx.s, Scale: dscale.s, Shift: dshift.s}
		switch {
		case g.Given:
			BatchNormTrainGrad(d, dy, x, scale, mean32, inv32, g)
		case g.Fixed:
			BatchNormGrad(d, dy, x, mean32, variance32, scale, g)
		default:
			NormGrad(d, dy, x, scale, g)
		}
		for _, o := range []guarded{dx, dscale, dshift} {
			o.check(t, what)
		}
		return append(append(append([]float32{}, dx.s...), dscale.s...), dshift.s...)
	})
	mag := normGradMagnitude(dy64, x64, scale64, mean, inv, g)
	within(t, what+" dx", g.Budget(), got[:n], want.X, mag.X)
	within(t, what+" dscale", g.SumBudget(), got[n:n+len(scale)], want.Scale, mag.Scale)
	within(t, what+" dshift", g.SumBudget(), got[n+len(scale):], want.Shift, mag.Shift)
}

// normGradMagnitude is what spec.NormGrad.Budget and SumBudget scale with.
func normGradMagnitude(dy, x, scale, mean, inv []float64, g spec.NormGrad) cpuref.NormGrads[float64] {
	m := cpuref.NormGrads[float64]{X: make([]float64, len(x)), Scale: make([]float64, len(scale)), Shift: make([]float64, len(scale))}
	sum, moment := make([]float64, g.Groups), make([]float64, g.Groups)
	each := func(f func(i, group, a int, d, v, xhat float64)) {
		g.Runs(func(first, count, group, groupStep, affine, affineStep int) {
			for i := range count {
				at, a := group+i*groupStep, affine+i*affineStep
				d := math.Abs(dy[first+i])
				v := d
				if scale != nil {
					v *= math.Abs(scale[a])
				}
				f(first+i, at, a, d, v, max(math.Abs((x[first+i]-mean[at])*inv[at]), 1))
			}
		})
	}
	each(func(_, at, a int, d, v, xhat float64) {
		sum[at] += v
		moment[at] += v * xhat
		if scale != nil {
			m.Scale[a] += d * xhat
			m.Shift[a] += d
		}
	})
	count := float64(g.Count)
	each(func(i, at, _ int, _, v, xhat float64) {
		if m.X[i] = inv[at] * v; !g.Fixed {
			m.X[i] += inv[at] * (sum[at] + xhat*moment[at]) / count
		}
	})
	return m
}

func BenchmarkNormGrad(b *testing.B) {
	shape := []int{8, 64, 112, 112}
	n := spec.Count(shape)
	x, dy, dx := make([]float32, n), make([]float32, n), make([]float32, n)
	for i := range x {
		x[i], dy[i] = float32(i%17)-8, float32(i%13)-6
	}
	c := make([]float32, 1024)
	for i := range c {
		c[i] = 1
	}
	out := func(n, affine int) cpuref.NormGrads[float32] {
		return cpuref.NormGrads[float32]{X: dx[:n], Scale: make([]float32, affine), Shift: make([]float32, affine)}
	}
	bn, err := spec.NewBatchNormTrainGrad(shape, shape, []int{64}, []int{64}, []int{64}, spec.BatchNormTrainParams{})
	require.NoError(b, err)
	be, err := spec.NewBatchNormGrad(shape, shape, []int{64}, []int{64}, []int{64}, spec.BatchNormParams{})
	require.NoError(b, err)
	gn, err := spec.NewGroupNorm(shape, []int{64}, nil, spec.GroupNormParams{Groups: 32})
	require.NoError(b, err)
	in, err := spec.NewInstanceNorm(shape, []int{64}, nil, spec.InstanceNormParams{})
	require.NoError(b, err)
	ln, err := spec.NewLayerNorm([]int{4096, 1024}, []int{1024}, nil, spec.LayerNormParams{})
	require.NoError(b, err)
	last := []int{8, 112, 112, 64}
	bl, err := spec.NewBatchNormTrainGrad(last, last, []int{64}, []int{64}, []int{64}, spec.BatchNormTrainParams{Axis: -1})
	require.NoError(b, err)
	lc, err := spec.NewLayerNorm(shape, []int{64}, nil, spec.LayerNormParams{Axes: []int{1}})
	require.NoError(b, err)
	l := 4096 * 1024
	for _, f := range []struct {
		name  string
		bytes int
		f     func()
	}{
		{"bn_eval", 12 * n, func() { BatchNormGrad(out(n, 64), dy, x, c[:64], c[:64], c[:64], be) }},
		{"bn_train", 12 * n, func() { BatchNormTrainGrad(out(n, 64), dy, x, c[:64], c[:64], c[:64], bn) }},
		{"bn_train_last", 12 * n, func() { BatchNormTrainGrad(out(n, 64), dy, x, c[:64], c[:64], c[:64], bl) }},
		{"groupnorm32", 12 * n, func() { NormGrad(out(n, 64), dy, x, c[:64], spec.NormGrad{Norm: gn.Norm}) }},
		{"instancenorm", 12 * n, func() { NormGrad(out(n, 64), dy, x, c[:64], spec.NormGrad{Norm: in.Norm}) }},
		{"layernorm_4096x1024", 12 * l, func() { NormGrad(out(l, 1024), dy[:l], x[:l], c, spec.NormGrad{Norm: ln.Norm}) }},
		{"layernorm_channels", 12 * n, func() { NormGrad(out(n, 64), dy, x, c[:64], spec.NormGrad{Norm: lc.Norm}) }},
	} {
		b.Run(f.name, func(b *testing.B) {
			onThreads(b, func(b *testing.B) { timed(b, float64(f.bytes), "GB/s", f.f) })
		})
	}
}

// TestNormGradOfOneElement: where a group is a single element nothing of dy is
// left, in whichever form the gradient is computed.
func TestNormGradOfOneElement(t *testing.T) {
	onEach(t, func(t *testing.T) {
		for _, shape := range [][]int{{1}, {19, 1}, {3, 2}, {40, 64, 1}} {
			c := shape[len(shape)-1]
			g, err := spec.NewLayerNorm(shape, []int{1}, nil, spec.LayerNormParams{Axes: []int{len(shape) - 1}, Eps: 1e-12})
			if c != 1 {
				gn, e := spec.NewGroupNorm(shape, []int{c}, nil, spec.GroupNormParams{Groups: c, Eps: 1e-12})
				g.Norm, err = gn.Norm, e
			}
			require.NoError(t, err)
			n := spec.Count(shape)
			r := rand.New(rand.NewPCG(1, 2))
			x, dy, scale := random(r, n), random(r, n), random(r, c)
			d := cpuref.NormGrads[float32]{X: make([]float32, n), Scale: make([]float32, c), Shift: make([]float32, c)}
			NormGrad(d, dy, x, scale, spec.NormGrad{Norm: g.Norm})
			require.Equal(t, make([]float32, n), d.X, shape)
			require.Equal(t, make([]float32, c), d.Scale, shape)
		}
	})
}
