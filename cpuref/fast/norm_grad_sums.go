package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
)

const (
	pivotSample = 64      // up to so many floats have their mean as the pivot
	pivotFar    = 1 << 16 // square of the distance, in deviations, from which on a pivot is too far from the mean
)

// pivot guesses the mean of a group, some floats of which are given: sums around a
// guess give the moments as well as those around the mean do, unless it is far
// from that.
func (p *normGradient) pivot(group int, x []float32) {
	if p.given || p.fixed || p.g.RMS {
		return
	}
	if len(x) >= pivotSample {
		if m := float64(guessMean(x)); !math.IsInf(m, 0) {
			p.mean[group] = m
			return
		}
	}
	x = x[:min(len(x), pivotSample)]
	p.mean[group] = simd.Sum(x) / float64(len(x))
}

// sums returns the sums over dy and x, of a group with the given mean or a guess at
// it. w may be nil.
func (p *normGradient) sums(dy, x, w []float32, mean float64) simd.GradSums {
	k := float32(mean)
	if float64(k) == mean && len(x) >= pivotSample {
		s := simd.SumGradsNear(dy, x, w, k, p.near)
		if exactProduct(&s, len(x)) && (p.fixed || exactSquares(&s, len(x), p.g.RMS)) {
			return s
		}
	}
	return simd.SumGrads(dy, x, w, mean)
}

// exactProduct reports whether float32 held the terms of D and Product with their
// digits, to judge by the sums over n elements: what terms below its range lose is
// nothing beside the least Product, and one above makes a sum infinite.
func exactProduct(s *simd.GradSums, n int) bool {
	a := math.Abs(s.Product)
	return a >= 1e-30*float64(n) && a <= 1e36 && math.Abs(s.D) <= 1e36
}

// exactSquares reports the same of Off and Squares, and that the mean was not further
// from that of the elements than these are: the variance would be a difference of
// much larger numbers.
func exactSquares(s *simd.GradSums, n int, rms bool) bool {
	count := float64(n)
	return s.Squares >= 1e-30*count && s.Squares <= 1e36 && (rms || s.Off*s.Off <= count*s.Squares/2)
}
