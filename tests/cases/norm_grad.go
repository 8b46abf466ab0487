package cases

import (
	"math"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// normGradKernels are the variants of a gradient of a normalization.
var normGradKernels = []string{"stream", "rows", "group", "planes", "naive"}

// gradNorm resolves the gradient of a normalization of a generator's case.
func gradNorm(g spec.Norm) spec.NormGrad {
	n, err := spec.NewNormGrad(g, g.Shape)
	if err != nil {
		panic(err) // generators draw valid cases
	}
	return n
}

// normGradInputs are dy, x, scale and shift, the last two where there is a
// scale. The gradient does not take the shift; its differences do.
func normGradInputs(x []int, s Spread, eps float32, affine []int, scale bool) []Input {
	in := append([]Input{{Shape: x}, {Shape: x, Draw: s.draw(), Range: s.freedom(eps)}}, scaleShift(affine, scale, scale)...)
	if s != (Spread{}) { // by which what is tiny would be divided
		in[0].Range, in[2].Range = free|noTiny, free|noTiny
	}
	return in
}

// calm takes from a spread what differences of a function cannot stand: in groups
// of few elements that are far from zero, values that nearly coincide.
func calm(s Spread, g *spec.Norm) Spread {
	if g.Count < 8 {
		s.Mean, s.Std = 0, 0
	}
	return s
}

// normGradWants are the oracle's dx, dscale and dshift with their magnitudes; see
// spec.NormGrad.Budget. mean and variance are what the gradient has.
func normGradWants(dy, x, scale, mean, variance []float64, affine []int, g spec.NormGrad, grad func(d cpuref.NormGrads[float64])) []Want {
	d := cpuref.NormGrads[float64]{X: make([]float64, len(x))}
	if scale != nil {
		d.Scale, d.Shift = make([]float64, len(scale)), make([]float64, len(scale))
	}
	grad(d)
	least := 1.0
	if g.Fixed || g.RMS {
		least = 0
	}
	inv := cpuref.InvStd(variance, &g.Norm)
	sum, moment := make([]float64, g.Groups), make([]float64, g.Groups)
	dscale, dshift := make([]float64, len(scale)), make([]float64, len(scale))
	each := func(f func(i, group, a int, v, xhat float64)) {
		g.Runs(func(first, n, group, groupStep, affine, affineStep int) {
			for i := range n {
				at, a := group+i*groupStep, affine+i*affineStep
				f(first+i, at, a, math.Abs(dy[first+i]), math.Max(math.Abs(x[first+i]-mean[at])*inv[at], least))
			}
		})
	}
	weigh := func(v float64, a int) float64 {
		if scale == nil {
			return v
		}
		return v * math.Abs(scale[a])
	}
	each(func(_, at, a int, v, xhat float64) {
		if scale != nil {
			dscale[a] += v * xhat
			dshift[a] += v
		}
		sum[at] += weigh(v, a)
		moment[at] += weigh(v, a) * xhat
	})
	n := float64(g.Count)
	mag := make([]float64, len(x))
	each(func(i, at, a int, v, xhat float64) {
		mag[i] = inv[at] * weigh(v, a)
		if !g.Fixed {
			mag[i] += inv[at] * (sum[at]/n + xhat*moment[at]/n)
		}
	})
	wants := []Want{{Shape: g.OutShape(), Value: d.X, Magnitude: mag, Budget: g.Budget()}}
	if scale != nil {
		wants = append(wants,
			Want{Shape: affine, Value: d.Scale, Magnitude: dscale, Budget: g.SumBudget()},
			Want{Shape: affine, Value: d.Shift, Magnitude: dshift, Budget: g.SumBudget()})
	}
	return wants
}

// momentsWants is normGradWants with the statistics of x.
func momentsWants(in [][]float64, affine []int, g spec.NormGrad) []Want {
	mean, variance := cpuref.Moments(in[1], &g.Norm)
	return normGradWants(in[0], in[1], in[2], mean, variance, affine, g, func(d cpuref.NormGrads[float64]) {
		cpuref.NormGrad(d, in[0], in[1], in[2], g)
	})
}

// normLoss is sum(dy * normalization(x)) with the statistics of x.
func normLoss(in [][]float64, g spec.Norm) float64 {
	mean, variance := cpuref.Moments(in[1], &g)
	return statLoss(in[0], in[1], in[2], in[3], mean, variance, &g)
}

// statLoss is sum(dy * normalization(x)) with given statistics. Where the value
// is NaN it counts as the shift alone, which moves it all the same.
func statLoss(dy, x, scale, shift, mean, variance []float64, g *spec.Norm) float64 {
	y := make([]float64, len(x))
	cpuref.Normalize(y, x, scale, shift, mean, variance, g)
	g.Runs(func(first, n, _, _, affine, affineStep int) {
		for i := range n {
			if v := &y[first+i]; math.IsNaN(*v) {
				if *v = 0; shift != nil {
					*v = shift[affine+i*affineStep]
				}
			}
		}
	})
	return dot(dy, y)
}

// normWrt names x, scale and shift.
func normWrt(scale bool) []int {
	if scale {
		return []int{1, 2, 3}
	}
	return []int{1}
}

// threeGrads lists the outputs that there are.
func threeGrads(dx, dscale, dshift *ops.Tensor, err error) ([]*ops.Tensor, error) {
	if dscale == nil {
		return []*ops.Tensor{dx}, err
	}
	return []*ops.Tensor{dx, dscale, dshift}, err
}

// normGradWork counts dy and x read and dx written.
func normGradWork(g spec.NormGrad) (flops, bytes float64) { return g.Flops(), 3 * bytesOf(g.Shape) }

// gradRow is the row of a gradient whose cases are made of those of a forward row.
func gradRow(forward Row, kernels []string, empty func() Case, of func(Case) Case) Row {
	return Row{
		Name:   forward.Name + "_grad",
		New:    empty,
		Random: func(r *rand.Rand) Case { return of(forward.Random(r)) },
		Awkward: func() []Case {
			var all []Case
			for _, c := range forward.Awkward() {
				all = append(all, of(c))
			}
			return all
		},
		Kernels: kernels,
	}
}
