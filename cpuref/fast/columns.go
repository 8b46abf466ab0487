package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// Functions along an axis that is not the last: rows of neighbours are handled
// together, element by element, in strips that stay in the cache between one pass
// and the next.

// wideColumns is from how many neighbours on it pays to handle them together.
const wideColumns = 32

// columnStrip is a strip of slices along an axis: n rows of w neighbours, inner
// apart, that begin at base.
type columnStrip struct{ base, n, w, inner int }

// row returns row j of a tensor's strip.
func (s *columnStrip) row(x []float32, j int) []float32 { return x[s.base+j*s.inner:][:s.w] }

// columns calls f for strips that together are all slices along an axis. outer
// and column are the strip's indices over the axes before and behind. t are two
// rows and acc one in float64 for f to use.
func columns(g *spec.Along, ns float64, f func(s columnStrip, outer, column int, t [2][]float32, acc []float64)) {
	const cache = 1 << 16 // floats
	width := min(g.Inner, max(64, min(1024, cache/g.N&^63)))
	strips := (g.Inner + width - 1) / width
	per := max(1, elementTask/(width*g.N))
	ParallelRange(g.Outer*strips, per, ns*float64(g.Outer*g.N*g.Inner), func(low, high int) {
		t := getScratch(4 * width)
		defer putScratch(t)
		acc := getDoubles(width)
		defer putDoubles(acc)
		for i := low; i < high; i++ {
			o, c := i/strips, i%strips*width
			w := min(width, g.Inner-c)
			f(columnStrip{o*g.N*g.Inner + c, g.N, w, g.Inner}, o, c, [2][]float32{t[:w], t[width:][:w]}, acc[:w])
		}
	})
}

// columnMax sets most to the largest of each column, NaN where there is one.
func columnMax(most, x []float32, s *columnStrip) {
	copy(most, s.row(x, 0))
	for j := 1; j < s.n; j++ {
		simd.BinMax.Apply(most, most, s.row(x, j), 0, 0, 0, false)
	}
}

// columnExp sets e to e^(x-most), which may be x, or nothing where it is nil, and
// acc to the sums. t is a row of scratch memory.
func columnExp(e, x, most, t []float32, acc []float64, s *columnStrip) {
	clear(acc)
	for j := range s.n {
		simd.BinExpSub.Apply(t, s.row(x, j), most, 0, 0, 0, false)
		if e != nil {
			copy(s.row(e, j), t)
		}
		simd.WidenAdd(acc, t)
	}
}

// gatherColumn copies column c of a strip.
func gatherColumn(dst, x []float32, c int, s *columnStrip) {
	for j := range dst {
		dst[j] = x[s.base+j*s.inner+c]
	}
}

// softmaxColumns computes softmax and log softmax.
func softmaxColumns(y, x []float32, g *spec.SoftmaxOf) {
	columns(&g.Along, 1, func(s columnStrip, _, _ int, t [2][]float32, acc []float64) {
		most, tmp := t[0], t[1]
		columnMax(most, x, &s)
		if g.Kind == spec.Softmax {
			columnExp(y, x, most, tmp, acc, &s)
			for i, sum := range acc {
				tmp[i] = float32(1 / sum)
			}
			for j := range s.n {
				row := s.row(y, j)
				simd.BinMul.Apply(row, row, tmp, 0, 0, 0, false)
			}
			return
		}
		columnExp(nil, x, most, tmp, acc, &s)
		// The largest term is exactly 1. Where the others are lost beside it, they
		// are added without it.
		var one []float32
		for i, sum := range acc {
			rest := sum - 1
			if rest < 0x1p-20 {
				if one == nil {
					one = make([]float32, s.n)
				}
				gatherColumn(one, x, i, &s)
				rest = restOf(one, most[i])
			}
			tmp[i] = float32(math.Log1p(rest))
		}
		for j := range s.n {
			row := s.row(y, j)
			simd.BinSub.Apply(row, s.row(x, j), most, 0, 0, 0, false)
			simd.BinSub.Apply(row, row, tmp, 0, 0, 0, false)
		}
	})
}

// softmaxGradColumns computes the gradients of both.
func softmaxGradColumns(dx, dy, y []float32, g *spec.SoftmaxOf) {
	columns(&g.Along, 0.8, func(s columnStrip, _, _ int, t [2][]float32, acc []float64) {
		sum, tmp := t[0], t[1]
		clear(acc)
		for j := range s.n {
			if g.Kind == spec.LogSoftmax {
				copy(tmp, s.row(dy, j))
			} else {
				simd.BinMul.Apply(tmp, s.row(dy, j), s.row(y, j), 0, 0, 0, false)
			}
			simd.WidenAdd(acc, tmp)
		}
		for i, v := range acc {
			sum[i] = float32(v)
		}
		if g.Kind == spec.LogSoftmax { // dy - e^y * sum
			zero := tmp
			clear(zero)
			for i, v := range sum {
				sum[i] = -v
			}
			e := getScratch(s.w)
			defer putScratch(e)
			for j := range s.n {
				d := s.row(dy, j)
				simd.BinExpSub.Apply(e, s.row(y, j), zero, 0, 0, 0, false)
				simd.TerMulAdd.Apply(s.row(dx, j), e, sum, d, 0, 0, 0)
			}
			return
		}
		for j := range s.n {
			simd.BinSub.Apply(tmp, s.row(dy, j), sum, 0, 0, 0, false)
			simd.BinMul.Apply(s.row(dx, j), tmp, s.row(y, j), 0, 0, 0, false)
		}
	})
}

// crossEntropyColumns computes the losses of samples that lie side by side.
func crossEntropyColumns(loss, weight, logits []float32, labels []int32, classWeights []float32, g *spec.CrossEntropy) {
	eps, all := float64(g.Smoothing), sumOfWeights(classWeights, g.C)
	along := spec.Along{Outer: g.N, N: g.C, Inner: g.Inner}
	columns(&along, 1, func(s columnStrip, outer, column int, t [2][]float32, acc []float64) {
		most, tmp := t[0], t[1]
		columnMax(most, logits, &s)
		columnExp(nil, logits, most, tmp, acc, &s)
		var even []float64 // the weighted sums of the logits
		if eps > 0 {
			even = getDoubles(s.w)
			defer putDoubles(even)
			for j := range s.n {
				copy(tmp, s.row(logits, j))
				if classWeights != nil {
					scale(tmp, tmp, classWeights[j])
				}
				simd.WidenAdd(even, tmp)
			}
		}
		for i, sum := range acc {
			at := outer*g.Inner + column + i
			y := labels[at]
			top := float64(most[i])
			rest := 0.0 // an infinite maximum is the sum
			if !math.IsInf(top, 0) {
				rest = math.Log(sum)
			}
			switch {
			case y == g.Ignore:
				loss[at], weight[at] = 0, 0
				continue
			case y < 0 || int(y) >= g.C:
				loss[at], weight[at] = float32(math.NaN()), 1
				continue
			}
			w := 1.0
			if classWeights != nil {
				w = float64(classWeights[y])
			}
			v := (1 - eps) * w * (top - float64(logits[s.base+int(y)*s.inner+i]) + rest)
			if eps > 0 {
				v += eps / float64(g.C) * (all*(top+rest) - even[i])
			}
			loss[at], weight[at] = float32(v), float32(w)
		}
	})
}

// crossEntropyGradColumns computes the gradients of their logits.
func crossEntropyGradColumns(dx, dy, logits []float32, labels []int32, classWeights []float32, g *spec.CrossEntropy) {
	eps, all := float64(g.Smoothing), sumOfWeights(classWeights, g.C)
	spread := eps / float64(g.C)
	along := spec.Along{Outer: g.N, N: g.C, Inner: g.Inner}
	columns(&along, 1.5, func(s columnStrip, outer, column int, t [2][]float32, acc []float64) {
		most, k := t[0], t[1]
		columnMax(most, logits, &s)
		columnExp(dx, logits, most, k, acc, &s)
		first := outer*g.Inner + column
		even := getScratch(s.w)
		defer putScratch(even)
		for i, sum := range acc {
			y, d := labels[first+i], upstream(dy, first+i)
			k[i], even[i] = 0, 0
			if y == g.Ignore || y < 0 || int(y) >= g.C {
				continue
			}
			w := 1.0
			if classWeights != nil {
				w = float64(classWeights[y])
			}
			k[i] = float32(d * ((1-eps)*w + spread*all) / sum)
			even[i] = float32(-d * spread)
		}
		own := getScratch(s.w) // the label's own, which the rest of the loop overwrites
		defer putScratch(own)
		for i, sum := range acc {
			y, d := labels[first+i], upstream(dy, first+i)
			if y == g.Ignore || y < 0 || int(y) >= g.C {
				continue
			}
			w, one := 1.0, 1.0
			if classWeights != nil {
				w = float64(classWeights[y])
				one = w
			}
			p := float64(dx[s.base+int(y)*s.inner+i]) / sum
			own[i] = float32(d * ((1-eps)*w*(p-1) + spread*(all*p-one)))
		}
		for j := range s.n {
			row := s.row(dx, j)
			simd.BinMul.Apply(row, row, k, 0, 0, 0, false)
			if eps > 0 {
				cw := float32(1)
				if classWeights != nil {
					cw = classWeights[j]
				}
				simd.BinAxpy.Apply(row, even, row, cw, 0, 0, false)
			}
		}
		for i := range acc {
			y := labels[first+i]
			switch {
			case y == g.Ignore:
				for j := range s.n {
					dx[s.base+j*s.inner+i] = 0
				}
			case y < 0 || int(y) >= g.C || math.IsInf(float64(most[i]), 0):
				// What is not a number is rare: the definition says where.
				column := make([]float32, 2*s.n)
				gatherColumn(column[s.n:], logits, i, &s)
				one := *g
				one.N, one.Inner = 1, 1
				cpuref.CrossEntropyGrad(column[:s.n], []float32{float32(upstream(dy, first+i))}, column[s.n:], []int32{y}, classWeights, one)
				for j, v := range column[:s.n] {
					dx[s.base+j*s.inner+i] = v
				}
			default:
				dx[s.base+int(y)*s.inner+i] = own[i]
			}
		}
	})
}

// upstream is the gradient of the loss of a sample: one number in all, or one for
// each.
func upstream(dy []float32, sample int) float64 {
	if len(dy) > 1 {
		return float64(dy[sample])
	}
	return float64(dy[0])
}

// lpColumns computes Lp normalizations with p = 2.
func lpColumns(y, x []float32, g *spec.LpNormalize) {
	columns(&g.Along, 0.6, func(s columnStrip, _, _ int, t [2][]float32, acc []float64) {
		norm, tmp := t[0], t[1]
		clear(acc)
		// A power of two near the largest keeps the squares within range.
		top := float32(0)
		for j := range s.n {
			simd.Abs.Apply(tmp, s.row(x, j), 0, 0, 0, false)
			top = max(top, simd.Max(tmp))
		}
		_, e := math.Frexp(float64(top))
		if e = min(max(e, -120), 120); e > -30 && e < 30 {
			e = 0
		}
		factor := float32(math.Ldexp(1, -e))
		for j := range s.n {
			scale(tmp, s.row(x, j), factor)
			simd.BinMul.Apply(tmp, tmp, tmp, 0, 0, 0, false)
			simd.WidenAdd(acc, tmp)
		}
		plain := false
		for i, v := range acc {
			size := math.Ldexp(math.Sqrt(v), e)
			if size == 0 {
				size = 1 // all zeros stay zeros
			}
			norm[i] = float32(math.Max(size, float64(g.Eps)))
			plain = plain || !(v > 0x1p-80) || !(norm[i] > 0x1p-120) || math.IsInf(float64(norm[i]), 0)
		}
		if plain { // zeros, values that vanish beside others, and what is not a number
			lpStripPlain(y, x, &s, g)
			return
		}
		for j := range s.n {
			simd.BinDiv.Apply(s.row(y, j), s.row(x, j), norm, 0, 0, 0, false)
			if g.Act.Func != spec.Identity {
				pointwise(g.Act, s.row(y, j), s.row(y, j))
			}
		}
	})
}

// lpStripPlain is one strip by the plain loops.
func lpStripPlain(y, x []float32, s *columnStrip, g *spec.LpNormalize) {
	one := *g
	one.Outer, one.Inner = 1, 1
	t := getScratch(s.n)
	defer putScratch(t)
	for i := range s.w {
		gatherColumn(t[:s.n], x, i, s)
		cpuref.LpNormalize(t[:s.n], t[:s.n], one)
		for j, v := range t[:s.n] {
			y[s.base+j*s.inner+i] = v
		}
	}
}
