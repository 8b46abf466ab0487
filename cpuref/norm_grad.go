package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// NormGrads are the outputs of a gradient of a normalization: with respect to
// its input, scale and shift. The last two are nil where there is no scale.
type NormGrads[T Float] struct{ X, Scale, Shift []T }

// NormGrad computes the gradient of a normalization with the statistics of x
// itself; see spec.NormGrad. scale is nil where g has none.
func NormGrad[T Float](d NormGrads[T], dy, x, scale []T, g spec.NormGrad) {
	mean, variance := Moments(x, &g.Norm)
	inv := InvStd(variance, &g.Norm)
	normGrad(d, dy, x, scale, mean, inv, curvature(inv, variance, &g.Norm), g)
}

// BatchNormTrainGrad computes the gradient of a batch normalization given the
// statistics that it returned. What rounding took from the mean is put back.
func BatchNormTrainGrad[T Float](d NormGrads[T], dy, x, scale, mean, invStd []T, g spec.NormGrad) {
	m, inv := widen(mean), widen(invStd)
	off := make([]float64, g.Groups)
	g.Runs(func(first, count, group, groupStep, _, _ int) {
		for i := range count {
			at := group + i*groupStep
			off[at] += float64(x[first+i]) - m[at]
		}
	})
	for i := range m {
		m[i] += off[i] / float64(g.Count)
	}
	normGrad(d, dy, x, scale, m, inv, curvature(inv, nil, &g.Norm), g)
}

// BatchNormGrad computes the gradient of a batch normalization with constant
// statistics.
func BatchNormGrad[T Float](d NormGrads[T], dy, x, mean, variance, scale []T, g spec.NormGrad) {
	normGrad(d, dy, x, scale, widen(mean), InvStd(widen(variance), &g.Norm), nil, g)
}

// curvature returns for each group what mean(g*(x-m))*(x-m) is multiplied by:
// k^2, or k/s where eps is added to the deviation s.
func curvature(inv, variance []float64, g *spec.Norm) []float64 {
	c := make([]float64, len(inv))
	for i, k := range inv {
		switch {
		case !g.EpsOnStd:
			c[i] = k * k
		case variance[i] != 0 || g.Eps == 0:
			c[i] = k / math.Sqrt(variance[i])
		}
	}
	return c
}

// normGrad is the gradient for statistics at hand. curve is nil where they are
// constants.
func normGrad[T Float](d NormGrads[T], dy, x, scale []T, mean, inv, curve []float64, g spec.NormGrad) {
	sum, moment := make([]float64, g.Groups), make([]float64, g.Groups)
	dscale, dshift := make([]float64, len(d.Scale)), make([]float64, len(d.Shift))
	g.Runs(func(first, count, group, groupStep, affine, affineStep int) {
		for i := range count {
			at, a := group+i*groupStep, affine+i*affineStep
			v, dev := float64(dy[first+i]), float64(x[first+i])-mean[at]
			if scale != nil {
				dscale[a] += v * dev * inv[at]
				dshift[a] += v
				v *= float64(scale[a])
			}
			sum[at] += v
			moment[at] += v * dev
		}
	})
	store(d.Scale, dscale)
	store(d.Shift, dshift)
	n := float64(g.Count)
	g.Runs(func(first, count, group, groupStep, affine, affineStep int) {
		for i := range count {
			at, a := group+i*groupStep, affine+i*affineStep
			v := float64(dy[first+i])
			if scale != nil {
				v *= float64(scale[a])
			}
			if !g.Fixed {
				if !g.RMS {
					v -= sum[at] / n
				}
				v -= (float64(x[first+i]) - mean[at]) * (curve[at] * moment[at] / n)
			}
			d.X[first+i] = T(v * inv[at])
		}
	})
}
