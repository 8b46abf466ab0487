package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// Loss computes the loss of every element: y[i] = l(x[i], t[i]); see spec.Loss.
func Loss[T Float](y, x, t []T, g spec.Elementwise) {
	beta := float64(g.Beta)
	for i := range y {
		a, b := float64(x[i]), float64(t[i])
		d := a - b
		switch g.Loss {
		case spec.MSE:
			y[i] = T(d * d)
		case spec.L1:
			y[i] = T(math.Abs(d))
		case spec.SmoothL1:
			if math.Abs(d) < beta {
				y[i] = T(d * d / (2 * beta))
			} else {
				y[i] = T(math.Abs(d) - beta/2)
			}
		case spec.BCEWithLogits:
			y[i] = T(math.Max(a, 0) - a*b + math.Log1p(math.Exp(-math.Abs(a))))
		}
	}
}

// LossGrad computes dx[i] = dy * scale * dl/dx(x[i], t[i]), where dy has one
// value, or one for each element. At the kinks of L1 the slope is 0.
func LossGrad[T Float](dx, dy, x, t []T, g spec.Elementwise) {
	beta, scale := float64(g.Beta), float64(g.Scale())
	for i := range dx {
		a, b := float64(x[i]), float64(t[i])
		d, slope := a-b, 0.0
		switch g.Loss {
		case spec.MSE:
			slope = 2 * d
		case spec.L1:
			slope = sign(d)
		case spec.SmoothL1:
			if slope = d / beta; math.Abs(d) >= beta {
				slope = sign(d)
			}
		case spec.BCEWithLogits:
			slope = 1/(1+math.Exp(-a)) - b
		}
		w := float64(dy[0])
		if len(dy) > 1 {
			w = float64(dy[i])
		}
		dx[i] = T(w * scale * slope)
	}
}

func sign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return v // 0, or NaN
}

// CrossEntropy computes the loss of every sample and the weight w[y] of its
// label, 0 where the sample is ignored; see spec.CrossEntropy.
func CrossEntropy[T Float](loss, weight, logits []T, labels []int32, classWeights []T, g spec.CrossEntropy) {
	eps := float64(g.Smoothing)
	for i := range g.Samples() {
		at := i/g.Inner*g.C*g.Inner + i%g.Inner
		y := labels[i]
		if y == g.Ignore {
			loss[i], weight[i] = 0, 0
			continue
		}
		if y < 0 || int(y) >= g.C {
			loss[i], weight[i] = T(math.NaN()), 1
			continue
		}
		lse := logSumExp(logits, at, g)
		w := classWeight(classWeights, int(y))
		sum := (1 - eps) * w * (lse - float64(logits[at+int(y)*g.Inner]))
		if eps > 0 {
			for c := range g.C {
				sum += eps / float64(g.C) * classWeight(classWeights, c) * (lse - float64(logits[at+c*g.Inner]))
			}
		}
		loss[i], weight[i] = T(sum), T(w)
	}
}

// CrossEntropyGrad computes the gradient of the logits, where dy has one value
// for each sample, or one in all.
func CrossEntropyGrad[T Float](dx, dy, logits []T, labels []int32, classWeights []T, g spec.CrossEntropy) {
	eps := float64(g.Smoothing)
	for i := range g.Samples() {
		at := i/g.Inner*g.C*g.Inner + i%g.Inner
		y := int(labels[i])
		if labels[i] == g.Ignore {
			for c := range g.C {
				dx[at+c*g.Inner] = 0
			}
			continue
		}
		lse := logSumExp(logits, at, g)
		if y < 0 || y >= g.C {
			lse = math.NaN()
		}
		w, all := classWeight(classWeights, y), 0.0
		for c := range g.C {
			all += classWeight(classWeights, c)
		}
		d := float64(dy[0])
		if len(dy) > 1 {
			d = float64(dy[i])
		}
		for c := range g.C {
			p := math.Exp(float64(logits[at+c*g.Inner]) - lse)
			hit := 0.0
			if c == y {
				hit = 1
			}
			v := (1-eps)*w*(p-hit) + eps/float64(g.C)*(all*p-classWeight(classWeights, c))
			dx[at+c*g.Inner] = T(d * v)
		}
	}
}

// CrossEntropyWeights computes the weight of every sample, as CrossEntropy does.
func CrossEntropyWeights[T Float](weight []T, labels []int32, classWeights []T, g spec.CrossEntropy) {
	for i, y := range labels {
		weight[i] = 0
		if y != g.Ignore {
			weight[i] = T(classWeight(classWeights, int(y)))
		}
	}
}

func classWeight[T Float](w []T, c int) float64 {
	if w == nil || c < 0 || c >= len(w) {
		return 1
	}
	return float64(w[c])
}

func logSumExp[T Float](x []T, at int, g spec.CrossEntropy) float64 {
	top := math.Inf(-1)
	for c := range g.C {
		top = math.Max(top, float64(x[at+c*g.Inner]))
	}
	if math.IsInf(top, 0) {
		return top
	}
	sum := 0.0
	for c := range g.C {
		sum += math.Exp(float64(x[at+c*g.Inner]) - top)
	}
	return top + math.Log(sum)
}
