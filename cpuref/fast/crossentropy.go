package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// samples calls f for the samples of a cross-entropy in runs: samples first to
// first+n have their logits n apart, C rows of n, at logits[at:]. Where Inner is 1
// a run is one sample.
func samples(g *spec.CrossEntropy, f func(sample, at, n int, t []float32)) {
	ns := 2 * float64(g.Samples()*g.C)
	if simd.Active() == simd.Portable {
		ns *= 10
	}
	const cols = 16
	strips := (g.Inner + cols - 1) / cols
	per := max(1, elementTask/(g.C*min(cols, g.Inner)))
	ParallelRange(g.N*strips, per, ns, func(low, high int) {
		t := getScratch(cols * g.C)
		defer putScratch(t)
		for i := low; i < high; i++ {
			o, c := i/strips, i%strips*cols
			f(o*g.Inner+c, o*g.C*g.Inner+c, min(cols, g.Inner-c), t)
		}
	})
}

// rowLSE returns the logarithm of the sum of the exponentials of a row as its
// largest element and the rest: it is most + rest. Infinite maxima are the sum.
func rowLSE(x []float32) (most, rest float64) {
	top := simd.Max(x)
	most = float64(top)
	if math.IsInf(most, 0) {
		return most, 0
	}
	return most, math.Log(simd.SumExp(x, top))
}

// CrossEntropy computes the loss of every sample and the weight of its label; see
// cpuref.CrossEntropy.
func CrossEntropy(loss, weight, logits []float32, labels []int32, classWeights []float32, g spec.CrossEntropy) {
	if g.Inner >= wideColumns {
		crossEntropyColumns(loss, weight, logits, labels, classWeights, &g)
		return
	}
	eps, all := float64(g.Smoothing), sumOfWeights(classWeights, g.C)
	samples(&g, func(first, at, n int, t []float32) {
		if g.Inner > 1 {
			transposeRows(t, logits[at:], g.C, g.Inner, n, g.C, g.C)
		}
		for k := range n {
			row := t[k*g.C:][:g.C]
			if g.Inner == 1 {
				row = logits[at:][:g.C]
			}
			y := labels[first+k]
			switch {
			case y == g.Ignore:
				loss[first+k], weight[first+k] = 0, 0
				continue
			case y < 0 || int(y) >= g.C:
				loss[first+k], weight[first+k] = float32(math.NaN()), 1
				continue
			}
			most, rest := rowLSE(row)
			w := 1.0
			if classWeights != nil {
				w = float64(classWeights[y])
			}
			sum := (1 - eps) * w * (most - float64(row[y]) + rest)
			if eps > 0 {
				x := simd.Sum(row)
				if classWeights != nil {
					x = simd.Dot(row, classWeights)
				}
				sum += eps / float64(g.C) * (all*(most+rest) - x)
			}
			loss[first+k], weight[first+k] = float32(sum), float32(w)
		}
	})
}

// CrossEntropyGrad computes the gradient of the logits; see
// cpuref.CrossEntropyGrad.
func CrossEntropyGrad(dx, dy, logits []float32, labels []int32, classWeights []float32, g spec.CrossEntropy) {
	if g.Inner >= wideColumns {
		crossEntropyGradColumns(dx, dy, logits, labels, classWeights, &g)
		return
	}
	all := sumOfWeights(classWeights, g.C)
	samples(&g, func(first, at, n int, t []float32) {
		if g.Inner > 1 {
			transposeRows(t, logits[at:], g.C, g.Inner, n, g.C, g.C)
		}
		for k := range n {
			from, to := t[k*g.C:][:g.C], t[k*g.C:][:g.C]
			if g.Inner == 1 {
				from, to = logits[at:][:g.C], dx[at:][:g.C]
			}
			crossEntropyRow(to, from, labels[first+k], upstream(dy, first+k), classWeights, all, &g)
		}
		if g.Inner > 1 {
			transposeRows(dx[at:], t, g.Inner, g.C, g.C, n, n)
		}
	})
}

// crossEntropyRow computes the gradient of one sample's logits x; dx may be x.
func crossEntropyRow(dx, x []float32, y int32, d float64, classWeights []float32, all float64, g *spec.CrossEntropy) {
	if y == g.Ignore {
		clear(dx)
		return
	}
	top := simd.Max(x)
	if y < 0 || int(y) >= g.C || math.IsInf(float64(top), 0) {
		// What is not a number is rare: the definition says where.
		one := *g
		one.N, one.Inner = 1, 1
		cpuref.CrossEntropyGrad(dx, []float32{float32(d)}, append([]float32(nil), x...), []int32{y}, classWeights, one)
		return
	}
	sum := simd.ExpSum(dx, x, top)
	w, eps := 1.0, float64(g.Smoothing)
	if classWeights != nil {
		w = float64(classWeights[y])
	}
	p := float64(dx[y]) / sum
	spread := eps / float64(g.C)
	k := d * ((1-eps)*w + spread*all) / sum
	even, own := 0.0, 1.0
	if classWeights == nil {
		even = -d * spread
	} else {
		own = w
	}
	if f := float32(k); simd.Active() == simd.Portable || !simd.Affine.Apply(dx, dx, f, float32(even), 0, false) {
		for i, v := range dx {
			dx[i] = f*v + float32(even)
		}
	}
	if classWeights != nil && eps > 0 {
		simd.BinAxpy.Apply(dx, classWeights, dx, float32(-d*spread), 0, 0, false)
	}
	dx[y] = float32(d * ((1-eps)*w*(p-1) + spread*(all*p-own)))
}

// sumOfWeights returns the sum of the class weights, which are 1 where there are none.
func sumOfWeights(w []float32, c int) float64 {
	if w == nil {
		return float64(c)
	}
	return simd.Sum(w)
}
